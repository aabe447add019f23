"""From an image to its appearance volume, identity, head pose and facial dynamics.

Paper: VASA-1 §3.1: an independent encoder for each component.
"""

import einops
import flax.linen as nn
import jax
import jax.numpy as jnp

from vasa_jax import geometry, layers, types
from vasa_jax.face import config as face_config

FACE_CENTRE = (0.0, 0.13, -0.43)
"""Centre of the face in the head's frame, half images at scale 1.

Ours: midway between brows and chin of the synthetic heads, on the face's surface."""

FACE_HALF_SIZE = 0.52
"""Half the side of the aligned face, half images at scale 1. Ours: brows to chin."""

ANGLE_UNIT = 0.35
"""Radians of one unit of the pose encoder's raw angles. Ours: the standard deviation
of head angles in training, so that raw outputs are of order one."""

OFFSET_UNIT = 0.1
"""As `ANGLE_UNIT`, for translation and the logarithm of scale. Ours: as measured."""


class VectorEncoder(nn.Module):
    """Encode an image as a vector.

    Follows: MegaPortraits (ResNet-18 and ResNet-50 types), norm first, GroupNorm.
    Ours: a LayerNorm before the hidden layer's ReLU; without it, one step of Adam over
    thousands of inputs can put every unit to sleep for good.
    """

    config: face_config.VectorEncoderConfig
    features: int
    dtype: jnp.dtype = jnp.float32
    use_remat: bool = False

    @nn.compact
    def __call__(self, image: jax.Array) -> jax.Array:
        """Map `[B, size, size, 3]` to `[B, features]` float32."""
        config = self.config
        x = layers.Convolution(
            config.channels[0], size=5, stride=2, dtype=self.dtype, name="stem"
        )(image)
        for stage, (channels, blocks) in enumerate(
            zip(config.channels, config.blocks, strict=True)
        ):
            if stage:
                x = layers.halve(x)
            block = (
                layers.BottleneckBlock if config.is_bottleneck else layers.ResidualBlock
            )
            for _ in range(blocks):
                x = block(channels, dtype=self.dtype, use_remat=self.use_remat)(x)
        x = nn.relu(layers.AdaptiveNorm(dtype=self.dtype)(x))
        cell = x.shape[1] // config.pooled_size
        x = einops.reduce(x, "b (h i) (w j) c -> b h w c", "mean", i=cell, j=cell)
        x = einops.rearrange(x, "b h w c -> b (h w c)")
        x = nn.Dense(config.hidden, dtype=self.dtype, name="hidden")(x)
        x = nn.relu(nn.LayerNorm(dtype=self.dtype, name="hidden_norm")(x))
        return nn.Dense(self.features, name="output")(x.astype(jnp.float32))


class AppearanceEncoder(nn.Module):
    """Encode a portrait as a posed volume.

    Follows: MegaPortraits, appearance volume network. Ours: images are halved before
    the block rather than after it, at a quarter of the cost.
    """

    config: face_config.FaceConfig

    @nn.compact
    def __call__(self, image: jax.Array) -> tuple[jax.Array, tuple[jax.Array, ...]]:
        """Map `[B, S, S, 3]` to a volume `[B, D, H, W, C]`.

        Returns:
            The volume, and the maps `[B, h, w, c]` of the stages, the largest first.
        """
        config, dtype = self.config, jnp.dtype(self.config.dtype)
        x = layers.Convolution(
            config.appearance_channels[0], size=7, dtype=dtype, name="stem"
        )(image)
        maps = []
        for channels in config.appearance_channels[1:]:
            x = layers.ResidualBlock(channels, dtype=dtype, use_remat=config.use_remat)(
                layers.halve(x)
            )
            maps.append(x)
        x = nn.relu(layers.AdaptiveNorm(dtype=dtype)(x))
        x = nn.Dense(
            config.volume_depth * config.volume_channels, dtype=dtype, name="lift"
        )(x)
        x = einops.rearrange(x, "b h w (d c) -> b d h w c", d=config.volume_depth)
        for _ in range(config.volume_blocks):
            x = layers.ResidualBlock(
                config.volume_channels,
                num_axes=3,
                dtype=dtype,
                use_remat=config.use_remat,
            )(x)
        return x, tuple(maps)


