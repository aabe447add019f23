"""The blend: the portrait's own pixels over what the decoder paints.

Ours: small models keep identity and sharpness when the pixels are the portrait's own.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from vasa_jax import geometry, types
from vasa_jax.face import rendered_frame
from vasa_jax.face.shortcut import background, flows

MASK_BIAS = 1.0
"""Where the mask starts, before the sigmoid. Ours: towards the warped portrait, since
the blur of a decoder that has hardly learnt would ghost over everything."""

LEAST_SHARE = 1e-4
"""Below which a pixel shows nothing, lest it divide. Ours."""

LEAST_CHROMA = 0.03
"""Mean difference of a portrait's largest and least channels, in [-1, 1], from which
all that is painted has its colours. Ours: of 1,535 portraits the ten grey ones have at
most 0.0033, and all but four others more than 0.03."""


def blend(
    decoded: jax.Array,
    mask_logits: jax.Array,
    coarse: flows.Coarse,
    fine: flows.Fine,
    mirrored: flows.Mirrored,
    uncovered: background.Uncovered,
    pixels: types.PortraitPixels,
) -> rendered_frame.RenderedFrame:
    """Warp the portrait, lit anew, over the painted image, by a mask.

    Ours: see the module. In the place that the head leaves comes the background; where
    the portrait hides one side of the face, the other, mirrored, into the painting.

    Args:
        decoded: `[B, h, w, 3]` what the decoder paints.
        mask_logits: `[B, h, w, 1]` share of the warped portrait, before the sigmoid.
        coarse: the flow before refinement.
        fine: the flow.
        mirrored: the mirrored portrait's.
        uncovered: what the frame shows of what the portrait's head hides.
        pixels: the portrait's.
    """
    size = decoded.shape[1:3]

    def fit(values):
        return geometry.resize(values, *size)

    gain = fit(flows.light_gain(fine.light))
    share, behind = fit(uncovered.share), fit(uncovered.colours)
    mirror_image = geometry.sample_image(pixels.image, fit(mirrored.flow))
    mirror_image = flows.relight(mirror_image, mirrored.light)
    painted = mix(decoded, mirror_image, fit(nn.sigmoid(mirrored.logits)))
    mask = nn.sigmoid(mask_logits)
    shown = mask * (1.0 - share)
    if pixels.person is None:
        under = mask * share * behind + (1.0 - mask) * painted - shown
        image, person = _lay(pixels.image, fine.flow, shown * gain, under), None
    else:
        image, person = _stand_before_backdrop(
            pixels,
            fine.person_flow,
            gain=mask * gain,
            under=(1.0 - mask) * painted - mask,
            still_share=fit(coarse.still_share),
        )
    warped = geometry.sample_image(pixels.image, fit(fine.flow))
    warped = mix((warped + 1.0) * gain - 1.0, behind, share)
    return rendered_frame.RenderedFrame(
        image=image,
        person=person,
        decoded=decoded,
        shortcut=rendered_frame.ShortcutParts(
            painted=painted,
            warped=warped,
            mask_logits=mask_logits,
            flow=fine.flow,
            coarse_flow=coarse.flow,
            still_share=coarse.still_share[..., 0],
            body_share=coarse.body_share[..., 0],
            mirrored=mirror_image,
            mirrored_flow=mirrored.flow,
            mirrored_logits=mirrored.logits,
        ),
    )


def _lay(portrait, flow, gain, under):
    """Lay warped pixels over what lies under them, at the portrait's size.

    Ours: all but the portrait's own pixels is smooth, or painted at the decoder's size,
    and put together there; put together at 512 pixels, a frame took 1.3 times as long.
    """
    height, width = portrait.shape[1:3]
    grid = geometry.resize(flow, height, width)
    parts = jnp.concatenate([gain, under], axis=-1)
    gain, under = jnp.split(geometry.resize(parts, height, width), 2, axis=-1)
    return (geometry.sample_image(portrait, grid) + 1.0) * gain + under


def _stand_before_backdrop(pixels, flow, gain, under, still_share):
    """Lay the person, with what is painted, over the backdrop; see `_lay`.

    Ours: frame by frame, and colours as squares, which is about the light itself: a CPU
    takes two thirds of the time that `_lay` takes for five frames at once. XLA puts a
    sum of samples into each of its uses anew, but not a square root of it.

    Returns:
        The frame and the person's share of each pixel: as in the portrait where the
        flow comes from, and none where the flow says that the frame keeps still. Over
        a backdrop with opacity the share of both.
    """
    height, width = pixels.backdrop.shape[1:3]
    narrow = height / pixels.person.shape[1]
    parts = jnp.concatenate([gain, under, still_share], axis=-1)
    num_frames, num_portraits = flow.shape[0], pixels.person.shape[0]

    def stand(frame):
        own, flow, parts = frame
        person, backdrop = own or (pixels.person, pixels.backdrop)
        grid = narrow * geometry.resize(flow, height, width)
        parts = geometry.resize(parts, height, width)
        gain, under, still_share = jnp.split(parts, [3, 6], axis=-1)
        seen = jnp.sqrt(geometry.sample_image(person, grid))
        colours, share = jnp.split(seen, [3], axis=-1)
        share = share * rendered_frame.moving(still_share)
        image = jnp.clip(2.0 * colours * gain + under, -1.0, 1.0)
        if backdrop.shape[-1] == 3:
            return mix(backdrop, image, share), share
        behind, opacity = jnp.split(backdrop, [3], axis=-1)
        total = share + (1.0 - share) * opacity
        return mix(behind, image, share / jnp.maximum(total, LEAST_SHARE)), total

    def alone(values):
        return jax.tree.map(lambda x: x[:, None], values)

    own = alone((pixels.person, pixels.backdrop)) if num_portraits > 1 else None
    frames = jax.lax.map(stand, (own, *alone((flow, parts))))
    return jax.tree.map(lambda x: x.reshape(num_frames, *x.shape[2:]), frames)


def hold_mask(frame: rendered_frame.RenderedFrame) -> rendered_frame.RenderedFrame:
    """Return the frame, whose image teaches its parts but not the mask.

    Ours: where visibility teaches the mask, an image that teaches it too makes it
    prefer the painted part, whose errors are smooth; after a hundred such steps on
    photographs every face was a blur.
    """
    height, width = frame.image.shape[1:3]
    parts = frame.shortcut
    mask = nn.sigmoid(jax.lax.stop_gradient(parts.mask_logits))
    mask = geometry.resize(mask, height, width)
    return frame.replace(image=mask * parts.warped + (1.0 - mask) * parts.painted)


def chroma(image: jax.Array) -> jax.Array:
    """Tell from images `[B, H, W, 3]` whether they have colours, `[B, 1]` 0 to 1."""
    spread = (image.max(axis=-1) - image.min(axis=-1)).mean(axis=(1, 2))
    return jnp.clip(spread / LEAST_CHROMA, 0.0, 1.0)[:, None]


def coloured(colours: jax.Array, chroma: jax.Array) -> jax.Array:
    """Leave colours `[B, h, w, 3]` as much of themselves as `[B, 1]` says.

    Ours: lips and mouths that are painted into grey pictures were red.
    """
    # Channel by channel, as XLA would not join a mean over them with what uses it.
    red, green, blue = jnp.split(colours, 3, axis=-1)
    return mix((red + green + blue) / 3.0, colours, chroma[:, None, None])


def mix(first: jax.Array, second: jax.Array, share: jax.Array) -> jax.Array:
    """Go from the first to the second by a share in [0, 1]."""
    return first + share * (second - first)
