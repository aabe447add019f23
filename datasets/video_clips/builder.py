"""The TFDS data set `video_clips`: shards made in processes and then put together."""

import functools
import pathlib

from datasets.building import set_builder, shard_folder
from datasets.video_clips import record, shards, sources
from datasets.video_clips import settings as settings_lib

INFO = shard_folder.SetInfo(
    name="video_clips",
    version="1.1.0",
    description="""Clips of talking heads cut out of videos: one face, one crop, sound,
head pose, mouth and keypoints as landmarks tell them, and estimates of gaze, lids,
expression and emotion.""",
    splits=settings_lib.SPLITS,
)


def build(
    input_folder: pathlib.Path,
    folder: pathlib.Path,
    settings: settings_lib.Settings,
    num_workers: int,
) -> set_builder.Outcome:
    """Build or complete a set.

    Args:
        input_folder: searched for videos.
        folder: where the set lies or will lie.
        settings: of its records.
        num_workers: processes.

    Returns:
        The outcome.

    Raises:
        UserError: there are no videos, or as `set_builder.build`.
    """
    return set_builder.build(
        folder,
        settings,
        INFO,
        record.features(),
        sources.divide(sources.find(input_folder, settings.identities)),
        functools.partial(shards.make, input_folder, folder, settings),
        lambda shard: len(shard.videos),
        num_workers,
        "video",
    )
