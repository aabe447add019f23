"""A rendered frame and what it was made of."""

import jax
from flax import struct

STILL = (0.5, 0.9)
"""Shares of the still grid at which a person begins and ends to vanish. Ours: inside
of heads the grid has no share, beyond their edge nearly all; the edge itself comes from
the portrait's pixels, which are finer."""


@struct.dataclass
class ShortcutParts:
    """What a frame with the image shortcut was made of; all float32.

    Attributes:
        painted: `[B, h, w, 3]` what the decoder paints, with the mirrored portrait in
            it.
        warped: `[B, h, w, 3]` the portrait warped into place and lit as it is there.
        mask_logits: `[B, h, w, 1]` share of `warped` before the sigmoid.
        flow: `[B, f, f, 2]` where in the portrait each cell of the frame lies.
        coarse_flow: `[B, f, f, 2]` the same before refinement.
        still_share: `[B, f, f]` share of the still grid in it.
        body_share: `[B, f, f]` share of the body's grid in it.
        mirrored: `[B, h, w, 3]` the mirrored portrait in its place, lit as that is.
        mirrored_flow: `[B, f, f, 2]` where in the portrait the mirror image of each
            cell lies.
        mirrored_logits: `[B, f, f, 1]` share of `mirrored` in `painted`, before the
            sigmoid.
    """

    painted: jax.Array
    warped: jax.Array
    mask_logits: jax.Array
    flow: jax.Array
    coarse_flow: jax.Array
    still_share: jax.Array
    body_share: jax.Array
    mirrored: jax.Array
    mirrored_flow: jax.Array
    mirrored_logits: jax.Array


@struct.dataclass
class RenderedFrame:
    """A frame and what it was made of; all float32.

    Attributes:
        image: `[B, H, W, 3]` the frame.
        decoded: `[B, h, w, 3]` what the decoder paints; without the shortcut the frame.
        shortcut: None without the shortcut.
        person: `[B, H, W, 1]` share of each pixel that shows the person, where the
            portrait's latents tell it apart from what is behind; else None.
    """

    image: jax.Array
    decoded: jax.Array
    shortcut: ShortcutParts | None = None
    person: jax.Array | None = None


def moving(still_share: jax.Array) -> jax.Array:
    """Return which share of a person stays where the still grid has some; see `STILL`.

    Args:
        still_share: of the still grid, 0 to 1, any shape.
    """
    first, last = STILL
    return ((last - still_share) / (last - first)).clip(0.0, 1.0)
