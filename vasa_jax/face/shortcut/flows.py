"""Where in the portrait each cell of a frame lies, and how it is lit there.

Ours: the image shortcut; see `network.Shortcut`.
"""

import math
from typing import NamedTuple

import einops
import flax.linen as nn
import jax
import jax.numpy as jnp

from vasa_jax import geometry, layers
from vasa_jax.face.shortcut import sampling_grids

COARSE_REACH = 0.25
"""Largest correction of the coarse flow, half images. Ours: torso sway, wide mouths."""

FINE_REACH = 0.12
"""Largest correction of the refined flow, half images. Ours: lips and lids."""

BODY_BIAS = -3.0
"""Where the share of the body's grid starts, before the softmax. Ours: towards grids
that an older decoder knows; shares of the torso are taught soon."""

DRAWN_ON = 5
"""Side of the square of cells over which the flow of a person goes on beyond it. Ours:
its edge lies within two cells of where the still grid takes over."""

MIRROR_BIAS = -2.0
"""Where the share of the mirrored portrait starts, before the sigmoid. Ours: towards
the painted image, as what the portrait hides begins at the edges of the face, where
mirrors err."""

LIGHT_REACH = 1.0
"""Largest logarithm of the gain of the portrait's colours, its own and the mirrored
one's. Ours: lamps stand to one side, and one cheek is up to some three times as bright
as the other; a head that turns moves through their light."""

LIGHT_CELLS = 8
"""Cells a side of the light, between which it is interpolated. Ours: light on a head is
smooth; one that could change from lip to lip painted teeth over lips, in a colour of
neither, and the mask left them there."""


class Coarse(NamedTuple):
    """The flow at the size of the decoder's features.

    Attributes:
        flow: `[B, h, w, 2]` where in the portrait each cell lies.
        mirrored_flow: `[B, h, w, 2]` where its mirror image lies.
        person_flow: `[B, h, w, 2]` the flow without what the still grid adds: where in
            the portrait a cell lies if it shows the person.
        still_share: `[B, h, w, 1]` share of the still grid in the flow.
        body_share: `[B, h, w, 1]` share of the body's grid in it.
    """

    flow: jax.Array
    mirrored_flow: jax.Array
    person_flow: jax.Array
    still_share: jax.Array
    body_share: jax.Array

    def shifted(self, shift: jax.Array) -> "Coarse":
        """Move the places `[B, h, w, 2]` that are not mirrored, half images."""
        return self._replace(
            flow=self.flow + shift, person_flow=self.person_flow + shift
        )


class CoarseFlow(nn.Module):
    """Turn the composed warps into a 2-D flow at the size of the decoder's features.

    Ours: see `network.Shortcut`. The still grid and the body's stand beside those of
    the depths, so that one softmax chooses among all of them; it chooses for the mirror
    images too.
    """

    @nn.compact
    def __call__(
        self, features: jax.Array, grids: sampling_grids.SamplingGrids
    ) -> Coarse:
        """Map `[B, h, w, C]` and grids of `[B, D, h', w']` voxels to a flow."""
        batch, height, width = features.shape[:3]
        depth = grids.own.shape[1]
        features = nn.relu(features).astype(jnp.float32)
        raw = slight(depth + 3, name="logits")(features)
        body = slight(1, name="body")(features) + BODY_BIAS
        logits = jnp.concatenate([raw[..., : depth + 1], body], axis=-1)
        share = nn.softmax(logits, axis=-1)
        still = geometry.image_grid(height, width)
        still = jnp.broadcast_to(still, (batch, 1, height, width, 2))
        unturned = jnp.concatenate([still, grids.body[:, None]], axis=1)

        def choose(points):
            choices = geometry.resize(points[..., :2], depth, height, width)
            choices = jnp.concatenate([choices, unturned], axis=1)
            return jnp.einsum("bhwd,bdhwc->bhwc", share, choices)

        chosen = choose(grids.own)
        correction = COARSE_REACH * jnp.tanh(raw[..., depth + 1 :])
        still_share = share[..., depth, None]
        return Coarse(
            flow=chosen + correction,
            mirrored_flow=choose(grids.mirrored),
            person_flow=_drawn_on(chosen, still_share) + correction,
            still_share=still_share,
            body_share=share[..., depth + 1, None],
        )


