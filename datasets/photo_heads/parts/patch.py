"""A piece of a head's mesh that lies behind a hole of lids or lips."""

import dataclasses
from collections.abc import Callable

import numpy as np

from datasets.photo_heads.fit import photo_head

EYE_TILES, MOUTH_TILES = (0, 1), (2, 3, 4, 5)
"""Indices in `PhotoHead.tiles`: the eyes, the image's left one first; upper teeth,
lower teeth, tongue and cavity."""


@dataclasses.dataclass(frozen=True)
class Patch:
    """A piece of mesh behind a hole; P points.

    Attributes:
        points: float64 `[P, 3]` at rest, camera frame.
        mirrored: float64 `[P, 3]` their mirror images about the face's middle.
        triangles: int `[T, 3]`.
        kind: of the triangles, or `[T]` of each, see `rasterizer`.
        behind: added to depths in the z-buffer.
        tile: which tile it shows; None where it shows the photograph.
        uv: float64 `[P, 2]` in the tile, 0 to 1; None where the tile is an eye's,
            in which a point lies as it does in the photograph.
        moves: takes a state and the face's movements `[N, 3]` to the movements
            `[P, 3]`; None where the patch only turns with the head.
        mirrored_moves: the same for the mirror images.
    """

    points: np.ndarray
    mirrored: np.ndarray
    triangles: np.ndarray
    kind: int | np.ndarray
    behind: float
    tile: int | None = None
    uv: np.ndarray | None = None
    moves: Callable[[photo_head.State, np.ndarray], np.ndarray] | None = None
    mirrored_moves: Callable[[photo_head.State], np.ndarray] | None = None
