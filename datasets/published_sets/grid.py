"""GRID: 33 speakers say a thousand sentences of six words each.

Follows: the set's folders (`s1/video/bbaf2n.mpg`, or `s1/bbaf2n.mpg`). Files of words
are not read, since records hold none: neither their unit, 25,000 a second, nor the
folders that belong to other speakers can do harm.
"""

import pathlib
import re

from datasets.building import shard_files
from datasets.published_sets import annotation_files, clips, video_files
from vasa_jax import errors


def read(
    annotations: pathlib.Path | None, videos: video_files.VideoFiles
) -> clips.Reading:
    """Read the paths of GRID; see `clips.Reader`. It has no lists."""
    annotation_files.refuse(annotations)
    rows = [(path, pathlib.PurePosixPath(path)) for path in videos.videos]
    if not any(_is_sentence(path) and _speaker(path) for _, path in rows):
        raise errors.UserError(
            "No path below --input_dir is such as s1/bbaf2n.mpg; unpack the speakers' "
            "archives, and give the folder that holds theirs."
        )
    return clips.read(rows, _clip)


def _is_sentence(path: pathlib.PurePosixPath) -> bool:
    """Tell whether a name has the six letters of a sentence, such as bbaf2n.

    Command, colour, preposition, letter, digit (z is zero) and adverb.
    """
    return bool(re.fullmatch("[blps][bgrw][abiw][a-vx-z][1-9z][anps]", path.stem))


def _speaker(path: pathlib.PurePosixPath) -> str | None:
    """Return the last folder that names a speaker."""
    found = [name for name in path.parent.parts if re.fullmatch(r"s\d+", name)]
    return found[-1] if found else None


def _clip(name: str, path: pathlib.PurePosixPath) -> clips.Clip:
    speaker = _speaker(path)
    if speaker is None or not _is_sentence(path):
        raise shard_files.UnfitError(
            "of an unknown form", "its path is not such as s1/bbaf2n.mpg"
        )
    return clips.Clip(name=name, video=name, source_video=name, person=speaker)
