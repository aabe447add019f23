"""Pack the geometry of a clip into few bytes, and read it again."""

import dataclasses
import zlib
from collections.abc import Sequence

import einops
import numpy as np
import safetensors.numpy

from datasets.photo_heads.fit import photo_head

MAGIC = b"photo_heads 1\n"
"""What packed geometry begins with."""

STEP = 2.0**-13
"""Head units that packed points are rounded to. Ours: a hundredth of a pixel of 256."""

TURNING_STEP = 1 / 65535

_COMPRESSION = 9
_SHAPE_NUMBERS = ("landmarks", "face", "sheet")


@dataclasses.dataclass(frozen=True)
class ClipGeometry:
    """What the geometry of a clip is rebuilt from; T frames.

    Attributes:
        shape: the head.
        view: the clip's one view.
        is_photograph: whether frames show the untouched photograph, whose pixels are
            all its own.
        frames: float32 `[T, 63]`: the fields of each `photo_head.State` in order.
    """

    shape: photo_head.HeadShape
    view: photo_head.View
    is_photograph: bool
    frames: np.ndarray

    def state(self, frame: int) -> photo_head.State:
        """Return the state of one frame."""
        numbers = self.frames[frame]
        return photo_head.State(
            arkit=numbers[:52],
            close_eyes=numbers[52:54],
            close_lips=float(numbers[54]),
            gaze=numbers[55:57],
            turn=numbers[57:60].astype(np.float64),
            shift=numbers[60:63].astype(np.float64),
        )


def pack(
    shape: photo_head.HeadShape,
    states: Sequence[photo_head.State],
    view: photo_head.View,
    is_photograph: bool = False,
) -> bytes:
    """Pack all that correspondences of a clip need.

    Args:
        shape: the head.
        states: one for each frame.
        view: the clip's one view.
        is_photograph: see `ClipGeometry`.

    Returns:
        `MAGIC` and compressed safetensors, for a record's `geometry`. Ours: a training
        example reads two of them, and an npz file takes ten times as long.
    """
    frames = [
        np.concatenate([s.arkit, s.close_eyes, [s.close_lips], s.gaze, s.turn, s.shift])
        for s in states
    ]
    triangles = shape.sheet_triangles.astype(np.int16)
    arrays = {
        **{name: _rounded(getattr(shape, name)) for name in _SHAPE_NUMBERS},
        "turning": np.rint(shape.turning / TURNING_STEP).astype(np.uint16),
        "first_corners": np.diff(triangles[:, 0], prepend=np.int16(0)),
        "other_corners": np.ascontiguousarray((triangles[:, 1:] - triangles[:, :1]).T),
        "opacity": shape.opacity,
        "background": np.packbits(shape.background, axis=1),
        "numbers": np.concatenate(
            [
                shape.picture,
                shape.rotation,
                [view.distance, view.x, view.y],
                shape.irises.ravel(),
                shape.gaze,
                shape.mouth,
                [is_photograph],
            ]
        ).astype(np.float32),
        "frames": np.stack(frames).astype(np.float32),
    }
    return MAGIC + zlib.compress(safetensors.numpy.save(arrays), _COMPRESSION)


def is_packed(packed: bytes) -> bool:
    """Tell whether a record's geometry is of this kind."""
    return packed.startswith(MAGIC)


def unpack(packed: bytes) -> ClipGeometry:
    """Read what `pack` wrote."""
    arrays = safetensors.numpy.load(zlib.decompress(packed[len(MAGIC) :]))
    points = {name: _restored(arrays[name]) for name in _SHAPE_NUMBERS}
    first = np.cumsum(arrays["first_corners"], dtype=np.int32)[:, None]
    triangles = np.concatenate([first, first + arrays["other_corners"].T], axis=1)
    numbers = arrays["numbers"]
    shape = photo_head.HeadShape(
        **points,
        turning=(arrays["turning"] * TURNING_STEP).astype(np.float32),
        sheet_triangles=triangles,
        opacity=arrays["opacity"],
        background=np.unpackbits(
            arrays["background"], axis=1, count=len(arrays["opacity"])
        ),
        picture=numbers[:4],
        rotation=numbers[4:7],
        irises=einops.rearrange(numbers[10:16], "(e c) -> e c", e=2),
        gaze=numbers[16:18],
        mouth=numbers[18:21],
    )
    view = photo_head.View(*(float(number) for number in numbers[7:10]))
    return ClipGeometry(shape, view, bool(numbers[21]), arrays["frames"])


def _rounded(points):
    """Round points `[P, 3]`, and keep the steps from each to the next."""
    steps = np.rint(points.T / STEP).astype(np.int16, order="C")
    return np.diff(steps, axis=1, prepend=np.int16(0))


def _restored(steps):
    points = np.cumsum(steps, axis=1, dtype=np.int16).T
    return np.ascontiguousarray(points * np.float32(STEP))
