"""How far the points of drawn eyes are from the truth."""

import jax
import jax.numpy as jnp

from vasa_jax import types
from vasa_jax.face.shortcut import eyes as eyes_lib
from vasa_jax.face.shortcut import placing
from vasa_jax.portrait import eyes as portrait_eyes

SHIFT, NOISE = 0.004, 0.003
"""Standard deviations of what is added to the points of a portrait's eye, together and
each, half images. Ours: half a pixel of 256."""

POINTS, CORNERS, GAP = 20.0, 6.0, 20.0
"""Weights: of rims and irises, with the corners where they are; of the corners where
poses alone put them; of how far lids are apart. Follows: `mouth_terms`."""


def disturbed(key: jax.Array, eyes: jax.Array) -> jax.Array:
    """Change what is seen of a portrait's eyes `[2, 19, 2]`.

    Ours: landmarks of other pictures err; a radius of an iris errs less than its place.
    """
    together, each = jax.random.split(key)
    eyes += SHIFT * jax.random.normal(together, (2, 1, 2))
    return eyes + NOISE * jax.random.normal(each, eyes.shape)


def terms(
    predicted: eyes_lib.EyePoints,
    head_pose: types.HeadPose,
    rims: jax.Array,
    discs: jax.Array,
) -> dict[str, jax.Array]:
    """Compare points; weighted.

    Args:
        predicted: of B frames.
        head_pose: the frames'.
        rims, discs: `[B, 2, 16, 2]` and `[B, 2, 3, 2]` where they truly are.
    """
    off, corners, gap = _errors(predicted, head_pose, rims, discs)
    return {
        "eye_places": POINTS * jnp.abs(off).mean(),
        "eye_corners": CORNERS * jnp.abs(corners).mean(),
        "eye_gap": GAP * jnp.abs(gap).mean(),
    }


def measures(
    predicted: eyes_lib.EyePoints,
    head_pose: types.HeadPose,
    rims: jax.Array,
    discs: jax.Array,
) -> dict[str, jax.Array]:
    """Measure distances in pixels of a frame of 256.

    Args:
        predicted, head_pose, rims, discs: as of `terms`.
    """
    off, corners, gap = _errors(predicted, head_pose, rims, discs)
    away = 128.0 * jnp.linalg.norm(off, axis=-1)
    rim = portrait_eyes.NUM_RIM
    return {
        "eye_rims_px": away[..., :rim],
        "eye_irises_px": away[..., rim],
        "eye_corners_px": 128.0 * jnp.linalg.norm(corners, axis=-1),
        "eye_gap_px": 128.0 * jnp.abs(gap[..., 1]),
    }


def _errors(predicted, head_pose, rims, discs):
    """Return errors of all points with the true corners, of corners, and of gaps."""
    seen_rims, seen_discs = eyes_lib.posed(predicted, head_pose)
    start, end = eyes_lib.corners(seen_rims), eyes_lib.corners(rims)
    points = jnp.concatenate([seen_rims, seen_discs], axis=2)
    true = jnp.concatenate([rims, discs], axis=2)
    shifted = jax.vmap(placing.shifted, in_axes=1, out_axes=1)(points, start, end)
    rim = portrait_eyes.NUM_RIM
    gap = _gap(shifted[:, :, :rim]) - _gap(rims)
    return shifted - true, start - end, gap


def _gap(rims):
    """Return the way from the upper lid to the lower one, `[B, 2, 7, 2]`."""
    last = portrait_eyes.NUM_UPPER - 1
    upper, lower = rims[:, :, 1:last], rims[:, :, last + 1 :]
    return lower[:, :, ::-1] - upper
