"""From a warped volume to a frame, by painting and by warping the portrait's pixels.

Paper: VASA-1 §3.1 (one decoder). Follows: MegaPortraits, image decoder. Ours: the
image shortcut; see `Decoder`.
"""

import functools
from typing import NamedTuple

import einops
import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import struct

from vasa_jax import geometry, layers, types
from vasa_jax.face import background
from vasa_jax.face import config as face_config

COARSE_REACH = 0.25
"""Largest correction of the coarse flow, half images. Ours: torso sway, wide mouths."""

FINE_REACH = 0.12
"""Largest correction of the refined flow, half images. Ours: lips and lids."""

MASK_BIAS = 1.0
"""Where the mask starts, before the sigmoid. Ours: towards the warped portrait, since
an unripe decoder's blur would ghost over everything."""


@struct.dataclass
class RenderedFrame:
    """A frame and what it was made of; all float32.

    Attributes:
        image: `[B, H, W, 3]` the frame.
        decoded: `[B, h, w, 3]` what the decoder paints.
        warped: `[B, H, W, 3]` the portrait warped into place; zeros without shortcut.
        mask_logits: `[B, h, w, 1]` share of `warped` before the sigmoid.
        flow: `[B, f, f, 2]` where in the portrait each cell of the frame lies.
        coarse_flow: `[B, c, c, 2]` the same before refinement.
        stillness: `[B, c, c]` share of the still grid in it.
    """

    image: jax.Array
    decoded: jax.Array
    warped: jax.Array
    mask_logits: jax.Array
    flow: jax.Array
    coarse_flow: jax.Array
    stillness: jax.Array


class Decoder(nn.Module):
    """Paint a frame and, with the shortcut, warp the portrait's own pixels into it.

    The composed warps give each voxel of the driver's space a place in the portrait. A
    softmax over depth makes a 2-D flow of them; what does not turn with the head
    (torso, background) takes the still grid instead; corrections refine it at two
    sizes. The portrait is warped by it, with its background in the place that the head
    leaves, and blended with the painted image by a mask.

    Follows: MegaPortraits, image decoder, for the painting; Shi et al. (sub-pixel
    convolution) for the last step, which a CPU does faster than blocks at full size.
    Ours: the shortcut, because small models keep identity and sharpness when the pixels
    are the portrait's own; stages narrow before their block, at half its cost.
    """

    config: face_config.FaceConfig

    @nn.compact
    def __call__(
        self,
        volume: jax.Array,
        source_points: jax.Array,
        code: jax.Array,
        latents: types.FaceLatents,
        overlay: jax.Array | None = None,
    ) -> RenderedFrame:
        """Render from `[B, D, h, w, C]` in driver space.

        Args:
            volume: `[B, D, h, w, C]` appearance in the driver's space.
            source_points: `[B, D, h, w, 3]` where each voxel lies in the portrait.
            code: `[B, I]` of facial dynamics and identity.
            latents: the portrait's, for the shortcut.
            overlay: `[B, f, f, C]` facial dynamics laid over the view; see
                `unwrapping`. With it comes what the portrait shows at each place, as
                the background behind a head that moves.
        """
        config, dtype = self.config, jnp.dtype(self.config.dtype)
        code = code if config.is_decoder_conditioned else None
        block = functools.partial(
            layers.ResidualBlock, dtype=dtype, use_remat=config.use_remat
        )
        x = einops.rearrange(volume, "b d h w c -> b h w (d c)")
        x = nn.Dense(config.decoder_channels[0], dtype=dtype, name="flatten")(x)
        for index in range(config.decoder_blocks):
            x = block(config.decoder_channels[0], name=f"deep_{index}")(x, code)
        coarse_flow = flow = still = hidden = None
        for stage, channels in enumerate(config.decoder_channels[1:], start=1):
            x = layers.double(x)
            if overlay is not None and stage == config.flow_stage:
                x = x + self._lay_over(overlay, latents, x.shape[-1])
            if config.use_shortcut and stage == config.flow_stage:
                coarse_flow, still = CoarseFlow(name="coarse_flow")(x, source_points)
                features = geometry.sample_image(latents.source_features, coarse_flow)
                if config.fills_background:
                    hidden = uncover(latents, still)
                    features = _mix(features, hidden.behind[..., :-3], hidden.share)
                x = jnp.concatenate([x, features.astype(dtype)], axis=-1)
            x = nn.Dense(channels, dtype=dtype, name=f"narrow_{stage}")(x)
            x = block(channels, name=f"grow_{stage}")(x, code)
            if config.use_shortcut and stage == config.flow_stage:
                correction = layers.Convolution(
                    2, kernel_init=nn.initializers.normal(1e-3), name="fine_flow"
                )(nn.relu(x).astype(jnp.float32))
                flow = coarse_flow + FINE_REACH * jnp.tanh(correction)
        x = nn.relu(layers.AdaptiveNorm(dtype=dtype)(x))
        growth = config.output_upsampling
        x = layers.Convolution(4 * growth**2, dtype=dtype, name="paint")(x)
        x = einops.rearrange(
            x.astype(jnp.float32),
            "b h w (i j c) -> b (h i) (w j) c",
            i=growth,
            j=growth,
        )
        decoded = jnp.tanh(x[..., :3])
        mask_logits = _smooth(x[..., 3:], growth) + MASK_BIAS
        return self._blend(
            decoded, mask_logits, flow, coarse_flow, still, hidden, latents
        )

    def _lay_over(self, overlay, latents, channels):
        """Map what is laid over the view to `channels`; all begins at nothing."""
        still, size = latents.source_features, overlay.shape[1:3]
        if self.config.fills_background:
            still, colours = jnp.split(latents.background, [still.shape[-1]], axis=-1)
        dense = functools.partial(
            nn.Dense,
            channels,
            kernel_init=nn.initializers.zeros,
            dtype=jnp.dtype(self.config.dtype),
        )
        still = _fit(still, *size).astype(overlay.dtype)
        laid = dense(name="overlay")(jnp.concatenate([overlay, still], axis=-1))
        if self.config.fills_background:
            colours, logits = jnp.split(colours, [3], axis=-1)
            seen = jnp.concatenate([colours, nn.sigmoid(logits)], axis=-1)
            laid = laid + dense(name="background")(_fit(seen, *size))
        return laid

    def _blend(self, decoded, mask_logits, flow, coarse_flow, still, hidden, latents):
        height, width = latents.source_image.shape[1:3]
        painted = _fit(decoded, height, width)
        if not self.config.use_shortcut:
            nothing = jnp.zeros_like(decoded[..., :2])
            return RenderedFrame(
                image=painted,
                decoded=decoded,
                warped=jnp.zeros_like(painted),
                mask_logits=mask_logits,
                flow=nothing,
                coarse_flow=nothing,
                stillness=nothing[..., 0],
            )
        fine_grid = _fit(flow, height, width)
        warped = geometry.sample_image(latents.source_image, fine_grid)
        if hidden is not None:
            warped = _mix(
                warped,
                _fit(hidden.behind[..., -3:], height, width),
                _fit(hidden.share, height, width),
            )
        mask = _fit(nn.sigmoid(mask_logits), height, width)
        return RenderedFrame(
            image=mask * warped + (1.0 - mask) * painted,
            decoded=decoded,
            warped=warped,
            mask_logits=mask_logits,
            flow=flow,
            coarse_flow=coarse_flow,
            stillness=still[..., 0],
        )


