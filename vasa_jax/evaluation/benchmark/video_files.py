"""Find the videos to score, and the reference of each."""

import os
import pathlib

from vasa_jax import errors

SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".m4v")
"""Of the files in a folder that are taken for videos."""


def find_videos(pattern: str) -> list[pathlib.Path]:
    """Return the videos that a folder, a list file, a glob or a file name gives.

    A file or folder that exists is itself, whatever `*`, `?` or `[` its name holds.

    Args:
        pattern: a folder (its own files), a `.txt` file (a path a line, relative to
            the file), a glob, or one video.

    Returns:
        Paths in order of their names.

    Raises:
        UserError: there are none, one is missing, or two have one name.
    """
    place = pathlib.Path(pattern)
    if place.is_dir():
        found = [p for p in place.iterdir() if p.suffix.lower() in SUFFIXES]
    elif place.suffix.lower() == ".txt" and place.is_file():
        lines = place.read_text(encoding="utf-8").splitlines()
        found = [place.parent / line.strip() for line in lines if line.strip()]
    elif any(sign in pattern for sign in "*?[") and not place.exists():
        folder = next(parent for parent in place.parents if parent.exists())
        wanted = os.fspath(place.relative_to(folder))
        found = [p for p in folder.glob(wanted) if p.is_file()]
    else:
        found = [place]
    if not found:
        raise errors.UserError(
            f"There are no videos in {pattern!r}; name a folder, a glob, a .txt with a "
            f"path a line, or one file ({', '.join(SUFFIXES)})."
        )
    named: dict[str, pathlib.Path] = {}
    for path in found:
        if not path.is_file():
            raise errors.UserError(f"The video {path} does not exist; check the path.")
        if path.stem in named:
            raise errors.UserError(
                f"The videos {named[path.stem]} and {path} have one name; rename one."
            )
        named[path.stem] = path
    return sorted(found, key=lambda path: path.stem)


def match_references(
    videos: list[pathlib.Path], references: list[pathlib.Path]
) -> dict[pathlib.Path, pathlib.Path]:
    """Find the reference of each video by the file's name without its suffix.

    Args:
        videos: to be scored.
        references: among which each has one.

    Returns:
        References by video.

    Raises:
        UserError: one has none, or two references have one name.
    """
    by_name: dict[str, pathlib.Path] = {}
    for path in references:
        if path.stem in by_name:
            raise errors.UserError(
                f"The references {by_name[path.stem]} and {path} have one name; "
                "rename one of them."
            )
        by_name[path.stem] = path
    matched: dict[pathlib.Path, pathlib.Path] = {}
    for video in videos:
        if video.stem not in by_name:
            raise errors.UserError(
                f"The video {video} has no reference named {video.stem!r}; add one "
                "or leave the video out."
            )
        matched[video] = by_name[video.stem]
    return matched
