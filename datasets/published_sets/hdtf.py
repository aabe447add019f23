"""HDTF: long videos of speakers, cut by times and squares that five lists give.

Follows: MRzzm/HDTF (`HDTF_dataset/RD_video_url.txt` and the like). The videos are the
whole ones, named `RD_NAME.mp4`, or `NAME.mp4` where one subset alone has that name.
Clips that somebody has cut are not taken: their numbers differ from one downloader to
the next.
"""

import collections
import dataclasses
import pathlib
import re
import urllib.parse
from collections.abc import Iterable, Iterator

from datasets.building import shard_files
from datasets.published_sets import annotation_files, clips, video_files

SUBSETS = ("RD", "WDA", "WRA")

WIDEST_FRAME = 16 / 9
"""Ours: videos are no wider, so a square that leaves such a frame counts the pixels of
another height than the list of heights says."""

_LISTS = "RD_video_url.txt, RD_annotion_time.txt, RD_crop_wh.txt and the like"


@dataclasses.dataclass(frozen=True)
class _Row:
    """One clip as the lists have it.

    Attributes:
        subset, video: of `SUBSETS`, and the video's name.
        address: of the video on the internet, or None.
        times: of all clips of the video, as written.
        index: which of these, or None for a video without times.
        crop: the square's numbers as written, or None.
        heights: that are stated of the video, as written.
    """

    subset: str
    video: str
    address: str | None
    times: tuple[str, ...]
    index: int | None
    crop: tuple[str, ...] | None
    heights: tuple[str, ...]


def read(
    annotations: pathlib.Path | None, videos: video_files.VideoFiles
) -> clips.Reading:
    """Read the lists of HDTF; see `clips.Reader`."""
    rows = list(_rows(annotation_files.require(annotations, _LISTS)))
    subsets = collections.defaultdict(set)
    for _, row in rows:
        subsets[row.video].add(row.subset)
    speakers = _speakers(row for _, row in rows)

    def make(name: str, row: _Row) -> clips.Clip:
        start, end = _times(row)
        names = [f"{row.subset}_{row.video}"]
        if len(subsets[row.video]) == 1:
            names.append(row.video)
        return clips.Clip(
            name=name,
            video=videos.video(*names),
            source_video=_source(row),
            person=speakers[row.subset, row.video],
            start_seconds=start,
            end_seconds=end,
            box=_box(row),
        )

    return clips.read(rows, make)


def _speakers(rows: Iterable[_Row]) -> dict[tuple[str, str], str]:
    """Return who speaks in each video, by subset and name.

    Ours: the names of WDA and WRA are those of people with a number behind, such as
    JohnLewis0 and JohnLewis1; those of RD tell nobody, so each is one of its own. One
    address under two names shows one person, too.
    """
    own, videos, joined = {}, collections.defaultdict(set), {}
    for row in rows:
        name = row.video if row.subset == "RD" else row.video.rstrip("0123456789")
        own[row.subset, row.video] = f"{row.subset}_{name}"
        if row.address is not None:
            videos[_source(row)].add(f"{row.subset}_{name}")

    def first(name: str) -> str:
        return first(joined[name]) if name in joined else name

    for names in videos.values():
        kept, *others = sorted({first(name) for name in names})
        joined |= dict.fromkeys(others, kept)
    return {video: first(name) for video, name in own.items()}


def _rows(folder: pathlib.Path) -> Iterator[tuple[str, _Row]]:
    """Yield every clip that any list names."""
    for subset in SUBSETS:
        lists = {
            kind: _list(folder / f"{subset}_{kind}.txt")
            for kind in ("video_url", "annotion_time", "crop_wh", "resolution")
        }
        crops = collections.defaultdict(dict)
        for key, numbers in lists["crop_wh"].items():
            video, _, index = key.rpartition("_")
            crops[video][index] = numbers
        named = [*lists["video_url"], *lists["annotion_time"], *crops]
        for video in dict.fromkeys(named):
            times = lists["annotion_time"].get(video, ())
            left = dict(crops.get(video, {}))
            address = lists["video_url"].get(video)
            heights = lists["resolution"].get(video, ())
            url = address[0] if address else None
            for index in range(len(times)):
                crop = left.pop(str(index), None)
                row = _Row(subset, video, url, times, index, crop, heights)
                yield f"{subset}_{video}_{index}", row
            # Squares of clips that have no times, and videos that have neither.
            for index in left or ({} if times else {"0": None}):
                row = _Row(subset, video, url, times, None, left.get(index), heights)
                yield f"{subset}_{video}_{index}", row


