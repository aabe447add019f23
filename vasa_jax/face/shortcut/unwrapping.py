"""Facial dynamics drawn on the unwrapped face, and laid over the driver's view.

Ours: lips and lids are a few cells of the volume, and a code that steers whole layers
says what they do but not where. On the unwrapped face mouth and eyes lie at the same
place whatever the pose, so that few weights learn them within hundreds of steps.
"""

import einops
import flax.linen as nn
import jax
import jax.numpy as jnp

from vasa_jax import geometry, layers, types
from vasa_jax.face import config as face_config

CENTRE = (0.0, 0.13)
"""Centre of the unwrapped face (x, y) in the head's frame, half images at scale 1.
Ours: as `encoders.FACE_CENTRE`."""

HALF_SIZE = 0.52
"""Half its side, half images at scale 1. Ours: brows to chin, cheek to cheek."""

SURFACE = (-0.71, 1.4, 0.2)
"""Depth of the face's surface: constant, and factors of the squares of x and y.

Ours: fitted to MediaPipe's canonical face, whose mouth and eyes lie within 0.03; it is
a little flatter at the cheeks, so that views from the side stay invertible."""

NUM_INVERSIONS = 5
"""Rounds that find a pixel's place on the surface. Ours: half the pixels are within a
tenth of a cell of the map at turns of 30 degrees, mouth and eyes within a quarter."""

NUM_BLOCKS = 2
"""Residual blocks of the map. Ours: the fewest that see a mouth at once."""

SEED_SIZE = 8
"""Side of the map as the code first draws it. Ours: a quarter of the demo's."""


class FaceMap(nn.Module):
    """Draw what facial dynamics ask of a portrait on its unwrapped face.

    Ours: see the module. What must move is what changes; the portrait's own dynamics
    say from where.
    """

    config: face_config.FaceConfig

    @nn.compact
    def __call__(self, latents: types.FaceLatents, change: jax.Array) -> jax.Array:
        """Return the map `[B, s, s, C]`, s and C from `config.ShortcutConfig`.

        Args:
            latents: of B portraits.
            change: `[B, 54]` from the portraits to the frames; see
                `dynamics_map.DynamicsMap.read_change`.
        """
        config, dtype = self.config, jnp.dtype(self.config.dtype)
        size = config.shortcut.face_map_size
        channels = config.shortcut.face_map_channels
        both = jnp.concatenate([change, latents.facial_dynamics], axis=-1)
        code = latents.identity + nn.Dense(config.identity_channels, name="dynamics")(
            both
        )
        seed_size = min(SEED_SIZE, size)
        x = nn.Dense(seed_size**2 * channels, dtype=dtype, name="seed")(code)
        x = einops.rearrange(x, "b (h w c) -> b h w c", h=seed_size, w=seed_size)
        x = geometry.resize(x, size, size) if size != seed_size else x
        own = unwrap(latents.pixels.features, latents.head_pose, size)
        x = x + nn.Dense(channels, dtype=dtype, name="portrait")(own)
        for index in range(NUM_BLOCKS):
            x = layers.ResidualBlock(
                channels,
                dtype=dtype,
                use_remat=config.use_remat,
                name=f"block_{index}",
            )(x, code)
        return nn.relu(layers.AdaptiveNorm(dtype=dtype)(x))


def surface_points(size: int) -> jax.Array:
    """Return canonical points `[s, s, 3]` of the unwrapped face's cells."""
    flat = geometry.image_grid(size, size) * HALF_SIZE
    flat = flat + _row(CENTRE, flat)
    depth = _depth(flat[..., 0], flat[..., 1])
    return jnp.concatenate([flat, depth[..., None]], axis=-1)


def unwrap(image: jax.Array, head_pose: types.HeadPose, size: int) -> jax.Array:
    """Sample `[B, H, W, C]` on the face's surface.

    Args:
        image: features or pixels.
        head_pose: where the head is, leading shape `[B]`.
        size: side of the result.

    Returns:
        `[B, s, s, C]`.
    """
    points = surface_points(size)
    points = jnp.broadcast_to(points, (image.shape[0], *points.shape))
    grid = geometry.pose_points(points, head_pose)[..., :2]
    return geometry.sample_image(image, grid)


def wrap(unwrapped: jax.Array, head_pose: types.HeadPose, size: int) -> jax.Array:
    """Lay `[B, s, s, C]` over the view of a head: the inverse of `unwrap`.

    Args:
        unwrapped: values on the face's surface.
        head_pose: where the head is, leading shape `[B]`.
        size: side of the result.

    Returns:
        `[B, size, size, C]`, zero beside the face.
    """
    grid = grid_on_face(head_pose, size)
    cells = 0.5 * unwrapped.shape[1]
    shown = jnp.clip((1.0 - jnp.abs(grid)) * cells, 0.0, 1.0).prod(-1, keepdims=True)
    values = geometry.sample_image(unwrapped, grid)
    return values * shown.astype(values.dtype)


def grid_on_face(head_pose: types.HeadPose, size: int) -> jax.Array:
    """Return where on the unwrapped face each pixel of a view lies.

    Args:
        head_pose: leading shape `[B]`.
        size: side of the view.

    Returns:
        `[B, size, size, 2]` of (x, y), in [-1, 1] on the face.
    """
    rotation = geometry.rotation_matrix(head_pose.rotation)[:, :2]
    flatten = geometry.inverse_2d(rotation[:, :, :2])
    view = geometry.image_grid(size, size)[None] - head_pose.translation[:, None, None]
    view = view / head_pose.scale[:, None, None]
    # In planes, x apart from y: products of so small matrices take a CPU ten times.
    (xx, xy), (yx, yy) = einops.rearrange(flatten, "b i j -> i j b 1 1")
    slide = jnp.einsum("bij,bj->bi", flatten, rotation[:, :, 2])
    slide_x, slide_y = einops.rearrange(slide, "b c -> c b 1 1")
    right, below = view[..., 0], view[..., 1]
    straight_x, straight_y = xx * right + xy * below, yx * right + yy * below
    x, y = (jnp.full_like(right, centre) for centre in CENTRE)
    for _ in range(NUM_INVERSIONS):
        depth = _depth(x, y)
        x, y = straight_x - depth * slide_x, straight_y - depth * slide_y
    return (jnp.stack([x, y], axis=-1) - _row(CENTRE, view)) / HALF_SIZE


def _depth(x: jax.Array, y: jax.Array) -> jax.Array:
    """Return the depth of the surface over x and y, flat beyond the face."""
    constant, across, down = SURFACE
    last = (HALF_SIZE + max(CENTRE)) ** 2
    x_square, y_square = (jnp.minimum(jnp.square(at), last) for at in (x, y))
    return constant + across * x_square + down * y_square


def _row(values, like: jax.Array) -> jax.Array:
    return jnp.array(values).reshape((1,) * (like.ndim - 1) + (-1,))
