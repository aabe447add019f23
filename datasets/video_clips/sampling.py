"""Sample frames as `resample` does, to the bit, by compiled loops.

Ours: a clip is sampled some hundred times, mostly at one size, and plain numpy goes
through memory a dozen times for each. The package itself animates without a compiler.
"""

import numba
import numpy as np

from vasa_jax.portrait import resample


def sample_affine(
    image: np.ndarray, matrix: np.ndarray, num_rows: int, num_columns: int
) -> np.ndarray:
    """Resample a turned rectangle of a frame; see `resample.sample_affine`.

    Args:
        image: uint8 `[H, W, 3]`.
        matrix, num_rows, num_columns: as there.

    Returns:
        float32 `[num_rows, num_columns, 3]`, equal to what it returns.
    """
    matrix = np.ascontiguousarray(matrix, np.float64)
    region, x, y, factor = resample.region_of_matrix(
        image, matrix, num_rows, num_columns
    )
    sampled = np.empty((num_rows, num_columns, 3), np.float32)
    _sample_affine(_shrink(region, factor), matrix, (x, y), factor, sampled)
    return sampled


def sample_window(
    image: np.ndarray,
    left: float,
    top: float,
    width: float,
    height: float,
    num_rows: int,
    num_columns: int,
) -> np.ndarray:
    """Resample an upright window of a frame; see `resample.sample_window`.

    Args:
        image: uint8 `[H, W, 3]`.
        left, top, width, height, num_rows, num_columns: as there.

    Returns:
        float32 `[num_rows, num_columns, 3]`, equal to what it returns.
    """
    window = left, top, width, height
    if min(width / num_columns, height / num_rows) >= 2 * resample.LARGEST_TAP_RATIO:
        return resample.sample_window(image, *window, num_rows, num_columns)
    across = resample.filter_taps(left, width, num_columns, image.shape[1])
    down = resample.filter_taps(top, height, num_rows, image.shape[0])
    sampled = np.empty((num_rows, num_columns, 3), np.float32)
    _sample_window(np.ascontiguousarray(image), *across, *down, sampled)
    return sampled


@numba.njit(cache=True)
def _shrink(region, factor):
    """Average blocks of pixels; the last ones go on beyond the region."""
    num_rows, num_columns = region.shape[:2]
    shape = -(-num_rows // factor), -(-num_columns // factor), 3
    blocks = np.zeros(shape, np.float32)
    for row in range(shape[0] * factor):
        source = region[min(row, num_rows - 1)]
        target = blocks[row // factor]
        for block in range(shape[1]):
            for column in range(block * factor, (block + 1) * factor):
                for channel in range(3):
                    value = source[min(column, num_columns - 1), channel]
                    target[block, channel] += np.float32(value)
    for row in range(shape[0]):
        for block in range(shape[1]):
            for channel in range(3):
                blocks[row, block, channel] /= np.float32(factor * factor)
    return blocks


@numba.njit(cache=True)
def _sample_affine(image, matrix, origin, factor, sampled):
    num_rows, num_columns = image.shape[:2]
    x, y = origin
    for row in range(sampled.shape[0]):
        start_x = matrix[0, 1] * (row + 0.5) + matrix[0, 2] - x
        start_y = matrix[1, 1] * (row + 0.5) + matrix[1, 2] - y
        for column in range(sampled.shape[1]):
            at_x = (matrix[0, 0] * (column + 0.5) + start_x) / factor - 0.5
            at_y = (matrix[1, 0] * (column + 0.5) + start_y) / factor - 0.5
            at_x = min(max(at_x, 0.0), num_columns - 1.0)
            at_y = min(max(at_y, 0.0), num_rows - 1.0)
            left = min(int(at_x), max(num_columns - 2, 0))
            upper = min(int(at_y), max(num_rows - 2, 0))
            right, lower = min(left + 1, num_columns - 1), min(upper + 1, num_rows - 1)
            u, v = np.float32(at_x - left), np.float32(at_y - upper)
            for channel in range(3):
                first = image[upper, left, channel]
                above = (image[upper, right, channel] - first) * u + first
                first = image[lower, left, channel]
                below = (image[lower, right, channel] - first) * u + first
                sampled[row, column, channel] = (below - above) * v + above


@numba.njit(cache=True)
def _sample_window(image, across, weights, down, shares, sampled):
    first, last = across.min(), across.max() + 1
    line = np.empty(3 * (last - first), np.float32)
    for row in range(sampled.shape[0]):
        line[:] = 0
        for tap in range(down.shape[0]):
            source = image[down[tap, row], first:last].ravel()
            share = shares[tap, row]
            for place in range(len(line)):
                line[place] += np.float32(source[place]) * share
        for column in range(sampled.shape[1]):
            for channel in range(3):
                total = np.float32(0)
                for tap in range(across.shape[0]):
                    place = 3 * (across[tap, column] - first) + channel
                    total += line[place] * weights[tap, column]
                sampled[row, column, channel] = total
