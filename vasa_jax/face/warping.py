"""Warps between a posed image's space and the canonical space.

Paper: VASA-1 §3.1 (rigid and non-rigid 3D warp to canonical space; the decoder applies
the inverse). Follows: MegaPortraits, warp generators.
"""

import einops
import flax.linen as nn
import jax
import jax.numpy as jnp

from vasa_jax import geometry, layers, types
from vasa_jax.face import config as face_config


class WarpGenerator(nn.Module):
    """Turn facial dynamics and identity into a displacement of the volume.

    Follows: MegaPortraits: sum of both codes, a small seed, adaptive 3-D blocks with
    upsampling, GroupNorm, ReLU, 3-D convolution, tanh. Ours: the last kernel starts
    small, so that training starts from the rigid warp.
    """

    config: face_config.FaceConfig

    @nn.compact
    def __call__(self, facial_dynamics: jax.Array, identity: jax.Array) -> jax.Array:
        """Map `[B, Z]` and `[B, I]` to a displacement `[B, D, H, W, 3]`, float32."""
        config, dtype = self.config, jnp.dtype(self.config.dtype)
        code = identity + nn.Dense(config.identity_channels, name="dynamics")(
            facial_dynamics
        )
        target = (config.volume_depth, config.volume_size, config.volume_size)
        total = [1, 1, 1]
        for factors in config.warp_upsampling:
            total = [a * b for a, b in zip(total, factors, strict=True)]
        depth, height, width = (
            max(1, whole // part) for whole, part in zip(target, total, strict=True)
        )
        x = nn.Dense(
            depth * height * width * config.warp_channels[0], dtype=dtype, name="seed"
        )(code)
        x = einops.rearrange(x, "b (d h w c) -> b d h w c", d=depth, h=height, w=width)
        for channels, factors in zip(
            config.warp_channels[1:], config.warp_upsampling, strict=True
        ):
            x = layers.ResidualBlock(
                channels, num_axes=3, dtype=dtype, use_remat=config.use_remat
            )(x, code)
            grown = [a * b for a, b in zip(x.shape[1:4], factors, strict=True)]
            x = geometry.resize(x, *grown)
        x = nn.relu(layers.AdaptiveNorm(dtype=dtype)(x))
        x = layers.Convolution(
            3, num_axes=3, kernel_init=nn.initializers.normal(1e-3), name="output"
        )(x.astype(jnp.float32))
        return jnp.tanh(x)


def canonical_to_source(
    points: jax.Array, displacement: jax.Array, head_pose: types.HeadPose
) -> jax.Array:
    """Carry canonical points into the portrait: expression first, then rigid pose.

    Follows: MegaPortraits, warp from canonical to source coordinates.

    Args:
        points: `[B, N..., 3]` canonical points.
        displacement: `[B, D, H, W, 3]` of the portrait's warp generator.
        head_pose: the portrait's, leading shape `[B]`.

    Returns:
        `[B, N..., 3]` points of the portrait's space.
    """
    moved = points + geometry.sample_volume(displacement, points)
    return geometry.pose_points(moved, head_pose)


def driver_to_canonical(
    points: jax.Array, displacement: jax.Array, head_pose: types.HeadPose
) -> jax.Array:
    """Carry points of the driver's space to canonical space: the inverse direction.

    Follows: MegaPortraits. Shapes as in `canonical_to_source`.
    """
    upright = geometry.unpose_points(points, head_pose)
    return upright + geometry.sample_volume(displacement, upright)


def batched_volume_grid(config: face_config.FaceConfig, batch: int) -> jax.Array:
    """Return the identity grid of the volume for a batch, `[B, D, H, W, 3]`."""
    grid = geometry.volume_grid(
        config.volume_depth, config.volume_size, config.volume_size
    )
    return jnp.broadcast_to(grid, (batch, *grid.shape))


class CanonicalNetwork(nn.Module):
    """Refine the canonical volume by a 3-D U-Net.

    Follows: MegaPortraits (192, 384, 512, 512, 384, 192 channels).
    """

    config: face_config.FaceConfig

    @nn.compact
    def __call__(self, volume: jax.Array) -> jax.Array:
        """Map `[B, D, H, W, C]` to the same shape."""
        config, dtype = self.config, jnp.dtype(self.config.dtype)
        levels = (len(config.canonical_channels) + 1) // 2
        down = config.canonical_channels[:levels]
        up = config.canonical_channels[levels:]
        x, skips = volume, []
        for level, channels in enumerate(down):
            if level:
                x = einops.reduce(
                    x,
                    "b (d k) (h i) (w j) c -> b d h w c",
                    "mean",
                    k=2,
                    i=2,
                    j=2,
                )
            x = layers.ResidualBlock(
                channels, num_axes=3, dtype=dtype, use_remat=config.use_remat
            )(x)
            skips.append(x)
        for level, channels in enumerate(up):
            skip = skips[max(len(down) - 2 - level, 0)]
            if x.shape != skip.shape[:-1] + x.shape[-1:]:
                x = geometry.resize(x, *skip.shape[1:4])
            x = jnp.concatenate([x, skip], axis=-1)
            x = layers.ResidualBlock(
                channels, num_axes=3, dtype=dtype, use_remat=config.use_remat
            )(x)
        x = nn.Dense(config.volume_channels, dtype=dtype, name="output")(x)
        return volume + x