def _drawn_on(flow, still_share):
    """Let the flow of what moves go on over cells where the still grid mixes in."""
    still = geometry.image_grid(*flow.shape[1:3])[None]
    trust = (1.0 - still_share) ** 4
    window = {"window_shape": (DRAWN_ON, DRAWN_ON), "padding": "SAME"}
    way = nn.avg_pool(trust * (flow - still), **window)
    way = way / jnp.maximum(nn.avg_pool(trust, **window), 1e-4)
    return flow + (1.0 - trust) * (still + way - flow)


class Fine(NamedTuple):
    """The refined flow of the portrait, and what lights it there.

    Attributes:
        flow: `[B, h, w, 2]` where in the portrait each cell lies.
        person_flow: `[B, h, w, 2]` the same if it shows the person.
        light: `[B, h, w, 3]` what lights its colours as its new place is lit; see
            `LIGHT_REACH`.
    """

    flow: jax.Array
    person_flow: jax.Array
    light: jax.Array


class Mirrored(NamedTuple):
    """How the mirrored portrait comes into a frame.

    Attributes:
        flow: `[B, h, w, 2]` where in the portrait the mirror image of each cell lies.
        logits: `[B, h, w, 1]` of its share in what the portrait itself hides.
        light: `[B, h, w, 3]` what lights its colours as this side of the face is lit;
            see `LIGHT_REACH`.
    """

    flow: jax.Array
    logits: jax.Array
    light: jax.Array


class Mirror(nn.Module):
    """Refine the flow of the mirrored portrait, its light, and where to believe it.

    Ours: faces are not quite symmetric, and light falls on one side; the rest is left
    to the painted image.
    """

    @nn.compact
    def __call__(self, features: jax.Array, flow: jax.Array) -> Mirrored:
        """Map `[B, h, w, C]` and the coarse flow `[B, h, w, 2]`."""
        features = nn.relu(features).astype(jnp.float32)
        raw = slight(3, name="output")(features)
        return Mirrored(
            flow=flow + FINE_REACH * jnp.tanh(raw[..., :2]),
            logits=raw[..., 2:] + MIRROR_BIAS,
            light=slight(3, name="light")(features),
        )


def slight(features: int, name: str | None = None) -> nn.Module:
    """Return a convolution that begins with next to nothing."""
    return layers.Convolution(
        features, kernel_init=nn.initializers.normal(1e-3), name=name
    )


def light_gain(light: jax.Array) -> jax.Array:
    """Turn light into a smooth gain of the distance from black.

    Args:
        light: `[B, h, w, 3]` before the limits of `LIGHT_REACH`; averaged down to
            `LIGHT_CELLS` a side, or as many fewer as divide `h` and `w`.

    Returns:
        `[B, h, w, 3]`, above 0.
    """
    cells = [math.gcd(LIGHT_CELLS, size) for size in light.shape[1:3]]
    gain = LIGHT_REACH * jnp.tanh(light)
    gain = einops.reduce(
        gain, "b (h i) (w j) c -> b h w c", "mean", h=cells[0], w=cells[1]
    )
    # Cubically, since edges of cells would show on plain skin.
    return jnp.exp(jax.image.resize(gain, light.shape, "cubic"))


def relight(image: jax.Array, light: jax.Array) -> jax.Array:
    """Multiply the colours of an image by a smooth gain.

    Args:
        image: `[B, H, W, 3]`, -1 is black.
        light: see `light_gain`.
    """
    return (image + 1.0) * geometry.resize(light_gain(light), *image.shape[1:3]) - 1.0
