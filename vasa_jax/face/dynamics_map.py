"""From expression weights and gaze to facial dynamics, without an image."""

import flax.linen as nn
import jax
import jax.numpy as jnp

HIDDEN = 256
"""Width of the hidden layer. Ours: five times what comes in; no other was tried."""


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
