"""Cut windows out of pictures of any size, antialiased, in plain numpy.

Ours: `geometry.sample_image` samples feature maps of fixed shape under jit. Here every
picture has its own shape, so compiling would cost more than the work itself. Pillow's
`resize` is the same triangle filter, but knows no window that reaches beyond the
picture, and rounds one value in ten thousand to the next level, which would change
the frames of a seed.
"""

import math

import einops
import numpy as np

BAND_PIXELS = 8000
"""Sampled at a time. Ours: what is in between then stays in a core's cache, and is not
asked of the system anew for every picture."""

LARGEST_TAP_RATIO = 4.0
"""Shrinking beyond this is begun by averaging whole blocks of pixels.

Ours: with four pixels to one the triangle filter still does most of the smoothing.
"""


def sample_window(
    image: np.ndarray,
    left: float,
    top: float,
    width: float,
    height: float,
    num_rows: int,
    num_columns: int,
) -> np.ndarray:
    """Resample an upright window of a picture; its edge goes on outside of it.

    Ours: a triangle filter as wide as the coarser of both pixel grids, so that
    shrinking does not alias and enlarging is bilinear.

    Args:
        image: `[H, W, C]`, any numeric dtype.
        left: x of the window's left side in pixels; pixel i spans [i, i + 1).
        top: y of its upper side.
        width: its width in pixels of `image`, above 0.
        height: its height.
        num_rows: rows to return.
        num_columns: columns to return.

    Returns:
        float32 `[num_rows, num_columns, C]` in the units of `image`.
    """
    ratio = min(width / num_columns, height / num_rows)
    if ratio >= 2 * LARGEST_TAP_RATIO:
        factor = int(ratio / LARGEST_TAP_RATIO)
        region, x, y = region_of(image, left, top, width, height, factor)
        image = _shrink(region, factor)
        left, top = (left - x) / factor, (top - y) / factor
        width, height = width / factor, height / factor
    taps, weights = filter_taps(left, width, num_columns, image.shape[1])
    first, last = int(taps.min()), int(taps.max()) + 1
    weights = np.repeat(weights, image.shape[2], axis=1)
    down, shares = filter_taps(top, height, num_rows, len(image))
    shares, upper = shares[..., None], int(down.min())
    seen = np.ascontiguousarray(image[upper : int(down.max()) + 1, first:last])
    seen = einops.rearrange(seen, "h w c -> h (w c)")
    sampled = np.empty((num_rows, num_columns, image.shape[2]), np.float32)
    for band in _bands(num_rows, max(num_columns, last - first)):
        rows = _weigh(seen, down[:, band] - upper, shares[:, band])
        columns = einops.rearrange(rows, "h (w c) -> h w c", c=image.shape[2])
        sampled[band] = _weigh_columns(columns, taps - first, weights)
    return sampled


def rotation_2d(angle: float) -> np.ndarray:
    """Return the `[2, 2]` turn by an angle in radians, clockwise as one sees it."""
    cos, sin = math.cos(angle), math.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])


def sample_affine(
    image: np.ndarray, matrix: np.ndarray, num_rows: int, num_columns: int
) -> np.ndarray:
    """Resample a turned rectangle of a picture; its edge goes on outside of it.

    Ours: blocks of pixels are averaged down to about the wanted resolution, then
    sampled bilinearly; the networks that read the result need no better filter.

    Args:
        image: `[H, W, C]`, any numeric dtype.
        matrix: `[2, 3]`; takes output points (x, y, 1), in pixels from the corner, to
            points of `image`.
        num_rows: rows to return.
        num_columns: columns to return.

    Returns:
        float32 `[num_rows, num_columns, C]` in the units of `image`.
    """
    matrix = np.asarray(matrix, np.float64)
    region, x, y, factor = region_of_matrix(image, matrix, num_rows, num_columns)
    image = _shrink(region, factor)
    along_x = matrix[:, 0, None] * (np.arange(num_columns) + 0.5)
    along_y = (
        matrix[:, 1, None] * (np.arange(num_rows) + 0.5)
        + matrix[:, 2, None]
        - np.array([[x], [y]])
    )
    image = np.ascontiguousarray(image, np.float32)
    sampled = np.empty((num_rows, num_columns, image.shape[2]), np.float32)
    for band in _bands(num_rows, num_columns):
        points = along_x[:, None] + along_y[:, band, None]
        points /= factor
        points -= 0.5
        sampled[band] = _bilinear(image, row=points[1], column=points[0])
    return sampled


def region_of_matrix(
    image: np.ndarray, matrix: np.ndarray, num_rows: int, num_columns: int
) -> tuple[np.ndarray, int, int, int]:
    """Return what `sample_affine` needs of a picture, and how far it is shrunk.

    Args:
        image, matrix, num_rows, num_columns: as of `sample_affine`.

    Returns:
        The region, x and y of its first pixel, and the side of the blocks to average.
    """
    ratio = math.sqrt(abs(np.linalg.det(matrix[:, :2])))
    right, lower = num_columns, num_rows
    corners = matrix @ np.array([[0, right, 0, right], [0, 0, lower, lower], [1] * 4])
    low, high = corners.min(axis=1), corners.max(axis=1)
    factor = max(1, round(ratio))
    return *region_of(image, *low, *(high - low), factor), factor


