"""TalkingHead-1KH: stretches of pieces of a minute, by lists of tubes.

Follows: tcwang0509/TalkingHead-1KH (`data_list/train_video_tubes.txt`: piece, height,
width, first and last frame, left, top, right, bottom). Videos are the pieces that its
`videos_split.sh` cuts (`ID_0001.mp4`), of videos downloaded with their sound, which its
own script leaves out. Where a piece begins depends on the key frames of the file that
was downloaded, so boxes may miss: a clip without a face in its box is not made.
"""

import pathlib
import re

from datasets.building import shard_files
from datasets.published_sets import annotation_files, clips, video_files

LISTS = {"train_video_tubes.txt": None, "val_video_tubes.txt": "validation"}


def read(
    annotations: pathlib.Path | None, videos: video_files.VideoFiles
) -> clips.Reading:
    """Read both lists of tubes; see `clips.Reader`."""
    folder = annotation_files.require(annotations, " and ".join(LISTS))
    rows = [
        (f"{file.split('_')[0]}:{number}", (line, split))
        for file, split in LISTS.items()
        for number, line in enumerate(
            annotation_files.text(folder / file).splitlines(), 1
        )
        if line.strip()
    ]

    def make(name: str, row: tuple[str, str | None]) -> clips.Clip:
        return _clip(name, *row, videos)

    return clips.read(rows, make)


def _clip(name, line, split, videos):
    piece, *cells = (cell.strip() for cell in line.split(","))
    source = re.fullmatch(r"(.+)_\d+", piece)
    if source is None or len(cells) != 8 or not all(map(str.isdecimal, cells)):
        raise shard_files.UnfitError(
            "of an unknown form", f"{line.strip()!r} is not a piece and eight numbers"
        )
    # The height comes first, and the last frame belongs to the stretch.
    height, width, first, last, left, top, right, bottom = map(int, cells)
    if not (left < right <= width and top < bottom <= height):
        raise shard_files.UnfitError(
            "with a wrong box",
            f"left {left}, top {top}, right {right}, bottom {bottom} are no box of "
            f"{width} x {height} pixels",
        )
    return clips.Clip(
        name=f"{piece}/{first}-{last}/{left}-{top}",
        video=videos.video(piece),
        source_video=source[1],
        stored_frames=(first, last),
        box=clips.Box(
            left=left,
            top=top,
            right=right,
            bottom=bottom,
            of_width=width,
            of_height=height,
        ),
        split=split,
    )
