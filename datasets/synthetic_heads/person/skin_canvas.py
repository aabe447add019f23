"""The texture around the head that skin is painted into: its size and places."""

import dataclasses

import numpy as np

HEIGHT, WIDTH = 512, 768
"""Texels. Ours: twice what a 256-pixel frame resolves of a face."""

BOTTOM, TOP = 5.2, 8.7
"""Mesh heights that the texture spans."""


@dataclasses.dataclass(frozen=True)
class Canvas:
    """Texel coordinates, float32 `[H, W]`: azimuth, its size, and height."""

    azimuth: np.ndarray
    side: np.ndarray
    height: np.ndarray

    def blob(self, side, height, width, tall):
        """Return a soft spot on both sides of the face."""
        across, along = (self.side - side) / width, (self.height - height) / tall
        return np.exp(-(across**2) - along**2)

    def between(self, low, high) -> tuple[slice, "Canvas"]:
        """Return the rows between two heights, and the canvas of these alone."""
        first, last = np.searchsorted(-self.height[:, 0], (-high, -low))
        rows = slice(int(first), int(last))
        return rows, Canvas(self.azimuth[rows], self.side[rows], self.height[rows])


def whole_canvas() -> Canvas:
    """Return the coordinates of every texel."""
    azimuth = ((np.arange(WIDTH, dtype=np.float32) + 0.5) / WIDTH - 0.5) * 2 * np.pi
    rows = (np.arange(HEIGHT, dtype=np.float32) + 0.5) / HEIGHT
    azimuth, height = np.meshgrid(azimuth, TOP - rows * (TOP - BOTTOM))
    return Canvas(azimuth, np.abs(azimuth), height)
