"""What is generated or scored: a list, videos with references, a split of records."""

import dataclasses
import hashlib
import json
import os
import pathlib

import numpy as np

from vasa_jax import errors, media
from vasa_jax.data import records
from vasa_jax.encode import encoding
from vasa_jax.evaluation.benchmark.held_out_clips import spread_over

FIELDS = ("image", "audio", "reference")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Item:
    """A portrait and a voice.

    Attributes:
        name: of the clip in the report.
        image: picture; None takes the first frame of the reference.
        audio: voice; None takes the sound of the reference.
        reference: video of the person who says it, or None.
    """

    name: str
    image: pathlib.Path | None = None
    audio: pathlib.Path | None = None
    reference: pathlib.Path | None = None


def read_items(path: str | os.PathLike[str]) -> list[Item]:
    """Read a benchmark: a JSON object a line.

    Args:
        path: lines of `{"image": ..., "audio": ..., "reference": ...}`, paths relative
            to the file; `reference` may be left out, or else the two others. `name`
            names a line; it is its number if left.

    Returns:
        The items, in order.

    Raises:
        UserError: the file is missing, or a line is wrong.
    """
    path = pathlib.Path(path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise errors.UserError(
            f"The benchmark {path} cannot be read ({error.strerror}); check the path."
        ) from error
    numbered = [(i, text) for i, text in enumerate(lines, 1) if text.strip()]
    items = [_read_item(path, number, text) for number, text in numbered]
    if len({item.name for item in items}) < len(items) or not items:
        raise errors.UserError(
            f"The benchmark {path} holds {len(items)} lines, of which no two may have "
            "one name; give lines of their own names, at least one."
        )
    return items


def _read_item(path: pathlib.Path, number: int, text: str) -> Item:
    where = f"Line {number} of {path}"
    try:
        given = json.loads(text)
    except json.JSONDecodeError as error:
        raise errors.UserError(f"{where} is no JSON ({error}); mend it.") from error
    is_known = isinstance(given, dict) and set(given) <= {"name", *FIELDS}
    has_enough = is_known and ("reference" in given or {"image", "audio"} <= set(given))
    if not has_enough or not all(isinstance(v, str) and v for v in given.values()):
        raise errors.UserError(
            f"{where} must be an object of texts: image and audio, or reference, or "
            "all three, and a name if wanted."
        )
    paths = {key: path.parent / given[key] for key in FIELDS if key in given}
    for key, file in paths.items():
        if not file.is_file():
            raise errors.UserError(f"{where}: the {key} {file} does not exist.")
    return Item(name=given.get("name", f"{number:04d}"), **paths)


def find(pattern: str) -> list[Item]:
    """Return the items that a file or folder gives, in order of their names.

    Args:
        pattern: a `.jsonl`, see `read_items`; or a folder of real
            videos, with folders in it (VoxCeleb2's `test/mp4` lies so), or whatever
            `find_videos` takes. A video is portrait (its first frame),
            voice and reference.

    Raises:
        UserError: there is nothing, or a line is wrong.
    """
    given = pathlib.Path(pattern)
    if given.suffix == ".jsonl":
        return read_items(given)
    if not given.is_dir():
        videos = {path.stem: path for path in find_videos(pattern)}
    else:
        found = [p for p in given.rglob("*") if p.suffix.lower() in SUFFIXES]
        relative = (path.relative_to(given).with_suffix("") for path in found)
        names = ("-".join(path.parts) for path in relative)
        videos = dict(zip(names, found, strict=True))
        if len(videos) < len(found) or not videos:
            raise errors.UserError(
                f"The folder {given} holds {len(found)} videos "
                f"({', '.join(SUFFIXES)}), of which no two may have one "
                "name; give one or more."
            )
    return [Item(name=n, reference=videos[n]) for n in sorted(videos)]


def spread(items: list[Item], wanted: int | None) -> list[Item]:
    """Return at most as many items as wanted, evenly spread; None takes all."""
    if wanted is None:
        return list(items)
    return [items[index] for index in spread_over(len(items), wanted)]


def from_records(
    opened: records.Records, folder: pathlib.Path, wanted: int | None
) -> list[Item]:
    """Write records as videos with sound, and return them as items.

    Ours: a file's name tells what it was written from, so that it is written once.

    Args:
        opened: records with `video` and `audio`.
        folder: existing, for the videos.
        wanted: evenly spread over the records, so that all identities have a share;
            None takes all.
    """
    count = len(opened)
    items = []
    for index in spread_over(count, count if wanted is None else wanted):
        record = opened.read(index, ["clip_id", "video", "audio"])
        sound = np.asarray(record["audio"])
        digest = hashlib.sha256(record["video"] + sound.tobytes()).hexdigest()[:16]
        name = records.record_name(opened, index, record)
        path = folder / f"{name}.{digest}.mp4"
        if not path.exists():
            frames = encoding.decode_clip(record)
            waveform = encoding.to_waveform(sound, len(frames))
            size = frames.shape[1:3]
            with media.VideoWriter(path, *size, waveform=waveform) as out:
                out.write(frames)
        items.append(Item(name=name, reference=path))
    return items


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
    given = pathlib.Path(pattern)
    if given.is_dir():
        found = [p for p in given.iterdir() if p.suffix.lower() in SUFFIXES]
    elif given.suffix.lower() == ".txt" and given.is_file():
        lines = given.read_text(encoding="utf-8").splitlines()
        found = [given.parent / line.strip() for line in lines if line.strip()]
    elif any(sign in pattern for sign in "*?[") and not given.exists():
        folder = next(parent for parent in given.parents if parent.exists())
        wanted = os.fspath(given.relative_to(folder))
        found = [p for p in folder.glob(wanted) if p.is_file()]
    else:
        found = [given]
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
