"""What lies behind the portrait's head, spread from what is seen around it.

Ours: where a head turns or moves away, the decoder must paint what the portrait hides.
Its convolutions see a few cells around each; left to itself it paints the old head's
ghost. Here the surroundings are carried into the hidden place before. A small
network finds what belongs to them, taught by the truth where it is known: without it,
edges of hair count as surroundings, and are what is spread.
"""

from typing import NamedTuple

import einops
import flax.linen as nn
import jax
import jax.numpy as jnp

from vasa_jax import geometry, layers, types

CENTRE = (0.0, -0.12)
"""Centre (x, y) of the ellipse that head and hair fill, from the head's centre, half
images at scale 1. Ours: as the synthetic heads have it."""

RADII = (0.82, 1.0)
"""Its radii, half images at scale 1. Ours: wide enough for usual hair; what is longer
is found by the learned part."""

SHARPNESS = 14.0
"""How fast the ellipse's edge goes from head to background. Ours: over a sixth of its
radius."""

CHANNELS = (24, 32, 32, 32)
"""Of the network that parts head and surroundings, from full size to an eighth. Ours:
it runs once a portrait; at an eighth a cell sees the whole head."""

MARGIN = 5
"""Side of the square of cells that must all be background for one to be spread. Ours:
hair ends in strands, whose colour would draw the head's outline."""

LEAST_SHARE = 1e-4
"""Share of background from which a coarse cell is believed. Ours."""


class Background(nn.Module):
    """Find the background of a portrait, also where the head hides it.

    Ours: see the module. The share of background in each cell is an ellipse about the
    head, corrected by a network that starts at nothing.
    """

    @nn.compact
    def __call__(
        self, features: jax.Array, image: jax.Array, head_pose: types.HeadPose
    ) -> tuple[jax.Array, jax.Array]:
        """Map features `[B, h, w, C]` of portraits to their background.

        Args:
            features: of the portraits.
            image: the portraits, `[B, H, W, 3]`.
            head_pose: the portraits', leading shape `[B]`.

        Returns:
            The background's features and colours `[B, h, w, C + 3]`, and the logits of
            its share of each cell `[B, h, w, 1]`.
        """
        height, width = features.shape[1:3]
        colours = geometry.resize(image, height, width)
        seen = jnp.concatenate([features.astype(jnp.float32), colours], axis=-1)
        around = prior(head_pose, height, width)
        logits = around + self._correction(jnp.concatenate([seen, around], axis=-1))
        share = shrink(nn.sigmoid(logits), MARGIN)
        return fill(seen, share), logits

    def _correction(self, x: jax.Array) -> jax.Array:
        """Map `[B, h, w, C]` to logits `[B, h, w, 1]`, at sizes down to an odd one.

        Follows: U-Net.
        """
        wider = []
        for stage, channels in enumerate(CHANNELS):
            if stage:
                wider.append(x)
                if x.shape[1] % 2 == 0 and x.shape[2] % 2 == 0:
                    x = layers.halve(x)
            x = nn.relu(layers.Convolution(channels, name=f"down_{stage}")(x))
        for stage in reversed(range(len(wider))):
            if x.shape[1] < wider[stage].shape[1]:
                x = layers.double(x)
            x = jnp.concatenate([x, wider[stage]], axis=-1)
            x = nn.relu(layers.Convolution(CHANNELS[stage], name=f"up_{stage}")(x))
        zeros = nn.initializers.zeros
        return layers.Convolution(1, kernel_init=zeros, name="correction")(x)


class Uncovered(NamedTuple):
    """What a frame shows of what the portrait's head hides.

    Attributes:
        share: `[B, h, w, 1]` of each cell.
        features: `[B, h, w, C]` of the background there.
        colours: `[B, h, w, 3]` of the background there.
    """

    share: jax.Array
    features: jax.Array
    colours: jax.Array


def uncover(pixels: types.PortraitPixels, still_share: jax.Array) -> Uncovered:
    """Find where a frame shows what the portrait's head hides, and what is there.

    Ours: that is where the frame keeps still and the portrait shows the head; without
    it the old head's outline stays in the frame.

    Args:
        pixels: the portrait's.
        still_share: `[B, h, w, 1]` share of the still grid in the flow.
    """
    hidden = 1.0 - shrink(nn.sigmoid(pixels.background_logits), MARGIN)
    height, width = still_share.shape[1:3]
    behind = geometry.resize(pixels.behind_head, height, width)
    return Uncovered(
        share=still_share * geometry.resize(hidden, height, width),
        features=behind[..., :-3],
        colours=behind[..., -3:],
    )


def prior(head_pose: types.HeadPose, height: int, width: int) -> jax.Array:
    """Return logits `[B, h, w, 1]` that a cell shows background: an ellipse's outside.

    Args:
        head_pose: leading shape `[B]`.
        height, width: of the cells over the image.
    """
    middle = head_pose.translation + head_pose.scale * jnp.asarray([CENTRE])
    away = geometry.image_grid(height, width)[None] - middle[:, None, None]
    radii = head_pose.scale * jnp.asarray([RADII])
    distance = jnp.linalg.norm(away / radii[:, None, None], axis=-1, keepdims=True)
    return SHARPNESS * (distance - 1.0)


def shrink(share: jax.Array, size: int) -> jax.Array:
    """Take the least of `size` x `size` cells around each of `[B, H, W, 1]`."""
    return -nn.max_pool(-share, (size, size), padding="SAME")


def fill(values: jax.Array, share: jax.Array) -> jax.Array:
    """Fill what is not to be believed from what is around it, coarse to fine.

    Follows: Gortler et al. 1996 (push-pull).

    Args:
        values: `[B, H, W, C]`.
        share: `[B, H, W, 1]` in [0, 1], how far each cell is believed.

    Returns:
        `[B, H, W, C]`; as `values` where `share` is 1.
    """
    weighted = values * share
    levels = []
    while weighted.shape[1] % 2 == 0 and weighted.shape[2] % 2 == 0:
        levels.append((weighted, share))
        weighted, share = layers.halve(weighted), layers.halve(share)
    total = einops.reduce(weighted, "b h w c -> b 1 1 c", "sum")
    count = einops.reduce(share, "b h w c -> b 1 1 c", "sum")
    mean = total / jnp.maximum(count, LEAST_SHARE)
    filled = weighted + (1.0 - share) * mean
    for weighted, share in reversed(levels):
        coarse = geometry.resize(filled, *weighted.shape[1:3])
        filled = weighted + (1.0 - share) * coarse
    return filled
