"""From expression weights and gaze to facial dynamics, without an image."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax import arkit

HIDDEN = 256
"""Width of the hidden layer. Ours: five times what comes in; no other was tried."""

NUM_KNOWN = arkit.NUM_UNITS + 2
"""Expression weights, yaw and pitch of the gaze in the head."""

STEPS = np.array([0.5] * arkit.NUM_UNITS + [0.2] * 2, np.float32)
"""Of weights and gaze (radians), over which the map is taken as straight. Ours: half
way, as it bends."""

LEAST_SHARE = 1e-4
"""Of the mean square of the code's directions, below which one counts as unused. Ours:
codes wider than what they are made of have such; the demo's weakest has 160 times as
much."""


LEAST_AGREEMENT = 0.2
"""Cosine of what heads read out of the map's codes of single units with those units,
from which a map counts as taught. Ours: five maps that nothing had taught gave 0.01 to
0.02, the first that was taught 0.38."""


class DynamicsMap(nn.Module):
    """Tell the facial dynamics (z_dyn) of expression weights and gaze.

    Ours: an encoder that has seen few photographs reads them badly, and hardly sees
    some units at all; a renderer taught by its codes learns to move eyes, brows and
    lips too little. Where a data set knows the truth, the map gives the code that heads
    read it back from; and performances need no rendering to be encoded.

    Attributes:
        channels: Z.
    """

    channels: int

    @nn.compact
    def __call__(self, arkit: jax.Array, gaze_in_head: jax.Array) -> jax.Array:
        """Map `[..., 52]` and `[..., 2]` (radians) to `[..., Z]`."""
        known = jnp.concatenate([arkit, gaze_in_head], axis=-1)
        bent = nn.gelu(nn.Dense(HIDDEN, name="hidden")(known))
        return nn.Dense(self.channels, name="linear")(known) + nn.Dense(
            self.channels, name="bent", use_bias=False
        )(bent)

    def read_change(self, change: jax.Array) -> jax.Array:
        """Read which weights and gaze changed, from how the code did.

        Ours: single weights move codes by amounts that differ by a factor of sixteen,
        so layers that see codes learn some of them long before others. This is the
        smallest change of weights and gaze that the map, taken as straight, makes the
        code's of. No gradient reaches the map.

        Args:
            change: `[..., Z]` difference of two codes.

        Returns:
            `[..., 54]`.
        """
        steps = jnp.diag(jnp.asarray(STEPS))
        rows = jnp.concatenate([steps, jnp.zeros_like(steps[:1])])
        codes = self(*jnp.split(rows, [arkit.NUM_UNITS], axis=-1))
        slope = jax.lax.stop_gradient(codes[:-1] - codes[-1:]) / STEPS[:, None]
        square = slope.T @ slope
        floor = LEAST_SHARE * jnp.trace(square) / self.channels
        square = square + floor * jnp.eye(self.channels)
        return change @ _solve(square, slope.T)


def _solve(square, right):
    """Solve a system whose matrix `[Z, Z]` is positive definite; `[Z, R]`.

    Ours: elimination. On a CPU `jnp.linalg.solve` calls the OpenBLAS of SciPy, whose
    threads wait busily beside XLA's own: on two cores all else in the same program took
    twice the processor time.
    """

    def eliminate(index, rows):
        pivot = rows[index] / rows[index, index]
        return (rows - rows[:, index, None] * pivot[None]).at[index].set(pivot)

    both = jnp.concatenate([square, right], axis=1)
    return jax.lax.fori_loop(0, len(square), eliminate, both)[:, len(square) :]
