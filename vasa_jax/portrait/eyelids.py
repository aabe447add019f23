"""The rims of one eye's lids, and what lies between them."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Lids:
    """The rims of one eye's lids, on the screen or on a texture.

    Attributes:
        upper, lower: float64 `[R, 2]` from the image's left corner to its right.
    """

    upper: np.ndarray
    lower: np.ndarray

    @classmethod
    def of_rim(cls, rim: np.ndarray) -> "Lids":
        """Cut a rim `[R, 2]`: the upper lid to the right, then the lower one back.

        See `face_mesh.FaceMesh.eye_loops`; corners are both lids'.
        """
        end = (len(rim) + 2) // 2
        back = np.concatenate([rim[end - 1 :], rim[:1]])
        return cls(rim[:end], back[::-1])

    def axes(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the direction from corner to corner, and the one across it, down."""
        along = self.upper[-1] - self.upper[0]
        along = along / np.linalg.norm(along)
        return along, np.array([-along[1], along[0]])

    def below_upper(self, points: np.ndarray) -> np.ndarray:
        """Return how far points `[..., 2]` lie below the upper rim."""
        return self._below(self.upper, points)

    def above_lower(self, points: np.ndarray) -> np.ndarray:
        """Return how far points `[..., 2]` lie above the lower rim."""
        return -self._below(self.lower, points)

    def contain(self, points: np.ndarray, tolerance: float = 0.0) -> np.ndarray:
        """Tell which points `[..., 2]` lie between the lids, or that little outside."""
        is_below = self.below_upper(points) > -tolerance
        return is_below & (self.above_lower(points) > -tolerance)

    def _below(self, rim, points):
        along, across = self.axes()
        x, y = rim @ along, rim @ across
        order = np.argsort(x)
        return points @ across - np.interp(points @ along, x[order], y[order])
