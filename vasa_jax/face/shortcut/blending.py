"""The blend: the portrait's own pixels over what the decoder paints.

Ours: small models keep identity and sharpness when the pixels are the portrait's own.
"""

import flax.linen as nn
import jax

from vasa_jax import geometry, types
from vasa_jax.face import rendered_frame
from vasa_jax.face.shortcut import background, flows

MASK_BIAS = 1.0
"""Where the mask starts, before the sigmoid. Ours: towards the warped portrait, since
the blur of a decoder that has hardly learnt would ghost over everything."""


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
    height, width = pixels.image.shape[1:3]

    def fit(values):
        return geometry.resize(values, height, width)

    warped = geometry.sample_image(pixels.image, fit(fine.flow))
    warped = flows.relight(warped, fine.light)
    warped = mix(warped, fit(uncovered.colours), fit(uncovered.share))
    mirror_image = geometry.sample_image(pixels.image, fit(mirrored.flow))
    mirror_image = flows.relight(mirror_image, mirrored.light)
    painted = mix(fit(decoded), mirror_image, fit(nn.sigmoid(mirrored.logits)))
    mask = fit(nn.sigmoid(mask_logits))
    return rendered_frame.RenderedFrame(
        image=mask * warped + (1.0 - mask) * painted,
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


def mix(first: jax.Array, second: jax.Array, share: jax.Array) -> jax.Array:
    """Go from the first to the second by a share in [0, 1]."""
    return first + share * (second - first)