class PoseEncoder(nn.Module):
    """Encode an image as an explicit head pose.

    Ours: see `types.HeadPose`; scale is read as an exponential, so it stays positive.
    """

    config: face_config.FaceConfig

    @nn.compact
    def __call__(self, image: jax.Array) -> types.HeadPose:
        """Map `[B, H, W, 3]` of any size to a `HeadPose` of leading shape `[B]`."""
        config = self.config.pose_encoder
        image = _resize(image, config.size)
        raw = VectorEncoder(config, types.POSE_CHANNELS, **_computation(self.config))(
            image
        )
        return types.HeadPose(
            rotation=raw[:, 0:3] * ANGLE_UNIT,
            translation=raw[:, 3:5] * OFFSET_UNIT,
            scale=jnp.exp(raw[:, 5:6] * OFFSET_UNIT),
        )


class DynamicsEncoder(nn.Module):
    """Encode an image as facial dynamics (z_dyn), seen in a face-aligned crop.

    Ours: the crop gives mouth and eyes the pixels, and takes roll, place and size of
    the head out of what facial dynamics can carry.
    """

    config: face_config.FaceConfig

    @nn.compact
    def __call__(self, face: jax.Array) -> jax.Array:
        """Map faces `[B, S, S, 3]` that `align_face` has cut out to `[B, Z]`."""
        return VectorEncoder(
            self.config.dynamics_encoder,
            self.config.dynamics_channels,
            **_computation(self.config),
        )(face)


class IdentityEncoder(nn.Module):
    """Encode a portrait as an identity code (z_id).

    Follows: MegaPortraits, global identity descriptor.
    """

    config: face_config.FaceConfig

    @nn.compact
    def __call__(self, image: jax.Array) -> jax.Array:
        """Map `[B, H, W, 3]` of any size to `[B, I]`."""
        config = self.config.identity_encoder
        return VectorEncoder(
            config, self.config.identity_channels, **_computation(self.config)
        )(_resize(image, config.size))


def _computation(config: face_config.FaceConfig) -> dict:
    return {"dtype": jnp.dtype(config.dtype), "use_remat": config.use_remat}


def align_face(
    image: jax.Array,
    head_pose: types.HeadPose,
    size: int,
    centre: tuple[float, float, float] = FACE_CENTRE,
    half_size: float = FACE_HALF_SIZE,
) -> jax.Array:
    """Cut the face out of an image, upright and of one size.

    Ours: see `DynamicsEncoder`. The pose is taken as given: no gradient flows to it.

    Args:
        image: `[B, H, W, 3]`.
        head_pose: leading shape `[B]`.
        size: side of the result, pixels.
        centre, half_size: of the square that is cut out, in the head's frame.

    Returns:
        `[B, size, size, 3]`.
    """
    head_pose = jax.lax.stop_gradient(head_pose)
    batch = image.shape[0]
    middle = jnp.broadcast_to(jnp.array(centre), (batch, 1, 3))
    middle = geometry.pose_points(middle, head_pose)[..., :2]
    grid = einops.rearrange(geometry.image_grid(size, size), "h w c -> 1 (h w) c")
    flat = jnp.concatenate([grid, jnp.zeros_like(grid[..., :1])], axis=-1)
    still = jnp.zeros_like(head_pose.rotation)
    roll_only = types.HeadPose(
        rotation=still.at[:, 2].set(head_pose.rotation[:, 2]),
        translation=jnp.zeros_like(head_pose.translation),
        scale=head_pose.scale * half_size,
    )
    flat = jnp.broadcast_to(flat, (batch, *flat.shape[1:]))
    grid = geometry.pose_points(flat, roll_only)[..., :2] + middle
    face = geometry.sample_image(image, grid)
    return einops.rearrange(face, "b (h w) c -> b h w c", h=size)


def _resize(image: jax.Array, size: int) -> jax.Array:
    if image.shape[1] == size:
        return image
    return geometry.resize(image, size, size)
