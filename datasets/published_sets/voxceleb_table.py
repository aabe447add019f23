"""VoxCeleb1 by the table of crops that FOMM and TPSMM train on, `vox-metadata.csv`.

Follows: AliaksandrSiarohin/video-preprocessing. Most of the table's crops are no
squares, and its script stretches them to one; here they say where to look, so that
faces keep their shape, unlike those that other models were trained on. Videos are whole
ones, named by their id.
"""

import pathlib
import re

from datasets.building import shard_files
from datasets.published_sets import annotation_files, clips, video_files

FILE = "vox-metadata.csv"

_COLUMNS = {
    name: name
    for name in ("video_id start end bbox fps width height partition person_id".split())
}
_NUMBER = r"(-?\d+(?:\.\d+)?)"


def read(
    annotations: pathlib.Path | None, videos: video_files.VideoFiles
) -> clips.Reading:
    """Read the table; see `clips.Reader`."""
    path = annotation_files.require(annotations, FILE) / FILE

    def make(name: str, row: dict[str, str]) -> clips.Clip:
        return _clip(name, row, videos)

    rows = annotation_files.table(path, _COLUMNS)
    return clips.read([(_name(row), row) for row in rows], make)


def _name(row):
    return "{person_id}/{video_id}/{start}-{end}".format(**row)


def _clip(name, row, videos):
    sides = re.fullmatch("-".join([_NUMBER] * 4), row["bbox"])
    try:
        start, end, rate, width, height = (
            float(row[key]) for key in ("start", "end", "fps", "width", "height")
        )
        left, top, right, bottom = map(float, sides.groups())
    except (AttributeError, ValueError) as error:
        raise shard_files.UnfitError(
            "of an unknown form", "its row has cells that are no numbers"
        ) from error
    if min(rate, width, height) <= 0 or left >= right or top >= bottom:
        raise shard_files.UnfitError(
            "of an unknown form", "its row has a rate, a size or a box that is none"
        )
    return clips.Clip(
        name=name,
        video=videos.video(row["video_id"]),
        source_video=row["video_id"],
        start_seconds=start / rate,
        end_seconds=end / rate,  # The frame named as the end is the first beyond.
        box=clips.Box(
            left=left,
            top=top,
            right=right,
            bottom=bottom,
            of_width=width,
            of_height=height,
        ),
        person=row["person_id"],
        split="test" if row["partition"] == "test" else None,
    )
