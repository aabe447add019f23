"""The one face crop: what every network sees, and how it goes back into the picture.

Ours: a square about the projected head centre, in which the head has apparent size 1
(`types.HeadPose.scale`). The synthetic heads are framed by the same rule. It is
upright, but for portraits of tilted heads, with which it turns (`locate.turn_crop`).
"""

import dataclasses
import functools
import math
from collections.abc import Callable

import numpy as np
import PIL.Image
import PIL.ImageFilter

from vasa_jax.portrait import resample

HALF_IMAGE_HEAD_UNITS = 1.5
"""Head units (of 10 cm, at the head centre's depth) that half the crop spans.

Ours: 30 cm in all hold hair, chin and turned heads.
"""

FEATHER = 0.15
"""Width of the seam inside the crop's border, in half crops.

Ours: wide enough to hide a step in colour, narrow enough to stay off the head.
"""

_GRID = 128

BAND_ROWS = 128
"""Rows pasted at a time. Ours: keeps the memory of large pictures small."""


EXTENSION_BLURS = 0.015, 0.06
"""Blurs beyond the picture's border, and the ways over which they set in, in crops.
Ours: the border's pixels drawn out become streaks, which move with the head like hair;
a small blur takes them away at once, a large one alone left them for its way."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class CropBox:
    """A square of the picture, in pixels; pixel i spans [i, i + 1).

    Attributes:
        center_x, center_y: its centre.
        half_size: half its side.
        angle: turn in radians, clockwise as seen, of its own x axis.
    """

    center_x: float
    center_y: float
    half_size: float
    angle: float = 0.0

    @classmethod
    def of_whole(cls, height: int, width: int) -> "CropBox":
        """Return the smallest box around a whole picture: itself, if it is square."""
        return cls(
            center_x=width / 2, center_y=height / 2, half_size=max(height, width) / 2
        )

    @property
    def left(self) -> float:
        """The x of the left side, were it upright."""
        return self.center_x - self.half_size

    @property
    def top(self) -> float:
        """The y of the upper side, were it upright."""
        return self.center_y - self.half_size

    def matrix(self, size: int) -> np.ndarray:
        """Return `[2, 3]` from pixels of the crop, `size` a side, to the picture's."""
        turn = 2 * self.half_size / size * resample.rotation_2d(self.angle)
        centre = np.array([self.center_x, self.center_y])
        corner = centre - turn @ np.full(2, size / 2)
        return np.concatenate([turn, corner[:, None]], axis=1)


def share_outside(box: CropBox, height: int, width: int) -> float:
    """Return the share of a crop that lies beyond a picture, 0 to 1."""
    return float((_way_outside(box, height, width, _GRID) > 0).mean())


def _way_outside(box, height, width, size):
    """Return how far each of `[size, size]` pixels is outside, in crops; 0 inside."""
    (a, c, x), (b, d, y) = box.matrix(size)
    along = np.arange(size) + 0.5
    across = a * along + c * along[:, None] + x
    down = b * along + d * along[:, None] + y
    beyond = np.maximum.reduce([-across, across - width, -down, down - height])
    return np.maximum(beyond, 0) / (2 * box.half_size)


def extract(
    image: np.ndarray,
    box: CropBox,
    size: int,
    sample_window: Callable[..., np.ndarray] = resample.sample_window,
) -> np.ndarray:
    """Cut the crop out of a picture; beyond the picture its edge goes on, blurred.

    Args:
        image: uint8 `[H, W, 3]`.
        box: what to cut.
        size: side of the result in pixels.
        sample_window: does what `resample.sample_window` does.

    Returns:
        uint8 `[size, size, 3]`, antialiased.
    """
    side = 2 * box.half_size
    if box.angle:
        cut = resample.sample_affine(image, box.matrix(size), size, size)
    else:
        cut = sample_window(image, box.left, box.top, side, side, size, size)
    cut = _to_uint8(cut)
    rows, shares = _blurred_shares(box, *image.shape[:2], size)
    for blur, share in zip(EXTENSION_BLURS, shares, strict=False):
        filter_ = PIL.ImageFilter.GaussianBlur(blur * size)
        blurred = np.asarray(PIL.Image.fromarray(cut[rows]).filter(filter_), np.float32)
        cut[rows] = _to_uint8(cut[rows] + share * (blurred - cut[rows]))
    return cut


