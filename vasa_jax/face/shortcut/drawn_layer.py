"""A window of a frame with something drawn in it, and how it is laid over the frame.

Ours: only what changes is drawn, as finely as the frame is.
"""

import jax
import jax.numpy as jnp
from flax import struct

from vasa_jax import geometry


@struct.dataclass
class DrawnLayer:
    """What is drawn over B frames.

    Attributes:
        colours: `[B, h, w, 3]` in [-1, 1].
        share: `[B, h, w, 1]` in [0, 1].
        corner: int32 `[B, 2]` row and column of the window in the frame.
    """

    colours: jax.Array
    share: jax.Array
    corner: jax.Array


def place(
    points: jax.Array, sides: tuple[int, int], size: int
) -> tuple[jax.Array, jax.Array]:
    """Place windows about points.

    Args:
        points: `[B, P, 2]` in [-1, 1].
        sides: height and width of the windows, pixels.
        size: side of the frames, pixels.

    Returns:
        int32 `[B, 2]` row and column of the windows, and the sampling grid
        `[B, h, w, 2]` of their pixels.
    """
    sides_of = jnp.array(sides)[None]
    centre = jax.lax.stop_gradient((points.min(1) + points.max(1)) / 2)
    corner = jnp.round((centre[:, ::-1] + 1.0) * (0.5 * size) - 0.5 * sides_of)
    corner = jnp.clip(corner, 0, size - sides_of).astype(jnp.int32)
    middle = (corner + 0.5 * sides_of) * (2.0 / size) - 1.0
    grid = geometry.image_grid(*sides)[None] * (sides_of[:, None, None, ::-1] / size)
    return corner, grid + middle[:, None, None, ::-1]


def lay(image: jax.Array, layer: DrawnLayer) -> jax.Array:
    """Lay what is drawn over frames `[B, H, W, 3]`."""
    drawn = geometry.once(jnp.concatenate([layer.colours, layer.share], axis=-1))

    def one(image, drawn, corner):
        start = (corner[0], corner[1], 0)
        colours, share = jnp.split(drawn, [3], axis=-1)
        under = jax.lax.dynamic_slice(image, start, colours.shape)
        laid = under + share * (colours - under)
        return jax.lax.dynamic_update_slice(image, laid, start)

    return jax.vmap(one)(image, drawn, layer.corner)


def cut(image: jax.Array, layer: DrawnLayer) -> jax.Array:
    """Cut the windows of a layer `[B, h, w, C]` out of frames `[B, H, W, C]`."""

    def one(image, corner):
        shape = (*layer.share.shape[1:3], image.shape[-1])
        return jax.lax.dynamic_slice(image, (corner[0], corner[1], 0), shape)

    return jax.vmap(one)(image, layer.corner)