def _list(path: pathlib.Path) -> dict[str, tuple[str, ...]]:
    """Read lines of a name, with or without `.mp4`, and what follows it."""
    lines = (line.split() for line in annotation_files.text(path).splitlines())
    return {line[0].removesuffix(".mp4"): tuple(line[1:]) for line in lines if line}


def _source(row: _Row) -> str:
    """Return the id of the video's address: one video stands under several names."""
    if row.address is None:
        raise shard_files.UnfitError(
            "without an address", f"no video_url is listed for {row.video}"
        )
    address = urllib.parse.urlparse(row.address)
    asked = urllib.parse.parse_qs(address.query)
    if "v" in asked:
        return asked["v"][0]
    return address.path.strip("/") or row.address


def _times(row: _Row) -> tuple[float, float]:
    """Return start and end in seconds.

    Ours: where the times of a video fall or overlap one of them is a slip of the pen;
    the clip that does so is left out.
    """
    if row.index is None:
        raise shard_files.UnfitError(
            "without times", f"annotion_time has no such clip of {row.video}"
        )
    start, end = _span(row.times[row.index])
    before = [_end(text) for text in row.times[: row.index]]
    if start < max(before, default=0.0):
        raise shard_files.UnfitError(
            "with overlapping times",
            f"{row.times[row.index]} begins before the clip before it ends",
        )
    return start, end


def _span(text: str) -> tuple[float, float]:
    """Read `mm:ss-mm:ss`, maybe with hours."""
    if not re.fullmatch(r"\d+(:\d+){1,2}-\d+(:\d+){1,2}", text):
        raise shard_files.UnfitError(
            "with impossible times", f"{text!r} is not of the form mm:ss-mm:ss"
        )
    start, end = (_seconds(part) for part in text.split("-"))
    if end <= start:
        raise shard_files.UnfitError(
            "with impossible times", f"{text} ends before it begins"
        )
    return start, end


def _end(text: str) -> float:
    """Return where a clip ends, 0 if its times are none."""
    try:
        return _span(text)[1]
    except shard_files.UnfitError:
        return 0.0


def _seconds(text: str) -> float:
    seconds = 0
    for part in text.split(":"):
        seconds = 60 * seconds + int(part)
    return float(seconds)


def _box(row: _Row) -> clips.Box:
    """Return the square: the list's order is x, width, y, height."""
    if row.crop is None:
        raise shard_files.UnfitError("without a crop", "crop_wh has no such clip")
    if len(row.heights) != 1 or not row.heights[0].isdigit() or row.heights[0] == "0":
        given = " ".join(row.heights) or "nothing"
        raise shard_files.UnfitError(
            "of unknown height", f"resolution says {given}, so its crop has no scale"
        )
    height = int(row.heights[0])
    if len(row.crop) != 4 or not all(re.fullmatch(r"-?\d+", n) for n in row.crop):
        raise shard_files.UnfitError(
            "with a wrong crop", f"{' '.join(row.crop)} are not four whole numbers"
        )
    left, width, top, tall = map(int, row.crop)
    if width != tall or width <= 0:
        raise shard_files.UnfitError(
            "with a wrong crop",
            f"{' '.join(row.crop)} is no square in the order x, width, y, height",
        )
    is_inside = min(left, top) >= 0 and top + tall <= height
    if not is_inside or left + width > round(WIDEST_FRAME * height):
        raise shard_files.UnfitError(
            "with a crop beyond the picture",
            f"{' '.join(row.crop)} leaves a picture of {height} lines",
        )
    return clips.Box(
        left=left, top=top, right=left + width, bottom=top + tall, of_height=height
    )
