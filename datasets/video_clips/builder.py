"""The TFDS data set `video_clips`: shards made in processes and then put together."""

import functools
import pathlib
from collections.abc import Callable

from datasets.building import engines, set_builder, shard_folder
from datasets.published_sets import clips, video_files
from datasets.video_clips import record, shards, sources
from datasets.video_clips import settings as settings_lib
from vasa_jax import config
from vasa_jax.encode import label_estimators

INFO = shard_folder.SetInfo(
    name="video_clips",
    version="1.5.1",
    description="""Clips of talking heads cut out of videos: one face, one crop, sound,
head pose, mouth and keypoints as landmarks show them, and estimates of gaze, lids,
expression and emotion.""",
    splits=settings_lib.SPLITS,
)


def build(
    input_folder: pathlib.Path,
    folder: pathlib.Path,
    settings: settings_lib.Settings,
    engine: engines.Engine,
    read: Callable[[video_files.VideoFiles], clips.Reading] | None = None,
) -> set_builder.Outcome:
    """Build or complete a set.

    Args:
        input_folder: searched for videos.
        folder: where the set lies or will lie.
        settings: of its records.
        engine: where its shards are made.
        read: tells what to cut from which videos; None takes all of each.

    Returns:
        The outcome.

    Raises:
        UserError: there are no videos or no rows, or as `read`, `label_estimators.make`
            or `set_builder.build`.
    """
    # Before the workers start, because a file that does not fit is no video's fault.
    label_estimators.make(settings.l2cs_weights, settings.hsemotion_weights)
    if read is None:
        read = functools.partial(sources.read_folder, settings.identities)
    videos = video_files.find(input_folder)
    reading = read(videos)
    config.require(
        reading.num_rows > 0,
        "The lists of the set name no clip; give --annotations_dir the whole lists.",
    )
    kept = sources.apart_from_own_parts(reading.clips, settings.held_out_share)
    return set_builder.build(
        folder,
        settings,
        INFO,
        record.features(),
        sources.divide(kept, videos.sizes),
        functools.partial(shards.make, input_folder, folder, settings),
        engine,
        "video",
        reading.left_out,
    )
