"""Overdo, when rendered, the way from a portrait's own motion to the one asked for."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from vasa_jax import arkit, types
from vasa_jax.motion.shaping.config import ShapingConfig

SHUT = 1.0
"""Weight of the lids beyond which nothing is overdone. Ours: no face that a renderer
learnt from goes further; beyond it brows are drawn down over lids that are shut."""


def overdo(
    latents: types.FaceLatents,
    motion: jax.Array,
    shaping: ShapingConfig,
    readout: Mapping[str, jax.Array],
) -> tuple[types.HeadPose, jax.Array]:
    """Go from the portrait's head turn and facial dynamics as far as the gains say.

    Ours: a renderer that is trained for hours by absolute errors moves faces less than
    asked, and turns heads whose far side it guesses too far. Lids stop where they are
    shut. Motion that begins at a face at rest turns a head about the portrait's own
    turn: asked to face the camera, a portrait that looks up would show what no
    photograph of it has.

    Args:
        latents: of one portrait, a batch of one.
        motion: `[n, M]` in its own units.
        shaping: whose gains count.
        readout: `kernel` `[Z, R]` and `bias` `[R]`, which read facial dynamics; their
            first columns are the ARKit weights.

    Returns:
        Head pose, leading shape `[n]`, and facial dynamics `[n, Z]`.
    """
    head_pose = types.HeadPose.from_vector(motion[:, : types.POSE_CHANNELS])
    asked = head_pose.rotation
    if latents.rest_rotation is not None:
        asked = latents.rest_rotation + asked
    own = latents.head_pose.rotation
    rotation = own + shaping.pose_gain * (asked - own)
    own = latents.facial_dynamics
    asked = motion[:, types.POSE_CHANNELS :]
    overdone = own + shaping.dynamics_gain * (asked - own)
    return head_pose.replace(rotation=rotation), _stop_lids(overdone, readout)


def _stop_lids(dynamics: jax.Array, readout: Mapping[str, jax.Array]) -> jax.Array:
    """Open lids that are further than shut, along what is read of them.

    Ours: over 93 frames of blinks whose lids were read 0.31 too far, the other weights
    changed by 0.014 (root mean square).
    """
    blinks = jnp.array(arkit.BLINKS)
    lids = readout["kernel"][:, blinks].mean(axis=1)
    weight = dynamics @ lids + readout["bias"][blinks].mean()
    size = jnp.maximum(lids @ lids, jnp.finfo(lids.dtype).tiny)
    return dynamics - jnp.outer(jnp.maximum(weight - SHUT, 0.0) / size, lids)