def region_of(
    image: np.ndarray, left: float, top: float, width: float, height: float, factor: int
) -> tuple[np.ndarray, int, int]:
    """Return a window of a picture with a margin, of one pixel at least.

    Args:
        image: `[H, W, C]`.
        left, top, width, height: of the window, pixels.
        factor: by which it is to be shrunk.

    Returns:
        The region, and x and y of its first pixel.
    """
    margin = 2 * factor
    num_rows, num_columns = image.shape[:2]
    x = int(np.clip(math.floor(left) - margin, 0, num_columns - 1))
    y = int(np.clip(math.floor(top) - margin, 0, num_rows - 1))
    x_end = int(np.clip(math.ceil(left + width) + margin, x + 1, num_columns))
    y_end = int(np.clip(math.ceil(top + height) + margin, y + 1, num_rows))
    return image[y:y_end, x:x_end], x, y


def _bands(num_rows, num_columns):
    """Yield the rows of a picture, some at a time."""
    step = max(1, BAND_PIXELS // num_columns)
    for first in range(0, num_rows, step):
        yield slice(first, first + step)


def filter_taps(
    start: float, length: float, num_out: int, num_in: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return what a triangle filter sees along one axis.

    Args:
        start: of the window, in pixels.
        length: of it.
        num_out: pixels to make of it.
        num_in: pixels of the picture.

    Returns:
        Pixels int64 `[taps, num_out]`, the edge's for those beyond it, and their
        weights float32.
    """
    ratio = length / num_out
    support = max(1.0, ratio)
    centres = start + (np.arange(num_out) + 0.5) * ratio - 0.5
    first = np.floor(centres - support) + 1
    taps = first + np.arange(math.ceil(2 * support))[:, None]
    weights = np.maximum(1 - np.abs(taps - centres) / support, 0)
    weights = (weights / weights.sum(axis=0)).astype(np.float32)
    return np.clip(taps, 0, num_in - 1).astype(np.int64), weights


def _weigh(values, taps, weights):
    """Sum rows of values at each tap, weighted.

    Ours: tap by tap, because a matrix product would start threads for little work.
    """
    total = None
    for indices, shares in zip(taps, weights, strict=True):
        part = values.take(indices, axis=0).astype(np.float32, copy=False)
        part *= shares
        total = part if total is None else np.add(total, part, out=total)
    return total


def _weigh_columns(values, taps, weights):
    """Sum columns of values `[H, W, C]` at each tap, weighted.

    Ours: weights `[taps, columns * C]` stand once a value, because NumPy multiplies
    long rows ten times as fast as threes.
    """
    total = None
    for indices, shares in zip(taps, weights, strict=True):
        part = values.take(indices, axis=1).reshape(len(values), -1)
        part *= shares
        total = part if total is None else np.add(total, part, out=total)
    return einops.rearrange(total, "h (w c) -> h w c", c=values.shape[2])


def _shrink(region, factor):
    """Average blocks of pixels; the last ones go on beyond the region."""
    if factor == 1:
        return region
    pad = [(0, -region.shape[0] % factor), (0, -region.shape[1] % factor), (0, 0)]
    region = np.pad(region, pad, mode="edge")
    rows = sum(region[i::factor].astype(np.float32) for i in range(factor))
    blocks = sum(rows[:, i::factor] for i in range(factor))
    return blocks / factor**2


def _bilinear(image, row, column):
    """Sample float32 `[H, W, C]` at index coordinates, clamped, which are overwritten.

    Ours: in place where it can be and without einops, since it runs several times a
    frame; `take` costs a quarter of the same by brackets, and shares that stand once a
    value are multiplied ten times as fast.
    """
    num_rows, num_columns, num_channels = image.shape
    at, shares = 0, []
    for place, length in ((row, num_rows), (column, num_columns)):
        place = np.clip(place, 0, length - 1, out=place)
        first = np.minimum(place.astype(np.int64), max(length - 2, 0))
        at = at * length + first
        place -= first
        share = place.astype(np.float32)[..., None]
        shares.append(np.repeat(share, num_channels, axis=-1))
    v, u = shares
    below, right = min(num_rows - 1, 1) * num_columns, min(num_columns - 1, 1)
    flat = image.reshape(-1, num_channels)

    def between(start):
        first, second = flat.take(start, axis=0), flat.take(start + right, axis=0)
        second -= first
        second *= u
        second += first
        return second

    upper, lower = between(at), between(at + below)
    lower -= upper
    lower *= v
    lower += upper
    return lower
