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
from vasa_jax.face import config as face_config
from vasa_jax.face.shortcut import background, flows, subpixel

MASK_BIAS = 1.0
"""Where the mask starts, before the sigmoid. Ours: towards the warped portrait, since
an unripe decoder's blur would ghost over everything."""


@struct.dataclass
class RenderedFrame:
    """A frame and what it was made of; all float32.

    Attributes:
        image: `[B, H, W, 3]` the frame.
        decoded: `[B, h, w, 3]` what the decoder paints.
        painted: `[B, H, W, 3]` the same with the mirrored portrait in it.
        warped: `[B, H, W, 3]` the portrait warped into place and lit as it is there;
            zeros without shortcut.
        mirrored: `[B, H, W, 3]` the mirrored portrait in its place, lit as that is;
            zeros without it.
        mask_logits: `[B, h, w, 1]` share of `warped` before the sigmoid.
        flow: `[B, f, f, 2]` where in the portrait each cell of the frame lies.
        coarse_flow: `[B, c, c, 2]` the same before refinement.
        mirrored_flow: `[B, f, f, 2]` where its mirror image lies; zeros without it.
        mirror_logits: `[B, f, f, 1]` share of `mirrored` in what is not `warped`,
            before the sigmoid.
        stillness: `[B, c, c]` share of the still grid in it.
        body: `[B, c, c]` share of the body's grid in it.
    """

    image: jax.Array
    decoded: jax.Array
    painted: jax.Array
    warped: jax.Array
    mirrored: jax.Array
    mask_logits: jax.Array
    flow: jax.Array
    coarse_flow: jax.Array
    mirrored_flow: jax.Array
    mirror_logits: jax.Array
    stillness: jax.Array
    body: jax.Array


