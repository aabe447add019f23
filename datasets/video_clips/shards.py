"""Shards: files of whole videos, made one by one, kept when a build is killed."""

import pathlib

from datasets import shard_files, shard_folder
from datasets.video_clips import record, sources
from datasets.video_clips import settings as settings_lib
from vasa_jax import errors


def make(
    input_folder: pathlib.Path,
    folder: pathlib.Path,
    settings: settings_lib.Settings,
    shard: sources.Shard,
) -> int:
    """Make the clips of a shard's videos.

    Ours: a video that fails is passed over and reported, because one broken file must
    not cost a night's work.

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
            try:
                for made in record.make(input_folder, video, settings):
                    writer.write(split, made)
            except record.UnfitError as error:
                writer.skip(video.path, error.kind, str(error))
            except errors.UserError as error:
                writer.skip(video.path, "unreadable", str(error))
            except Exception as error:
                writer.skip(video.path, "failed", shard_folder.tell_error(error))
    return len(shard.videos)
