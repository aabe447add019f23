"""CelebV-Text: clips with boxes in one JSON, in the two forms that it is seen in.

Follows: CelebV-Text/CelebV-Text, whose page and script differ: times stand in
`duration` or beside it and are seconds even where they are called frames; boxes count
pixels or shares of the picture. Videos as of `celebv_hq`. Its texts are not read: some
are wrong about who is seen.
"""

import functools
import pathlib
from typing import Any

from datasets.building import shard_files
from datasets.published_sets import annotation_files, celebv_hq, clips, video_files

FILE = "celebvtext_info.json"

_SIDES = ("left", "top", "right", "bottom")


def read(
    annotations: pathlib.Path | None, videos: video_files.VideoFiles
) -> clips.Reading:
    """Read the JSON of CelebV-Text; see `clips.Reader`."""
    path = annotation_files.require(annotations, FILE) / FILE
    return celebv_hq.read_entries(path, functools.partial(_clip, videos))


def _clip(videos, name, row):
    source = str(row["ytb_id"])
    if videos.has_video(name):
        # Already cut and cropped: neither times nor box are of this file.
        return clips.Clip(name=name, video=videos.video(name), source_video=source)
    return clips.Clip(
        name=name,
        video=videos.video(source),
        source_video=source,
        start_seconds=_seconds(row, "start"),
        end_seconds=_seconds(row, "end"),
        box=box(*(float(row["bbox"][side]) for side in _SIDES)),
    )


def _seconds(row: dict[str, Any], which: str) -> float:
    """Return a time in seconds, by whichever name it stands."""
    given = {**row, **row.get("duration", {})}
    found = [given[key] for key in (f"{which}_sec", f"{which}_frame") if key in given]
    if len(found) != 1:
        raise KeyError(f"{which}_sec")
    return float(found[0])


def box(left: float, top: float, right: float, bottom: float) -> clips.Box:
    """Return a box by its largest side: pixels of the file if that is over 1.

    Args:
        left, top, right, bottom: all shares or all pixels.

    Raises:
        shard_files.UnfitError: some are shares and some pixels, or they are no box.
    """
    sides = (left, top, right, bottom)
    if max(sides) <= 1:
        return celebv_hq.relative_box(*sides)
    if any(0 < side < 1 for side in sides):
        raise shard_files.UnfitError(
            "with a wrong box",
            f"{', '.join(map(str, sides))} are neither all shares of the picture nor "
            "all pixels",
        )
    if min(sides) < 0 or left >= right or top >= bottom:
        raise shard_files.UnfitError(
            "with a wrong box", f"{', '.join(map(str, sides))} are no box"
        )
    return clips.Box(left=left, top=top, right=right, bottom=bottom)
