"""Tiles of painted things in a band below a portrait's texture."""

from collections.abc import Sequence

import numpy as np


def attach(
    texture: np.ndarray, tiles: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Put tiles side by side, row after row, below a texture.

    Ours: a pixel is left free around each, so that none shows in another.

    Args:
        texture: float32 `[H, W, 4]`.
        tiles: float32 `[h, w, 4]` each, narrower than the texture.

    Returns:
        float32 `[H + B, W, 4]`, and int64 `[K, 4]` left, top, width and height of each
        tile there.
    """
    rows, columns = texture.shape[:2]
    left, top, lowest, boxes = 1, rows + 1, rows + 1, []
    for tile in tiles:
        height, width = tile.shape[:2]
        if left + width + 1 > columns:
            left, top = 1, lowest + 1
        boxes.append((left, top, width, height))
        left, lowest = left + width + 1, max(lowest, top + height)
    result = np.zeros((lowest + 1, columns, 4), np.float32)
    result[:rows] = texture
    for tile, (left, top, width, height) in zip(tiles, boxes, strict=True):
        result[top : top + height, left : left + width] = tile
    return result, np.array(boxes)
