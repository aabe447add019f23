"""VoxCeleb2 and VoxCeleb1: a text file for each utterance, and people by their ids.

Follows: the sets' own files (`txt/id00012/21Uxsk56VDQ/00001.txt`). Videos are the clips
of VoxCeleb2 (`id00012/21Uxsk56VDQ/00001.mp4`), cropped about the face, or whole ones
named by their id (`21Uxsk56VDQ.mp4`); where both are there the clips count.
"""

import dataclasses
import functools
import pathlib
import re
from collections.abc import Iterator

from datasets.building import shard_files, source_files
from datasets.published_sets import annotation_files, clips, video_files
from vasa_jax import errors

FRAME_RATE_HZ = 25
"""Of the frames that the files count, whatever the video's own rate. Follows: the sets'
page, and AliaksandrSiarohin/video-preprocessing."""

LARGEST_OFFSET_FRAMES = 5
"""Ours: 0.2 s; a larger one tells of a dubbed film or of a wrong measurement."""


@dataclasses.dataclass(frozen=True)
class _Version:
    """What differs between the two sets.

    Attributes:
        table, id_column: the table of people, and its column of ids in lower case.
        ids: numbers of its people; the other set's units would pass for its own.
        of_width, of_height: see `clips.Box`.
    """

    table: str
    id_column: str
    ids: range
    of_width: float | None
    of_height: float


_VERSION_1 = _Version("vox1_meta.csv", "voxceleb1 id", range(10_000, 20_000), None, 360)
_VERSION_2 = _Version("vox2_meta.csv", "voxceleb2 id", range(10_000), 1, 1)


@dataclasses.dataclass(frozen=True)
class Utterance:
    """What a text file says.

    Attributes:
        offset_frames: by which the picture is late.
        first, last: numbers of its frames, 25 a second.
        box: left, top, right, bottom around all its boxes, in the file's unit.
    """

    offset_frames: int
    first: int
    last: int
    box: tuple[float, float, float, float]


def read_2(
    annotations: pathlib.Path | None, videos: video_files.VideoFiles
) -> clips.Reading:
    """Read the text files of VoxCeleb2; see `clips.Reader`."""
    return _read(_VERSION_2, annotations, videos)


def read_1(
    annotations: pathlib.Path | None, videos: video_files.VideoFiles
) -> clips.Reading:
    """Read the text files of VoxCeleb1; see `clips.Reader`."""
    return _read(_VERSION_1, annotations, videos)


def _read(version, annotations, videos):
    what = f"the set's text files (txt/idXXXXX/VIDEO/00001.txt) and {version.table}"
    folder = annotation_files.require(annotations, what)
    rows = list(_rows(folder))
    if not rows:
        raise errors.UserError(
            f"No path below {str(folder)!r} has the form idXXXXX/VIDEO/00001.txt; "
            "unpack the set's text files there."
        )
    parts = _parts(version, folder)
    make = functools.partial(_clip, version=version, videos=videos, parts=parts)
    return clips.read(rows, make)


def _rows(folder: pathlib.Path) -> Iterator[tuple[str, pathlib.Path]]:
    """Yield `idXXXXX/VIDEO/00001` and the text file of each utterance."""
    found = sorted(path for path, _ in source_files.walk(folder, [".txt"]))
    for path in found:
        names = pathlib.PurePosixPath(path).with_suffix("").parts[-3:]
        if len(names) == 3 and re.fullmatch(r"id\d{5}", names[0]):
            yield "/".join(names), folder / path


def _parts(version: _Version, folder: pathlib.Path) -> dict[str, str] | None:
    """Return each person's part of the set, "dev" or "test"; None without a table.

    Copies of the table differ in their white space. Other columns are not used: a
    person's id in another set cannot be told from this one's.
    """
    path = folder / version.table
    if not path.exists():
        return None
    rows = annotation_files.table(path, {"id": version.id_column, "part": "set"})
    return {row["id"]: row["part"].lower() for row in rows}


def _clip(name, path, version, videos, parts):
    person, video, _ = name.split("/")
    if int(person.removeprefix("id")) not in version.ids:
        raise shard_files.UnfitError(
            "of the other VoxCeleb", f"{person} is a person of the other set"
        )
    if parts is not None and person not in parts:
        raise shard_files.UnfitError(
            "of an unlisted person", f"{version.table} has no {person}"
        )
    reported = parse(path.read_text(encoding="utf-8-sig", errors="replace"))
    if abs(reported.offset_frames) > LARGEST_OFFSET_FRAMES:
        raise shard_files.UnfitError(
            "with sound far from the picture",
            f"its offset is {reported.offset_frames} frames, and at most "
            f"{LARGEST_OFFSET_FRAMES} are mended",
        )
    of_clip = {
        "name": name,
        "source_video": video,
        "person": person,
        "split": "test" if parts and parts[person] == "test" else None,
        "sound_shift_seconds": reported.offset_frames / FRAME_RATE_HZ,
    }
    if videos.has_video(name):
        return clips.Clip(video=videos.video(name), box=clips.MIDDLE_OF_CLIP, **of_clip)
    sides = dict(zip(("left", "top", "right", "bottom"), reported.box, strict=True))
    return clips.Clip(
        video=videos.video(video),
        start_seconds=reported.first / FRAME_RATE_HZ,
        end_seconds=(reported.last + 1) / FRAME_RATE_HZ,
        box=clips.Box(**sides, of_width=version.of_width, of_height=version.of_height),
        **of_clip,
    )


def parse(text: str) -> Utterance:
    """Read a text file: names and values, a blank line, and a table.

    Args:
        text: of the file. Names, values and column names end in white space; the
            table begins where FRAME stands.

    Raises:
        shard_files.UnfitError: it is of another form.
    """
    lines = [line.split("\t") for line in text.splitlines()]
    cells = [[cell.strip() for cell in line] for line in lines]
    starts = [index for index, line in enumerate(cells) if line[0] == "FRAME"]
    header = {line[0].rstrip(": ").lower(): line[1:] for line in cells if line[0]}
    try:
        offset_frames = int(header["offset"][0])
        columns = cells[starts[0]]
        table = [line for line in cells[starts[0] + 1 :] if line[0]]
        indices = [columns.index(name) for name in ("FRAME", "X", "Y", "W", "H")]
        rows = [[float(line[index]) for index in indices] for line in table]
        frames, lefts, tops, widths, heights = zip(*rows, strict=True)
    except (KeyError, IndexError, ValueError) as error:
        raise shard_files.UnfitError(
            "of an unknown form",
            "its text file has no Offset or no rows of FRAME, X, Y, W and H",
        ) from error
    return Utterance(
        offset_frames=offset_frames,
        first=int(min(frames)),
        last=int(max(frames)),
        box=(
            min(lefts),
            min(tops),
            max(map(sum, zip(lefts, widths, strict=True))),
            max(map(sum, zip(tops, heights, strict=True))),
        ),
    )
