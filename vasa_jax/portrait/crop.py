"""The one face crop: what every network sees, and how it goes back into the picture.

Ours: an upright square about the projected head centre, in which the head has apparent
size 1 (`types.HeadPose.scale`). The synthetic heads are framed by the same rule.
"""

import dataclasses

import numpy as np

from vasa_jax.portrait import resample

HALF_IMAGE_HEAD_UNITS = 1.5
"""Head units (of 10 cm, at the head centre's depth) that half the crop spans.

Ours: 30 cm in all hold hair, chin and turned heads.
"""

FEATHER = 0.15
"""Width of the seam inside the crop's border, in half crops.

Ours: wide enough to hide a step in colour, narrow enough to stay off the head.
"""

BAND_ROWS = 128
"""Rows pasted at a time. Ours: keeps the memory of large pictures small."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class CropBox:
    """A square of the picture, in pixels; pixel i spans [i, i + 1).

    Attributes:
        center_x, center_y: its centre.
        half_size: half its side.
    """

    center_x: float
    center_y: float
    half_size: float

    @classmethod
    def of_whole(cls, height: int, width: int) -> "CropBox":
        """Return the smallest box around a whole picture: itself, if it is square."""
        return cls(
            center_x=width / 2, center_y=height / 2, half_size=max(height, width) / 2
        )

    @property
    def left(self) -> float:
        """The x of the left side."""
        return self.center_x - self.half_size

    @property
    def top(self) -> float:
        """The y of the upper side."""
        return self.center_y - self.half_size


def extract(image: np.ndarray, box: CropBox, size: int) -> np.ndarray:
    """Cut the crop out of a picture; beyond the picture its edge goes on.

    Args:
        image: uint8 `[H, W, 3]`.
        box: what to cut.
        size: side of the result in pixels.

    Returns:
        uint8 `[size, size, 3]`, antialiased.
    """
    side = 2 * box.half_size
    cut = resample.sample_window(image, box.left, box.top, side, side, size, size)
    return _to_uint8(cut)


def paste(
    image: np.ndarray,
    box: CropBox,
    face_image: np.ndarray,
    mask: np.ndarray | None = None,
    feather: float = FEATHER,
) -> np.ndarray:
    """Lay a crop back over the picture that it was cut from, without a seam.

    Args:
        image: uint8 `[H, W, 3]`.
        box: where the crop was cut.
        face_image: uint8 `[size, size, 3]` what to lay there.
        mask: `[size, size]` in [0, 1], how much of `face_image` to show; all of it if
            None.
        feather: width of the seam inside the border, in half crops, in (0, 1].

    Returns:
        A new uint8 `[H, W, 3]`, unchanged outside of the box.
    """
    height, width = image.shape[:2]
    side = 2 * box.half_size
    x, x_end = _whole_pixels(box.left, side, width)
    y, y_end = _whole_pixels(box.top, side, height)
    result = image.copy()
    if x_end <= x or y_end <= y:
        return result
    pixel = face_image.shape[0] / side
    across = _ramp((np.arange(x, x_end) + 0.5 - box.center_x) / box.half_size, feather)
    for first in range(y, y_end, BAND_ROWS):
        last = min(first + BAND_ROWS, y_end)
        rows = (np.arange(first, last) + 0.5 - box.center_y) / box.half_size
        weight = (_ramp(rows, feather)[:, None] * across)[..., None]
        window = (
            (x - box.left) * pixel,
            (first - box.top) * pixel,
            (x_end - x) * pixel,
            (last - first) * pixel,
            last - first,
            x_end - x,
        )
        if mask is not None:
            shown = resample.sample_window(mask[..., None], *window)
            weight = weight * np.clip(shown, 0, 1)
        over = resample.sample_window(face_image, *window)
        under = image[first:last, x:x_end].astype(np.float32)
        result[first:last, x:x_end] = _to_uint8(under + weight * (over - under))
    return result


def _whole_pixels(start, length, limit):
    """Return the pixels whose centres lie in a span, as a range within the picture."""
    first = max(0, int(np.ceil(start - 0.5)))
    return first, min(limit, int(np.floor(start + length - 0.5)) + 1)


def _ramp(position, feather):
    """Rise smoothly from 0 at the border (1 in size) to 1 at `feather` inside it."""
    inside = np.clip((1 - np.abs(position)) / feather, 0, 1)
    return (inside * inside * (3 - 2 * inside)).astype(np.float32)


def _to_uint8(values):
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