class Decoder(nn.Module):
    """Paint a frame and, with the shortcut, warp the portrait's own pixels into it.

    The composed warps give each voxel of the driver's space a place in the portrait. A
    softmax over depth makes a 2-D flow of them; what does not turn with the head takes
    another grid instead, that of the body, which comes along with it, or the still one;
    corrections refine it at two sizes. The portrait is warped by it, lit as its new
    place is, with its background in the place that the head leaves, and blended with
    the painted image by a mask. Where the portrait hides one side of the face, the
    other may be mirrored into the painted image.

    Follows: MegaPortraits, image decoder, for the painting; Shi et al. (sub-pixel
    convolution) for the last steps, which a CPU does faster than blocks at full size.
    Ours: the shortcut, because small models keep identity and sharpness when the pixels
    are the portrait's own; stages narrow before their block, at half its cost.
    """

    config: face_config.FaceConfig

    @nn.compact
    def __call__(
        self,
        volume: jax.Array,
        places: flows.Places,
        code: jax.Array,
        latents: types.FaceLatents,
        overlay: jax.Array | None = None,
    ) -> RenderedFrame:
        """Render from `[B, D, h, w, C]` in driver space.

        Args:
            volume: `[B, D, h, w, C]` appearance in the driver's space.
            places: where each voxel lies in the portrait.
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
        coarse = flow = light = hidden = mirror = None
        for stage, channels in enumerate(config.decoder_channels[1:], start=1):
            x = layers.double(x)
            if overlay is not None and stage == config.flow_stage:
                x = x + self._lay_over(overlay, latents, x.shape[-1])
            if config.use_shortcut and stage == config.flow_stage:
                coarse = flows.CoarseFlow(name="coarse_flow")(x, places)
                features = geometry.sample_image(latents.source_features, coarse.flow)
                if config.fills_background:
                    hidden = uncover(latents, coarse.still)
                    features = _mix(features, hidden.behind[..., :-3], hidden.share)
                x = jnp.concatenate([x, features.astype(dtype)], axis=-1)
            x = nn.Dense(channels, dtype=dtype, name=f"narrow_{stage}")(x)
            if config.mirrors_face and stage == config.flow_stage:
                x = x + self._look_mirrored(latents, coarse.mirrored, channels)
            x = block(channels, name=f"grow_{stage}")(x, code)
            if config.mirrors_face and stage == config.flow_stage:
                mirror = flows.Mirror(name="mirror")(x, coarse.mirrored)
            if config.use_shortcut and stage == config.flow_stage:
                seen = nn.relu(x).astype(jnp.float32)
                correction = flows.slight(2, name="fine_flow")(seen)
                flow = coarse.flow + flows.FINE_REACH * jnp.tanh(correction)
                light = flows.slight(3, name="light")(seen)
        x = nn.relu(layers.AdaptiveNorm(dtype=dtype)(x))
        growth = config.output_upsampling
        if growth == 1:
            painted = layers.Convolution(4, dtype=dtype, name="paint")(x)
            painted = painted.astype(jnp.float32)
        else:
            painted = subpixel.Painter(
                4, config.detail_channels, growth, dtype, name="painter"
            )(x)
            painted = subpixel.smooth(painted)
        decoded = jnp.tanh(painted[..., :3])
        mask_logits = painted[..., 3:] + MASK_BIAS
        shortcut = flow, coarse, light
        return self._blend(decoded, mask_logits, shortcut, hidden, mirror, latents)

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

    def _look_mirrored(self, latents, flow, channels):
        """Map the mirrored portrait's features to `channels`; it begins at nothing."""
        features = geometry.sample_image(latents.source_features, flow)
        return nn.Dense(
            channels,
            kernel_init=nn.initializers.zeros,
            dtype=jnp.dtype(self.config.dtype),
            name="mirrored",
        )(features)

    def _blend(self, decoded, mask_logits, shortcut, hidden, mirror, latents):
        height, width = latents.source_image.shape[1:3]
        painted = _fit(decoded, height, width)
        if not self.config.use_shortcut:
            nothing = jnp.zeros_like(decoded[..., :2])
            return RenderedFrame(
                image=painted,
                decoded=decoded,
                painted=painted,
                warped=jnp.zeros_like(painted),
                mirrored=jnp.zeros_like(painted),
                mask_logits=mask_logits,
                flow=nothing,
                coarse_flow=nothing,
                mirrored_flow=nothing,
                mirror_logits=nothing[..., :1],
                stillness=nothing[..., 0],
                body=nothing[..., 0],
            )
        flow, coarse, light = shortcut
        fine_grid = _fit(flow, height, width)
        warped = geometry.sample_image(latents.source_image, fine_grid)
        warped = flows.relight(warped, light)
        if hidden is not None:
            warped = _mix(
                warped,
                _fit(hidden.behind[..., -3:], height, width),
                _fit(hidden.share, height, width),
            )
        mirrored = jnp.zeros_like(painted)
        if mirror is None:
            nothing = jnp.zeros_like(flow)
            mirror = flows.Mirrored(nothing, nothing[..., :1], light=None)
        else:
            grid = _fit(mirror.flow, height, width)
            mirrored = geometry.sample_image(latents.source_image, grid)
            mirrored = flows.relight(mirrored, mirror.light)
            share = _fit(nn.sigmoid(mirror.logits), height, width)
            painted = _mix(painted, mirrored, share)
        mask = _fit(nn.sigmoid(mask_logits), height, width)
        return RenderedFrame(
            image=mask * warped + (1.0 - mask) * painted,
            decoded=decoded,
            painted=painted,
            warped=warped,
            mirrored=mirrored,
            mask_logits=mask_logits,
            flow=flow,
            coarse_flow=coarse.flow,
            mirrored_flow=mirror.flow,
            mirror_logits=mirror.logits,
            stillness=coarse.still[..., 0],
            body=coarse.body[..., 0],
        )


def hold_mask(frame: RenderedFrame) -> RenderedFrame:
    """Return the frame, whose image teaches its parts but not the mask.

    Ours: where visibility teaches the mask, an image that teaches it too makes it
    prefer the painted part, whose errors are smooth; after a hundred such steps on
    photographs every face was a blur.
    """
    height, width = frame.image.shape[1:3]
    mask = _fit(nn.sigmoid(jax.lax.stop_gradient(frame.mask_logits)), height, width)
    return frame.replace(image=mask * frame.warped + (1.0 - mask) * frame.painted)


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


def _fit(image: jax.Array, height: int, width: int) -> jax.Array:
    if image.shape[1:3] == (height, width):
        return image
    return geometry.resize(image, height, width)
