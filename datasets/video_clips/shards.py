"""Shards: files of whole sources, made one by one, kept when a build is killed."""

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
) -> None:
    """Make the clips of a shard's sources, and its report.

    Args:
        input_folder: of the videos.
        folder: of the set.
        settings: of the set.
        shard: which sources.
    """
    with shard_files.ShardWriter(folder, shard.name, record.features()) as writer:
        for clip in (source.clip for source in shard.sources):
            split = sources.split_of(clip, settings)
            note = functools.partial(writer.note_damage, clip.name)
            make = functools.partial(record.make, input_folder, clip, settings, note)
            writer.add(clip.name, split, make)
