"""Overdo, when rendered, the way from a portrait's own motion to the one asked for."""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np

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
    write: Callable[[jax.Array, jax.Array], jax.Array],
) -> tuple[types.HeadPose, jax.Array]:
    """Go from the portrait's head turn and facial dynamics as far as the gains say.

    Ours: a renderer that is trained for hours by absolute errors opens mouths less than
    asked, moves smiles and brows still less, and turns heads whose far side it guesses
    too far. Lids stop where they are shut.

    Args:
        latents: of one portrait, a batch of one.
        motion: `[n, M]` in its own units.
        shaping: whose gains count.
        readout: `kernel` `[Z, R]` and `bias` `[R]`, which read facial dynamics; their
            first columns are the ARKit weights.
        write: from ARKit weights `[n, 52]` and gaze in the head `[n, 2]` to facial
            dynamics.

    Returns:
        Head pose, leading shape `[n]`, and facial dynamics `[n, Z]`.
    """
    head_pose = types.HeadPose.from_vector(motion[:, : types.POSE_CHANNELS])
    own = latents.head_pose.rotation
    rotation = own + shaping.pose_gain * (head_pose.rotation - own)
    own = latents.facial_dynamics
    asked = motion[:, types.POSE_CHANNELS :]
    way = asked - own
    overdone = own + shaping.dynamics_gain * way
    if shaping.unit_gains:
        overdone += _overdo_units(asked, way, shaping, readout, write)
    return head_pose.replace(rotation=rotation), _stop_lids(overdone, readout)


def _overdo_units(asked, way, shaping, readout, write):
    """Return what units lack that are overdone by gains of their own.

    Ours: along the map, which knows where faces lie; what heads read of a unit is a
    direction in which several move.
    """
    extra = np.zeros(arkit.NUM_UNITS, np.float32)
    for one in shaping.unit_gains:
        extra[list(arkit.sides(one.unit))] = one.gain - shaping.dynamics_gain
    kernel, bias = readout["kernel"], readout["bias"]
    read = asked @ kernel + bias[None]
    weights, gaze = jnp.split(read, [arkit.NUM_UNITS], axis=-1)
    beyond = weights + extra[None] * (way @ kernel[:, : arkit.NUM_UNITS])
    return write(beyond, gaze) - write(weights, gaze)


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
