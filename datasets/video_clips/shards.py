"""Shards: files of whole videos, made one by one, kept when a build is killed."""

import functools
import pathlib

from datasets.building import shard_files
from datasets.video_clips import record, sources
from datasets.video_clips import settings as settings_lib


def make(
    input_folder: pathlib.Path,
    folder: pathlib.Path,
    settings: settings_lib.Settings,
    shard: sources.Shard,
) -> int:
    """Make the clips of a shard's videos.

    Args:
        input_folder: of the videos.
        folder: of the set.
        settings: of the set.
        shard: which videos.

    Returns:
        How many videos it has; the report lies on disk.
    """
    with shard_files.ShardWriter(folder, shard.name, record.features()) as writer:
        for video in shard.videos:
            split = sources.split_of(video, settings)
            note = functools.partial(writer.note_damage, video.path)
            clips = functools.partial(record.make, input_folder, video, settings, note)
            writer.add(video.path, split, clips)
    return len(shard.videos)
