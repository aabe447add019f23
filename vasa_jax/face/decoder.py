"""The decoder: it paints a frame from the warped appearance volume.

Paper: VASA-1 §3.1 (one decoder). Follows: MegaPortraits, image decoder.
"""

import functools

import einops
import flax.linen as nn
import jax
import jax.numpy as jnp

from vasa_jax import layers
from vasa_jax.face import config as face_config
from vasa_jax.face.shortcut import subpixel


class Stage(nn.Module):
    """Narrow features and refine them.

    Follows: MegaPortraits, image decoder. Ours: stages narrow before their block, at
    half its cost.
    """

    channels: int
    config: face_config.FaceConfig

    @nn.compact
    def __call__(
        self,
        x: jax.Array,
        code: jax.Array | None = None,
        added: jax.Array | None = None,
    ) -> jax.Array:
        """Map `[B, h, w, C]` to `[B, h, w, channels]`.

        Args:
            x: features.
            code: `[B, I]` that steers the norms, if any.
            added: `[B, h, w, channels]` added to the narrowed features, if any.
        """
        dtype = jnp.dtype(self.config.dtype)
        x = nn.Dense(self.channels, dtype=dtype, name="narrow")(x)
        x = x if added is None else x + added
        block = layers.ResidualBlock(
            self.channels, dtype=dtype, use_remat=self.config.use_remat, name="block"
        )
        return block(x, code)


class Decoder(nn.Module):
    """Paint a frame from a volume in the driver's space.

    Paper: VASA-1 §3.1. Follows: MegaPortraits, image decoder: depth is folded into
    channels, then residual blocks, then stages at twice the size each. Ours: the image
    shortcut joins before the last stage; see `shortcut.network`.
    """

    config: face_config.FaceConfig

    def setup(self):
        """Name the parts; a checkpoint holds their parameters by these names."""
        config, dtype = self.config, jnp.dtype(self.config.dtype)
        first, *later = config.decoder_channels
        block = functools.partial(
            layers.ResidualBlock, first, dtype=dtype, use_remat=config.use_remat
        )
        self.flatten = nn.Dense(first, dtype=dtype)
        self.deep = [block() for _ in range(config.decoder_blocks)]
        self.stages = [Stage(channels, config) for channels in later]
        self.norm = layers.AdaptiveNorm(dtype=dtype)
        # With the shortcut there is a fourth channel: how far to prefer it.
        features = 3 if config.shortcut is None else 4
        if config.output_upsampling == 1:
            self.output = layers.Convolution(features, dtype=dtype)
        else:
            self.output = subpixel.Painter(
                features, config.detail_channels, config.output_upsampling, dtype
            )

    def __call__(self, volume: jax.Array) -> jax.Array:
        """Map `[B, D, h, w, C]` in the driver's space to frames `[B, H, W, 3]`."""
        return jnp.tanh(self.paint(self.refine(self.grow(volume))))

    def grow(self, volume: jax.Array, code: jax.Array | None = None) -> jax.Array:
        """Map `[B, D, h, w, C]` to features at the size of the last stage.

        Args:
            volume: appearance in the driver's space.
            code: `[B, I]` that steers the norms, if any.

        Returns:
            `[B, f, f, C']`.
        """
        x = self.flatten(einops.rearrange(volume, "b d h w c -> b h w (d c)"))
        for block in self.deep:
            x = block(x, code)
        for stage in self.stages[:-1]:
            x = stage(layers.double(x), code)
        return layers.double(x)

    def refine(
        self,
        x: jax.Array,
        code: jax.Array | None = None,
        added: jax.Array | None = None,
    ) -> jax.Array:
        """Run the last stage; see `Stage`."""
        return self.stages[-1](x, code, added)

    def paint(self, x: jax.Array) -> jax.Array:
        """Map features of the last stage to `[B, H, W, F]` float32, before the tanh."""
        x = self.output(nn.relu(self.norm(x))).astype(jnp.float32)
        return x if self.config.output_upsampling == 1 else subpixel.smooth(x)
