"""A multi-scale patch discriminator.

Follows: MegaPortraits (multi-scale patches, hinge loss, feature matching, spectral
norm).
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from vasa_jax import layers

POWER_ITERATIONS = 3
"""Steps of the power iteration. Ours: it starts anew each time, so that parameters are
the whole state, and needs more than the usual one."""

FRAME_CHANNELS = (64, 128, 256)
"""Of each convolution but the last where whole frames are judged. Follows: pix2pixHD.
"""

CROP_CHANNELS = (32, 64, 128)
"""Of the same where crops are judged. Ours: at half the cost."""

NUM_SCALES = 2
"""Images are halved from one to the next. Follows: MegaPortraits (two scales)."""


def spectral_norm(kernel: jax.Array) -> jax.Array:
    """Divide a kernel `[..., F]` by its largest singular value.

    Follows: Miyato et al. Ours: stateless; see `POWER_ITERATIONS`.
    """
    matrix = kernel.reshape((-1, kernel.shape[-1]))
    right = jnp.ones(matrix.shape[1]) / matrix.shape[1] ** 0.5
    for _ in range(POWER_ITERATIONS):
        left = matrix @ right
        left = left / (jnp.linalg.norm(left) + 1e-12)
        right = left @ matrix
        right = right / (jnp.linalg.norm(right) + 1e-12)
    left, right = lax.stop_gradient((left, right))
    return kernel / (left @ matrix @ right + 1e-12)


class SpectralConvolution(nn.Module):
    """A 4x4 convolution with spectral norm, 'SAME' padding.

    Follows: Isola et al. (pix2pix patches), Miyato et al.
    """

    features: int
    stride: int = 2

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Convolve `[B, H, W, C]` to `[B, H / stride, W / stride, features]`."""
        shape = (4, 4, x.shape[-1], self.features)
        kernel = self.param("kernel", nn.initializers.lecun_normal(), shape)
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        y = lax.conv_general_dilated(
            x,
            spectral_norm(kernel),
            (self.stride, self.stride),
            "SAME",
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )
        return y + bias.reshape((1, 1, 1, -1))


class PatchDiscriminator(nn.Module):
    """Judge patches of images at several scales.

    Follows: MegaPortraits, pix2pixHD.

    Attributes:
        channels: of each convolution but the last.
    """

    channels: tuple[int, ...]

    @nn.compact
    def __call__(
        self, image: jax.Array
    ) -> tuple[tuple[jax.Array, ...], tuple[jax.Array, ...]]:
        """Map `[B, H, W, 3]` to logits of each scale, and all features between."""
        logits, features = [], []
        for scale in range(NUM_SCALES):
            x = layers.halve(image) if scale else image
            image = x
            for index, channels in enumerate(self.channels):
                x = SpectralConvolution(channels, name=f"scale_{scale}_{index}")(x)
                x = nn.leaky_relu(x, 0.2)
                features.append(x)
            logits.append(
                SpectralConvolution(1, stride=1, name=f"scale_{scale}_logits")(x)
            )
        return tuple(logits), tuple(features)
