"""What the decoder's cells are too wide for, drawn anew on the unwrapped face.

Ours: an iris is two of the decoder's cells, so that eyes which look aside came out as
smears: a flow that cannot part iris and white, over a painting as coarse. On the
unwrapped face three times as many cells a side lie on eyes and mouth, and none on hair
and background.
"""

import functools
from typing import NamedTuple

import einops
import flax.linen as nn
import jax
import jax.numpy as jnp

from vasa_jax import geometry, layers, types
from vasa_jax.face import config as face_config
from vasa_jax.face.shortcut import subpixel, unwrapping

REACH = 0.1
"""Largest correction of the flow, half images. Ours: an iris that goes from one corner
of the eye to the other moves by 0.07."""

PAINTED_REACH = 4.0
"""Largest correction of what is painted, before its limits. Ours: from a dark pupil to
the white of an eye."""

FADE = 0.15
"""Share of the face's half side over which corrections fade to nothing at its edges.
Ours: nothing of cheeks and chin that moves ends there."""

NUM_BLOCKS = 2
"""Residual blocks at half the map's size. Ours: with the code and the map of facial
dynamics they need not see more than an eye."""


class Detail(NamedTuple):
    """Corrections in the frame, at the size of the painted image.

    Attributes:
        flow: `[B, h, w, 2]` of where in the portrait each pixel lies.
        painted: `[B, h, w, 4]` of what the decoder paints and of the mask, both before
            their limits.
    """

    flow: jax.Array
    painted: jax.Array


class FaceDetail(nn.Module):
    """Correct flow, painting and mask on the unwrapped face.

    Ours: see the module. The network sees the portrait's unwrapped face, the face as
    the frame would show it (warped and painted), the decoder's features and the map of
    facial dynamics, all on one grid of the face; all its corrections begin at nothing.
    """

    config: face_config.FaceConfig

    @nn.compact
    def __call__(
        self,
        features: jax.Array,
        face_map: jax.Array,
        painted: jax.Array,
        flow: jax.Array,
        pixels: types.PortraitPixels,
        head_pose: types.HeadPose,
        code: jax.Array,
    ) -> Detail:
        """Find the corrections of a frame.

        Args:
            features: `[B, f, f, C]` of the decoder's last stage.
            face_map: `[B, s, s, C']` of facial dynamics; see `unwrapping.FaceMap`.
            painted: `[B, h, h, 4]` colours and mask, both before their limits.
            flow: `[B, f, f, 2]` of the portrait.
            pixels: the portrait's.
            head_pose: the frame's, leading shape `[B]`.
            code: `[B, I]` that steers the norms.
        """
        dtype = jnp.dtype(self.config.dtype)
        size = self.config.shortcut.detail_size
        channels = self.config.shortcut.detail_channels
        half = size // 2
        seen = self._seen(painted, flow, pixels, head_pose, size).astype(dtype)
        parts = (
            einops.rearrange(seen, "b (h i) (w j) c -> b h w (i j c)", i=2, j=2),
            unwrapping.unwrap(nn.relu(features), head_pose, half),
            geometry.resize(face_map, half, half),
        )
        x = jnp.concatenate([part.astype(dtype) for part in parts], axis=-1)
        x = nn.Dense(channels, dtype=dtype, name="narrow")(x)
        for index in range(NUM_BLOCKS):
            x = _Block(channels, dtype, name=f"block_{index}")(x, code)
        conv = functools.partial(layers.Convolution, dtype=dtype)
        x = nn.silu(subpixel.shuffle(conv(2 * channels, name="grow")(x), 2))
        x = jnp.concatenate([x, seen], axis=-1)
        return self._lay(conv, x, head_pose, painted.shape[1])

    def _seen(self, painted, flow, pixels, head_pose, size):
        """Return portrait, warped portrait, painting and mask on the face."""
        image = pixels.reduced
        frame = jnp.concatenate(
            [geometry.resize(flow, *painted.shape[1:3]), painted], axis=-1
        )
        frame = unwrapping.unwrap(frame, head_pose, size)
        warped = geometry.sample_image(image, frame[..., :2])
        return jnp.concatenate(
            [pixels.unwrapped, warped, jnp.tanh(frame[..., 2:])], axis=-1
        )

    def _lay(self, conv, x, head_pose, size):
        """Bring the corrections from the face into the frame."""
        nothing = nn.initializers.zeros
        flow = conv(2, kernel_init=nothing, name="flow")(x).astype(jnp.float32)
        painted = conv(4 * 4, kernel_init=nothing, name="painted")(x)
        painted = subpixel.shuffle(painted.astype(jnp.float32), 2)
        flow = geometry.resize(flow, *painted.shape[1:3])
        grid = unwrapping.grid_on_face(head_pose, self.config.flow_size)
        grid = geometry.resize(grid, size, size)
        laid = jnp.concatenate([flow, painted / PAINTED_REACH], axis=-1)
        # The limits come after the sampling: before them XLA samples twice.
        laid = jnp.tanh(geometry.sample_image(laid, grid)) * fade(grid)
        return Detail(flow=REACH * laid[..., :2], painted=PAINTED_REACH * laid[..., 2:])


class _Block(nn.Module):
    """Add to features what a code and their surroundings say; begins at nothing.

    Ours: with the decoder's blocks, whose sums begin as noise ten times as strong as
    what they are added to, 500 steps taught nothing but to keep corrections small.
    """

    channels: int
    dtype: jnp.dtype

    @nn.compact
    def __call__(self, x: jax.Array, code: jax.Array) -> jax.Array:
        """Return `[B, h, w, C]` of the same shape, by a code `[B, I]`."""
        conv = functools.partial(layers.Convolution, self.channels, dtype=self.dtype)
        y = nn.silu(layers.AdaptiveNorm(dtype=self.dtype)(x, code))
        y = nn.silu(conv()(y))
        return x + conv(kernel_init=nn.initializers.zeros)(y)


def fade(grid: jax.Array) -> jax.Array:
    """Return 1 on the face and 0 beside it, `[..., 1]` of places `[..., 2]` on it."""
    inside = jnp.clip((1.0 - jnp.abs(grid)) / FADE, 0.0, 1.0)
    return inside.prod(-1, keepdims=True)


def reduce_portrait(
    image: jax.Array, head_pose: types.HeadPose, config: face_config.FaceConfig
) -> tuple[jax.Array, jax.Array]:
    """Make of a portrait what `FaceDetail` sees of it, once for all frames.

    Args:
        image: `[B, H, W, 3]`.
        head_pose: the portrait's, leading shape `[B]`.
        config: sizes.

    Returns:
        The portrait at the size of the painted image, and its unwrapped face
        `[B, s, s, 3]`.
    """
    size = config.decoder_size
    reduced = geometry.resize(image, size, size)
    return reduced, unwrapping.unwrap(reduced, head_pose, config.shortcut.detail_size)
