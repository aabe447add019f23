"""LRS2 and LRS3: clips of the BBC and of talks, cropped about the face.

Follows: the sets' folders (LRS3 `pretrain/VIDEO/00001.mp4`, `trainval/...`, `test/...`;
LRS2 `pretrain/VIDEO/00001.mp4`, `main/...`, with `test.txt` and `val.txt`, which list
`VIDEO/00001`). Their texts are not read: boxes are of the videos before they were
cropped, and records hold no words. Nobody knows who is who, so a source video is the
unit of splitting.
"""

import functools
import pathlib
from collections.abc import Mapping

from datasets.building import shard_files
from datasets.published_sets import annotation_files, clips, video_files
from vasa_jax import errors

_PARTS_2 = ("pretrain", "main")
_PARTS_3 = ("pretrain", "trainval", "test")


def read_2(
    annotations: pathlib.Path | None, videos: video_files.VideoFiles
) -> clips.Reading:
    """Read the paths of LRS2, and its lists of parts; see `clips.Reader`."""
    folder = annotation_files.require(annotations, "LRS2's test.txt and val.txt")
    held_out = {
        name: split
        for split, file in (("validation", "val.txt"), ("test", "test.txt"))
        for name in _listed(folder / file)
    }
    return _read(_PARTS_2, videos, held_out)


def read_3(
    annotations: pathlib.Path | None, videos: video_files.VideoFiles
) -> clips.Reading:
    """Read the paths of LRS3; see `clips.Reader`. Its folders are its parts."""
    annotation_files.refuse(annotations)
    return _read(_PARTS_3, videos, {})


def _listed(path: pathlib.Path) -> list[str]:
    """Return `VIDEO/00001` of each line; marks may follow it."""
    lines = annotation_files.text(path).splitlines()
    return [line.split()[0] for line in lines if line.strip()]


def _read(parts, videos, held_out):
    rows = [(path, path.split("/")) for path in videos.videos]
    if not any(len(names) >= 3 and names[-3] in parts for _, names in rows):
        raise errors.UserError(
            f"No path below --input_dir is such as {parts[0]}/VIDEO/00001.mp4; give "
            f"the folder that holds {' and '.join(parts)}."
        )
    return clips.read(rows, functools.partial(_clip, parts=parts, held_out=held_out))


def _clip(
    name: str, names: list[str], parts: tuple[str, ...], held_out: Mapping[str, str]
) -> clips.Clip:
    if len(names) < 3 or names[-3] not in parts:
        raise shard_files.UnfitError(
            "of an unknown form", f"its path is not such as {parts[0]}/VIDEO/00001.mp4"
        )
    part, source, file = names[-3:]
    listed = f"{source}/{pathlib.PurePosixPath(file).stem}"
    split = "test" if part == "test" else None
    if part == "main":
        split = held_out.get(listed)
    return clips.Clip(
        name=name,
        video=name,
        source_video=source,
        box=clips.MIDDLE_OF_CLIP,
        split=split,
    )