@functools.lru_cache(maxsize=2)
def _blurred_shares(box, height, width, size):
    """Tell how much of a crop is shown blurred: the more, the further out it is.

    Ours: the last are kept, since the frames of a clip share one crop.

    Returns:
        The rows that are blurred, those that the filters see around them included, and
        for each blur `[rows, size, 3]` in [0, 1]; none where all is inside.
    """
    way = _way_outside(box, height, width, size)
    outside = np.flatnonzero(way.any(axis=1))
    if not len(outside):
        return slice(0, 0), []
    seen = math.ceil(4 * sum(EXTENSION_BLURS) * size)
    rows = slice(max(0, outside[0] - seen), outside[-1] + 1 + seen)
    shares = [np.clip(way[rows] / blur, 0, 1) for blur in EXTENSION_BLURS]
    return rows, [np.repeat(share[..., None], 3, axis=-1) for share in shares]


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
    reach = box.half_size * (abs(math.cos(box.angle)) + abs(math.sin(box.angle)))
    x, x_end = _whole_pixels(box.center_x - reach, 2 * reach, width)
    y, y_end = _whole_pixels(box.center_y - reach, 2 * reach, height)
    result = image.copy()
    if x_end <= x or y_end <= y:
        return result
    for first in range(y, y_end, BAND_ROWS):
        last = min(first + BAND_ROWS, y_end)
        window = x, first, x_end - x, last - first
        weight = _weight(box, feather, *window)
        if mask is not None:
            shown = _sample_back(mask[..., None], box, *window)
            weight = weight * np.clip(shown, 0, 1)
        over = _sample_back(face_image, box, *window)
        under = image[first:last, x:x_end].astype(np.float32)
        result[first:last, x:x_end] = _to_uint8(under + weight * (over - under))
    return result


def _weight(box, feather, x, y, width, height):
    """Return `[height, width, 1]`, how much of a crop a pixel of the picture shows."""
    across = (x + np.arange(width) + 0.5 - box.center_x) / box.half_size
    down = (y + np.arange(height) + 0.5 - box.center_y)[:, None] / box.half_size
    if box.angle:
        cos, sin = math.cos(box.angle), math.sin(box.angle)
        across, down = cos * across + sin * down, cos * down - sin * across
    return (_ramp(down, feather) * _ramp(across, feather))[..., None]


def _sample_back(face_image, box, x, y, width, height):
    """Return float32 `[height, width, C]` of a crop at pixels of the picture."""
    size = face_image.shape[0]
    pixel = size / (2 * box.half_size)
    if box.angle:
        turn = pixel * resample.rotation_2d(-box.angle)
        from_centre = np.array([x - box.center_x, y - box.center_y])
        corner = turn @ from_centre + size / 2
        matrix = np.concatenate([turn, corner[:, None]], axis=1)
        return resample.sample_affine(face_image, matrix, height, width)
    left, top = (x - box.left) * pixel, (y - box.top) * pixel
    return resample.sample_window(
        face_image, left, top, width * pixel, height * pixel, height, width
    )


def _whole_pixels(start, length, limit):
    """Return the pixels whose centres lie in a span, as a range within the picture."""
    first = max(0, int(np.ceil(start - 0.5)))
    return first, min(limit, int(np.floor(start + length - 0.5)) + 1)


def _ramp(position, feather):
    """Rise smoothly from 0 at the border (1 in size) to 1 at `feather` inside it."""
    inside = np.clip((1 - np.abs(position)) / feather, 0, 1)
    return (inside * inside * (3 - 2 * inside)).astype(np.float32)


def _to_uint8(values):
    """Round float values, which are overwritten, to levels."""
    np.rint(values, out=values)
    return np.clip(values, 0, 255, out=values).astype(np.uint8)
