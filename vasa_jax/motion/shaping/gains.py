"""Overdo, when rendered, the way from a portrait's own motion to the one asked for."""

import jax

from vasa_jax import types
from vasa_jax.motion.shaping.config import ShapingConfig


def overdo(
    latents: types.FaceLatents, motion: jax.Array, shaping: ShapingConfig
) -> tuple[types.HeadPose, jax.Array]:
    """Go from the portrait's head turn and facial dynamics as far as the gains say.

    Ours: a renderer that is trained for hours by absolute errors opens mouths less than
    asked, and turns heads whose far side it guesses too far.

    Args:
        latents: of one portrait, a batch of one.
        motion: `[n, M]` in its own units.
        shaping: whose gains count.

    Returns:
        Head pose, leading shape `[n]`, and facial dynamics `[n, Z]`.
    """
    head_pose = types.HeadPose.from_vector(motion[:, : types.POSE_CHANNELS])
    own = latents.head_pose.rotation
    rotation = own + shaping.pose_gain * (head_pose.rotation - own)
    own = latents.facial_dynamics
    asked = motion[:, types.POSE_CHANNELS :]
    return (
        head_pose.replace(rotation=rotation),
        own + shaping.dynamics_gain * (asked - own),
    )
