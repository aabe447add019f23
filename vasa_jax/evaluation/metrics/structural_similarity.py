"""Structural similarity of two images."""

import numpy as np

NUM_TAPS, SIGMA = 11, 1.5
"""Of the Gaussian window, pixels. Follows: Wang et al. 2004."""

STABILITY = (0.01 * 255) ** 2, (0.03 * 255) ** 2
"""C1 and C2. Follows: Wang et al. 2004."""

LUMA = np.array([0.299, 0.587, 0.114])
"""From RGB. Follows: BT.601, as Wang et al.'s code for colour pictures."""


def ssim(image: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the mean structural similarity of luma.

    Follows: Wang et al. 2004, at full resolution, over places where the window fits.

    Args:
        image, truth: uint8 `[..., H, W, 3]`, of 11 pixels a side or more.

    Returns:
        float64 `[...]`, 1 where both are the same.
    """
    result = np.empty(image.shape[:-3])
    for place in np.ndindex(*result.shape):
        result[place] = _one(image[place] @ LUMA, truth[place] @ LUMA)
    return result


def _one(x: np.ndarray, y: np.ndarray) -> float:
    mean_x, mean_y = _blur(x), _blur(y)
    var_x = _blur(x * x) - mean_x**2
    var_y = _blur(y * y) - mean_y**2
    both = _blur(x * y) - mean_x * mean_y
    c1, c2 = STABILITY
    light = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return float((light * (2 * both + c2) / (var_x + var_y + c2)).mean())


def _blur(values: np.ndarray) -> np.ndarray:
    """Weight by the window, `[H, W]` to `[H - 10, W - 10]`."""
    taps = np.exp(-0.5 * ((np.arange(NUM_TAPS) - NUM_TAPS // 2) / SIGMA) ** 2)
    taps /= taps.sum()
    for axis in (0, 1):
        size = values.shape[axis] - NUM_TAPS + 1
        rows = (slice(k, k + size) for k in range(NUM_TAPS))
        parts = (values[(slice(None),) * axis + (row,)] for row in rows)
        values = sum(tap * part for tap, part in zip(taps, parts, strict=True))
    return values
