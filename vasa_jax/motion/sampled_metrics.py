"""How sampled motion compares with the truth while the denoiser is trained."""

from typing import Any

import jax
import jax.numpy as jnp

from vasa_jax import types
from vasa_jax.motion import losses, normalization
from vasa_jax.train import metric_states


def compare(
    sampled: jax.Array,
    target: jax.Array,
    conditions: types.Conditions,
    mask: jax.Array,
) -> dict[str, Any]:
    """Return metric states of sampled against true motion `[B, T, M]`, normalised.

    Args:
        sampled, target: the motion.
        conditions: of the windows.
        mask: bool `[B, T]`, false beyond a clip's end, where nothing counts.
    """
    _, dynamics = normalization.split_motion(sampled)
    _, true_dynamics = normalization.split_motion(target)
    every = jnp.broadcast_to(mask[..., None], dynamics.shape)
    # Within each clip and over all channels as one: what moves, not who it is.
    moves = _centred(dynamics, mask)[..., None]
    true_moves = _centred(true_dynamics, mask)[..., None]
    pose = slice(0, types.POSE_CHANNELS)
    change = jnp.abs(jnp.diff(sampled, axis=1)).mean(2)
    change = losses.over_frames(change, mask[:, 1:])
    jump = jnp.abs(sampled[:, 0] - conditions.previous_motion[:, -1]).mean(1)
    return {
        "dynamics_correlation": metric_states.Correlation.from_batch(
            moves, true_moves, every
        ),
        "shuffled_correlation": metric_states.Correlation.from_batch(
            moves, jnp.roll(true_moves, 1, axis=0), every
        ),
        "pose_spread": _spread(sampled[..., pose], target[..., pose], mask),
        "dynamics_spread": _spread(dynamics, true_dynamics, mask),
        "seam": metric_states.Mean.from_batch(
            jump / jnp.maximum(change, 1e-6), ~conditions.previous_dropped
        ),
    }


def _centred(values: jax.Array, mask: jax.Array) -> jax.Array:
    """Subtract from `[B, T, C]` the mean over each example's frames."""
    count = jnp.maximum(mask.sum(1), 1)[:, None, None]
    return values - (values * mask[..., None]).sum(1, keepdims=True) / count


def _spread(
    sampled: jax.Array, target: jax.Array, mask: jax.Array
) -> metric_states.Mean:
    """Return the standard deviation in time over the truth's, of `[B, T, C]`."""

    def deviation(values):
        squares = jnp.square(_centred(values, mask)) * mask[..., None]
        return jnp.sqrt(squares.sum(1) / jnp.maximum(mask.sum(1), 1)[:, None]).mean(-1)

    truth = jnp.maximum(deviation(target), 1e-6)
    return metric_states.Mean.from_batch(deviation(sampled) / truth)
