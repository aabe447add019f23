"""Which vertex of a head mirrors which, about the middle of the face."""

import functools

import numpy as np
from scipy import spatial

from datasets.synthetic_heads.person import geometry, head

_OTHER_MATERIAL = 100.0
"""Distance between materials, mesh units. Ours: far beyond a head, so that skin never
mirrors hair."""


@functools.lru_cache(maxsize=64)
def partners(identity_seed: int, exaggeration: float = 1.0) -> np.ndarray:
    """Find each vertex's partner on the other side of an identity's head.

    Ours: the nearest vertex of the same material and height in the hair. The base mesh
    is symmetric, so that skin, ears, eyes and teeth find the very same place; hair that
    is combed to one side finds what is nearest.

    Args:
        identity_seed, exaggeration: arguments of `geometry.build_geometry`.

    Returns:
        int32 `[N]`, places among the identity's vertices.
    """
    shape = geometry.build_geometry(identity_seed, exaggeration)
    attributes = shape.attributes
    positions = attributes[:, geometry.POSITION : geometry.POSITION + 3].copy()
    # Both eyeballs are the same unit sphere: put them where the eyes are.
    eyes = np.flatnonzero(attributes[:, geometry.MATERIAL] == head.EYE)
    balls = positions[eyes].reshape(2, -1, 3)
    across = np.abs(shape.eye_centres[:, :1]).mean() * np.array([[1.0], [-1.0]])
    across = across * np.sign(shape.eye_centres[0, 0])
    balls = balls * shape.eye_radii.mean()
    balls[..., 0] += across
    positions[eyes] = balls.reshape(-1, 3)

    def keys(positions):
        kind = _OTHER_MATERIAL * attributes[:, geometry.MATERIAL]
        return np.column_stack([positions, kind, attributes[:, geometry.LAYER]])

    tree = spatial.cKDTree(keys(positions))
    return tree.query(keys(positions * [-1.0, 1.0, 1.0]))[1].astype(np.int32)