class CoarseFlow(nn.Module):
    """Turn the composed warps into a 2-D flow at the size of the decoder's features.

    Ours: see `Decoder`. The still grid is one more place beside those of the depths,
    so that one softmax chooses among all of them.
    """

    @nn.compact
    def __call__(
        self, features: jax.Array, source_points: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """Map `[B, h, w, C]` and `[B, D, h', w', 3]` to a flow `[B, h, w, 2]`.

        Returns:
            The flow, and the share of the still grid in it, `[B, h, w, 1]`.
        """
        batch, height, width = features.shape[:3]
        depth = source_points.shape[1]
        places = geometry.resize(source_points[..., :2], depth, height, width)
        still = geometry.image_grid(height, width)
        still = jnp.broadcast_to(still, (batch, 1, height, width, 2))
        places = jnp.concatenate([places, still], axis=1)
        raw = layers.Convolution(
            depth + 3, kernel_init=nn.initializers.normal(1e-3), name="logits"
        )(nn.relu(features).astype(jnp.float32))
        share = nn.softmax(raw[..., : depth + 1], axis=-1)
        flow = jnp.einsum("bhwd,bdhwc->bhwc", share, places)
        flow = flow + COARSE_REACH * jnp.tanh(raw[..., depth + 1 :])
        return flow, share[..., depth, None]


class Uncovered(NamedTuple):
    """What a frame shows of what the portrait's head hides.

    Attributes:
        share: `[B, h, w, 1]` of each cell.
        behind: `[B, h, w, C + 3]` the background there: features and colours.
    """

    share: jax.Array
    behind: jax.Array


def uncover(latents: types.FaceLatents, still: jax.Array) -> Uncovered:
    """Tell where a frame shows what the portrait's head hides, and what is there.

    Ours: that is where the frame keeps still and the portrait shows the head; without
    it the old head's outline stays in the frame.

    Args:
        latents: the portrait's.
        still: `[B, h, w, 1]` share of the still grid in the flow.
    """
    behind, logits = latents.background[..., :-1], latents.background[..., -1:]
    hidden = 1.0 - background.shrink(nn.sigmoid(logits), background.MARGIN)
    height, width = still.shape[1:3]
    return Uncovered(
        share=still * _fit(hidden, height, width), behind=_fit(behind, height, width)
    )


def _mix(first: jax.Array, second: jax.Array, share: jax.Array) -> jax.Array:
    return first + share * (second - first)


def _smooth(image: jax.Array, growth: int) -> jax.Array:
    """Average away the pattern that a sub-pixel convolution leaves, period `growth`.

    Ours: a mask that alternates from pixel to pixel shows as dots in the blend. The
    window is a box of the period upon a box of two, so that it stays centred.
    """
    if growth == 1:
        return image
    window = jnp.convolve(jnp.ones(growth), jnp.ones(2)) / (2.0 * growth)
    reach = growth // 2
    for axis in (1, 2):
        pad = [(reach, reach) if axis == here else (0, 0) for here in range(4)]
        padded = jnp.pad(image, pad, mode="edge")
        size = image.shape[axis]
        image = sum(
            window[tap] * jax.lax.slice_in_dim(padded, tap, tap + size, axis=axis)
            for tap in range(growth + 1)
        )
    return image


def _fit(image: jax.Array, height: int, width: int) -> jax.Array:
    if image.shape[1:3] == (height, width):
        return image
    return geometry.resize(image, height, width)
