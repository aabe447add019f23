"""What shaping does to a window that the sampler has finished."""

import jax
import jax.numpy as jnp

from vasa_jax.motion.shaping import homing, window_joining


def shape(
    motion: jax.Array,
    previous_motion: jax.Array,
    means: homing.WindowMeans,
    is_first: jax.Array,
) -> tuple[jax.Array, homing.WindowMeans]:
    """Join a window to the one before, still its trembling, and turn the head back.

    Args:
        motion: `[B, W, M]` as sampled, normalised.
        previous_motion: `[B, K, M]`, the frames before, normalised.
        means: of the windows before.
        is_first: bool `[]`; the first window joins nothing.

    Returns:
        The window, and the means for the next.
    """
    joined = window_joining.join(motion, previous_motion)
    before = jnp.where(is_first, motion[:, :1], previous_motion[:, -1:])
    motion = window_joining.steady(jnp.where(is_first, motion, joined), before)
    motion = homing.lead_home(motion, means)
    return motion, homing.next_means(motion, means, is_first)
