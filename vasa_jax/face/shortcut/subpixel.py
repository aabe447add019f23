"""Sub-pixel convolutions, and how to paint without the pattern that they leave.

Follows: Shi et al., sub-pixel convolution: one layer at a small size writes several
pixels of each cell, which a CPU does faster than blocks at full size.
"""

import functools

import einops
import flax.linen as nn
import jax
import jax.numpy as jnp

from vasa_jax import geometry, layers


def shuffle(x: jax.Array, factor: int) -> jax.Array:
    """Spread the channels `(i j c)` of `[B, h, w, i j C]` over `factor` pixels a side.

    Returns:
        `[B, factor h, factor w, C]`.
    """
    return einops.rearrange(x, "b h w (i j c) -> b (h i) (w j) c", i=factor, j=factor)


TAPS = (0.125, 0.25, 0.25, 0.25, 0.125)
"""Weights of neighbours in `smooth`. Ours: the shortest average without ripples of two
and of four pixels, which are the sides of a cell in the two steps of `Painter`."""


def smooth(image: jax.Array) -> jax.Array:
    """Average away what repeats every two or four pixels in `[B, H, W, C]`.

    Ours: a mask that does shows as dots in the blend, colours as stripes in what is
    dark, such as open mouths.
    """
    reach = len(TAPS) // 2
    for axis in (1, 2):
        pad = [(reach, reach) if axis == here else (0, 0) for here in range(4)]
        padded = jnp.pad(image, pad, mode="edge")
        size = image.shape[axis]
        image = sum(
            weight * jax.lax.slice_in_dim(padded, tap, tap + size, axis=axis)
            for tap, weight in enumerate(TAPS)
        )
    return geometry.once(image)


class Painter(nn.Module):
    """Paint in two steps what one sub-pixel convolution paints in stripes.

    Ours: a upsampling by four writes 4 x 4 pixels of each cell at once, which no later
    layer sees together, so that sharp things such as teeth come out as stripes 4 pixels
    apart. Here broad colours are resized, and detail, which begins at nothing, grows in
    two steps with a layer at half the full size between them that sees across cells.

    Attributes:
        features: what is painted.
        channels: channels at half the full size.
        upsampling: even; pixels a side of each cell.
        dtype: of the computation.
    """

    features: int
    channels: int
    upsampling: int
    dtype: jnp.dtype

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Map `[B, h, w, C]` to float32 `[B, upsampling h, upsampling w, features]`."""
        conv = functools.partial(layers.Convolution, dtype=self.dtype)
        broad = conv(self.features, name="broad")(x).astype(jnp.float32)
        first = self.upsampling // 2
        middle = conv(self.channels * first**2, name="middle")(x)
        fine = conv(4 * self.features, kernel_init=nn.initializers.zeros, name="fine")(
            nn.relu(shuffle(middle, first))
        )
        fine = shuffle(fine.astype(jnp.float32), 2)
        return geometry.resize(broad, *fine.shape[1:3]) + fine
