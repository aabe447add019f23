"""How far drawn mouths are from the truth."""

import dataclasses

import jax
import jax.numpy as jnp

from vasa_jax import types
from vasa_jax.face.shortcut import mouth as mouth_lib
from vasa_jax.face.shortcut import placing

LIPS_SHIFT, LIPS_NOISE = 0.004, 0.003
"""Standard deviations of what is added to a portrait's lips, together and each, half
images. Ours: half a pixel of 256."""

POINTS, CORNERS, GAP = 20.0, 6.0, 20.0
"""Weights: of the lips' edge and of teeth, with the corners where they are; of the
corners where poses alone put them; of how far lips are apart. Ours: chosen so that all
terms are of like size at the start."""


def disturbed(key: jax.Array, lips: jax.Array) -> jax.Array:
    """Change what is seen of a portrait's lips `[24, 2]`.

    Ours: landmarks of other pictures err.
    """
    together, each = jax.random.split(key)
    lips += LIPS_SHIFT * jax.random.normal(together, (1, 2))
    return lips + LIPS_NOISE * jax.random.normal(each, lips.shape)


@dataclasses.dataclass(frozen=True)
class Truth:
    """What is known of the mouths of B frames; see `examples.MOUTH_FIELDS`.

    Attributes:
        edge: `[B, 24, 2]`.
        teeth: `[B, 2, 4, 2]`.
    """

    edge: jax.Array
    teeth: jax.Array


def terms(
    mouth: mouth_lib.Mouth, head_pose: types.HeadPose, truth: Truth
) -> dict[str, jax.Array]:
    """Compare points; weighted.

    Args:
        mouth: predicted of B frames.
        head_pose: the frames'.
        truth: likewise.
    """
    predicted = _Predicted.of(mouth, head_pose, truth)
    off = jnp.abs(predicted.edge - truth.edge).mean()
    gap = mouth_lib.gaps(predicted.edge) - mouth_lib.gaps(truth.edge)
    corners = predicted.corners - mouth_lib.corners(truth.edge)
    return {
        "mouth_places": POINTS * (off + jnp.abs(predicted.teeth - truth.teeth).mean()),
        "mouth_corners": CORNERS * jnp.abs(corners).mean(),
        "mouth_gap": GAP * jnp.abs(gap).mean(),
    }


def measures(
    mouth: mouth_lib.Mouth, head_pose: types.HeadPose, truth: Truth
) -> dict[str, jax.Array]:
    """Measure distances in pixels of a frame of 256.

    Args:
        mouth, head_pose, truth: as of `terms`.
    """
    predicted = _Predicted.of(mouth, head_pose, truth)
    corners = predicted.corners - mouth_lib.corners(truth.edge)
    gap = mouth_lib.gaps(predicted.edge) - mouth_lib.gaps(truth.edge)
    teeth = predicted.teeth - truth.teeth
    return {
        "mouth_edge_px": 128.0 * jnp.linalg.norm(predicted.edge - truth.edge, axis=-1),
        "mouth_teeth_px": 128.0 * jnp.linalg.norm(teeth, axis=-1),
        "mouth_corners_px": 128.0 * jnp.abs(corners).mean(),
        "mouth_gap_px": 128.0 * jnp.abs(gap).mean(),
    }


@dataclasses.dataclass(frozen=True)
class _Predicted:
    """What is predicted of B frames, in their image: `[B, 24, 2]`, `[B, 2, 4, 2]`."""

    edge: jax.Array
    teeth: jax.Array
    corners: jax.Array

    @classmethod
    def of(cls, mouth, head_pose, truth):
        edge = mouth_lib.posed_edge(mouth, head_pose)
        corners = mouth_lib.corners(edge)
        shift = corners, mouth_lib.corners(truth.edge)
        teeth = mouth_lib.posed_teeth(mouth, head_pose)
        shifted = placing.shifted
        return cls(shifted(edge, *shift), shifted(teeth, *shift), corners)
