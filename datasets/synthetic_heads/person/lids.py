"""Lids that close over eyes that the portrait has open: where their skin comes from.

Ours: in a portrait with open eyes the lid is a rim of a few pixels. Its exact flow
would stretch that rim, with its lashes and its shade, over the whole eye; on
photographs such lids are smudges. What closes is therefore taken from the skin above
the eye, turned over at the rim, and counts as visible where that skin is: where it was
painted, lids of photographs were grey.
"""

import dataclasses

import numpy as np

from datasets.synthetic_heads.person import geometry
from vasa_jax import arkit

BLINKS = (
    arkit.index("eyeBlinkLeft"),
    arkit.index("eyeBlinkRight"),
)

RAISE = 0.7
"""How far above the rim the edge of a closed lid finds its skin, in heights of what
closes. Ours: past the fold of the lid, short of the brow."""

LEAST_MOVE = 0.03
"""From which a point that a closing lid moves counts as folded, mesh units. Ours: a
fifth of the height of an eye; below it lie cheeks and brows, which only stretch."""


def fold(
    shape: geometry.HeadGeometry,
    rest: np.ndarray,
    source: geometry.FrameState,
    driver: geometry.FrameState,
) -> np.ndarray:
    """Tell where in the source the skin for the driver's lids lies.

    Args:
        shape: whose lids.
        rest: float32 `[N, 3]` positions of the source's vertices.
        source, driver: the states of the two frames.

    Returns:
        float32 `[N, 3]` positions of the source's vertices with folded lids raised.
    """
    blinks = list(BLINKS)
    closing = np.maximum(driver.arkit[blinks] - source.arkit[blinks], 0.0)
    if not closing.any():
        return rest
    raised = source.arkit.copy()
    raised[blinks] -= closing
    moved = geometry.pose_head(
        shape, dataclasses.replace(source, arkit=raised)
    ).positions
    away = moved - rest
    is_folded = np.linalg.norm(away, axis=1) > LEAST_MOVE
    return np.where(is_folded[:, None], rest + RAISE * away, rest)
