"""Samples of pictures between their pixels."""

import numpy as np


def bilinear(values: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Sample a picture bilinearly; its edge goes on outside.

    Args:
        values: `[H, W]` or `[H, W, C]`.
        points: `[..., 2]` x, y in pixels, centres at integers.

    Returns:
        float64 `[...]` or `[..., C]`.
    """
    rows, columns = values.shape[:2]
    x = np.clip(points[..., 0], 0, columns - 1)
    y = np.clip(points[..., 1], 0, rows - 1)
    left = np.minimum(x.astype(int), max(columns - 2, 0))
    top = np.minimum(y.astype(int), max(rows - 2, 0))
    right, low = np.minimum(left + 1, columns - 1), np.minimum(top + 1, rows - 1)
    across, down = x - left, y - top
    if values.ndim == 3:
        across, down = across[..., None], down[..., None]
    upper = values[top, left] * (1 - across) + values[top, right] * across
    lower = values[low, left] * (1 - across) + values[low, right] * across
    return upper * (1 - down) + lower * down
