"""Rounds the lips of the pack's units: in them an open, rounded mouth is a diamond.

Ours: the pack lifts the middle of the upper lip in a peak, lets the lower one down in a
wedge, and narrows lips at their corners alone. An open mouth's edges are near to half
ellipses, and lips narrow evenly from side to side.
"""

import numpy as np
from scipy.spatial import cKDTree

from vasa_jax import arkit

_ROUNDED = (("jawOpen", False), ("mouthFunnel", True), ("mouthPucker", True))
"""Units that open a mouth, and whether they move the upper lip by themselves."""

_CORNER, _MEETING = 0.26, 6.608
"""Where the base mesh's lips end to both sides, and the height at which they meet."""

_LOWER_DROP = 0.13
"""How far an opening jaw takes a point down from which it is the lower lip's."""

_REACH = 0.08
"""How far from the lips skin follows them, mesh units."""

_NUM_NEAREST = 6


def round_lips(units: np.ndarray, base: np.ndarray, lips: np.ndarray) -> np.ndarray:
    """Fit movements of lips by half ellipses over the width of the mouth.

    Args:
        units: float32 `[52, V, 3]` movements, order of `arkit.NAMES`.
        base: float32 `[V, 3]` points of the mesh.
        lips: float32 `[V]` share of lip in each point.

    Returns:
        The units; skin beside the lips follows them.
    """
    is_lower = units[arkit.index("jawOpen"), :, 1] < -_LOWER_DROP
    near = np.abs(base - [0.0, _MEETING, base[lips > 0.5, 2].max()]) < [0.5, 0.4, 0.5]
    near = near.all(axis=1)
    rounded = units.copy()
    for name, has_upper in _ROUNDED:
        index = arkit.index(name)
        for side in (is_lower, ~is_lower) if has_upper else (is_lower,):
            lip, skin = np.flatnonzero(side & (lips > 0.5)), np.flatnonzero(side & near)
            change = _fit(units[index, lip], base[lip], name) - units[index, lip]
            distance, nearest = cKDTree(base[lip]).query(base[skin], k=_NUM_NEAREST)
            weights = (distance + 0.01) ** -2
            weights /= weights.sum(axis=1, keepdims=True)
            weights *= np.exp(-((distance[:, :1] / _REACH) ** 2))
            rounded[index, skin] += np.einsum("nk,nkc->nc", weights, change[nearest])
    return rounded


def _fit(moves, points, name):
    """Return what comes nearest to the movements `[N, 3]` of a lip's points."""
    x, y = points[:, 0], points[:, 1] - _MEETING
    ellipse = np.sqrt(np.clip(1 - (x / _CORNER) ** 2, 0, 1))
    fitted = moves.copy()
    profile = [np.ones_like(x), y, ellipse, ellipse * y, ellipse * y**2]
    fitted[:, 1] = _least_squares(profile, moves[:, 1])
    if name == "mouthFunnel":  # Else its middle spreads while its corners narrow.
        fitted[:, 0] = _least_squares([x, x * y], moves[:, 0])
    return fitted


def _least_squares(terms, wanted):
    terms = np.stack(terms, axis=1)
    return terms @ np.linalg.lstsq(terms, wanted, rcond=None)[0]
