"""Draws the eyes over a frame, as finely as the frame is.

Ours: see `eyes`. The white stays with the corners of the eye, the iris goes where it
is predicted, and lids come before both, with their shade.
"""

from typing import NamedTuple

import einops
import jax
import jax.numpy as jnp

from vasa_jax import geometry, types
from vasa_jax.face.shortcut import drawn_layer
from vasa_jax.face.shortcut import eyes as eyes_lib
from vasa_jax.portrait import eyes as portrait_eyes

WINDOW = (1 / 8, 3 / 16)
"""Height and width of an eye's window over the frame's side. Ours: an eye at scale 1
is 0.1 of it wide on the average of photographs."""

UPPER_EDGE, LOWER_EDGE = (0.04, 0.12), (0.02, 0.08)
"""Between these distances from the upper and the lower rim, half eye widths, lids
become eye. Follows: `portrait.eye_texture`, where lashes end."""

BAND, BEYOND = (0.16, 0.4), (1.05, 1.25)
"""How far below the eye the lower lid is drawn, and how far beyond its corners both
are; over the way from the one to the other they fade; half eye widths. Ours: the flow,
whose cells are wider than a lid's edge, left a sliver of white between lids that were
shut."""

SKIN = 0.5
"""How far above the open eye skin begins that covers a shut one, half eye widths. Ours:
brows are not to be drawn down, as the flow did."""

FIRST, FADE = 0.7, 0.4
"""How far above the open eye the upper lid is drawn at all, and over which way it sets
in, half eye widths. Ours: the flow stretched lashes and their shade after brows that
rise; skin so near to the eye keeps its place."""

LASHES, ROOTS, RAISE = 0.08, 0.14, 0.17
"""How much above the rim goes along as it is, to where it gives way to skin, and how
far above itself a shut lid finds that; half eye widths. Follows: `photo_heads`, since
lashes and their shade would be smeared over the lid."""

WET = 0.12
"""How far below itself a shut lower lid finds its edge, half eye widths. Ours: what
is above is wet and bright, and lies against the upper lid; it showed as a white line.
See `LOWER_EDGE`."""

SEAM = 0.05
"""Half the width over which one lid gives way to the other, half eye widths. Ours: a
pixel of 512."""

REST_WAY = 0.5
"""Way of the iris, in its radii, over which what layers leave over fades. Follows:
`portrait.eye_texture`."""

LEAST = 1e-4
"""Below which sizes count as none, lest they divide."""


def draw(
    rims: jax.Array,
    discs: jax.Array,
    eyes: types.Eyes,
    gain: jax.Array,
    size: int,
) -> tuple[drawn_layer.DrawnLayer, drawn_layer.DrawnLayer]:
    """Draw the eyes of B frames, the image's left one first.

    Args:
        rims, discs: `[B, 2, 16, 2]` and `[B, 2, 3, 2]` where frames show them.
        eyes: the portraits'.
        gain: `[B, 2, 3]` of the light at each eye over the portrait's.
        size: side of the frames, pixels.
    """
    sides = tuple(round(share * size) for share in WINDOW)
    flat = jax.tree.map(
        lambda x: einops.rearrange(x, "b e ... -> (b e) ..."), (rims, discs, eyes, gain)
    )
    layer = _draw(*flat, sides, size)
    left, right = (jax.tree.map(lambda x, k=k: x[k::2], layer) for k in range(2))
    return left, right


def _draw(rims, discs, eyes, gain, sides, size):
    corner, grid = drawn_layer.place(rims, sides, size)
    to_eye, own = _to_eye(rims), _to_eye(eyes.rims)
    here = _apply(to_eye, grid)
    disc, own_disc = _apply(to_eye, discs), _apply(own, eyes.discs)
    way = _apply(_inverse(_of_disc(own_disc)), disc[:, :1])[:, 0]
    way = jnp.sqrt(jnp.square(way).sum(axis=-1) + LEAST**2)
    kept = 1.0 - _rise(0.0, REST_WAY, way)[:, None, None, None]
    lids = _Lids.of(_apply(to_eye, rims), _apply(own, eyes.rims), here)

    still = jnp.concatenate([eyes.white, eyes.rest], axis=-1)
    white, left_over = jnp.split(_seen(still, here), 2, axis=-1)
    turned = _disc_to_disc(disc, own_disc)
    iris, opacity = jnp.split(_seen(eyes.iris, _apply(turned, here)), [3], axis=-1)
    ball = iris + (1.0 - opacity) * white + kept * left_over
    ball = ball * _shade(eyes.shade, lids.below)[..., None]
    edges = eyes.lid + kept * (eyes.photograph - eyes.lid)
    upper, lower = (_seen(edges, points) for points in (lids.upper, lids.lower))
    lid = lower + lids.upper_share[..., None] * (upper - lower)
    light = lid + lids.free[..., None] * (ball - lid)
    light = light * gain[:, None, None]
    share = lids.near * eyes.presence[:, None, None]
    colours = jnp.clip(2.0 * light - 1.0, -1.0, 1.0)
    return drawn_layer.DrawnLayer(colours, share[..., None], corner)


class _Lids(NamedTuple):
    """What lids say of pixels `[N, h, w]` about N eyes.

    Attributes:
        below: how far below the upper lid.
        free: how much of the eye no lid covers.
        near: how much is to be drawn.
        upper, lower: `[N, h, w, 2]` where in the portrait the same points of the lids
            lie.
        upper_share: how much the upper one covers the lower.
    """

    below: jax.Array
    free: jax.Array
    near: jax.Array
    upper: jax.Array
    lower: jax.Array
    upper_share: jax.Array

    @classmethod
    def of(cls, rim, own_rim, here):
        """Compare rims of frame and portrait `[N, 16, 2]` with pixels."""
        x, y = here[..., 0], here[..., 1]
        lids = jnp.stack([*_both_lids(rim), *_both_lids(own_rim)], axis=1)
        heights = _height(lids, x[:, None])
        upper, lower, own_upper, own_lower = jnp.unstack(heights, axis=1)
        below, above = y - upper, lower - y
        # Where lids cross, the upper one covers the lower.
        nearer = jnp.maximum(above - below, -2.0 * below)
        upper_share = jnp.clip(0.5 + nearer / (4.0 * SEAM), 0.0, 1.0)
        top = own_upper - SKIN
        own_gap = jnp.maximum(own_lower - own_upper, LEAST)
        shut = jnp.clip(1.0 - (lower - upper) / own_gap, 0.0, 1.0)
        roots, own_roots = upper - ROOTS, own_upper - ROOTS - RAISE * shut
        stretched = _between(y, (top, roots), (top, own_roots))
        stretched = jnp.where(y > top, stretched, y)
        given_way = _between(
            y, (roots, upper - LASHES), (own_roots, own_upper - LASHES)
        )
        skin = jnp.where(y > upper - LASHES, own_upper + below, given_way)
        skin = jnp.where(y > roots, skin, stretched)
        first = own_upper - FIRST
        near_upper = _rise(first, first + FADE, y)
        near_lower = 1.0 - _rise(*BAND, -above)
        near = near_lower + upper_share * (near_upper - near_lower)
        return cls(
            below=below,
            free=_rise(*UPPER_EDGE, below) * _rise(*LOWER_EDGE, above),
            near=near * (1.0 - _rise(*BEYOND, jnp.abs(x))),
            upper=jnp.stack([x, skin], axis=-1),
            lower=jnp.stack([x, own_lower - above + WET * shut], axis=-1),
            upper_share=upper_share,
        )


def _both_lids(rim):
    """Cut rims `[N, 16, 2]` into upper and lower lids `[N, 9, 2]`, to the right."""
    count = portrait_eyes.NUM_UPPER
    lower = jnp.concatenate([rim[:, :1], rim[:, : count - 2 : -1]], axis=1)
    return rim[:, :count], lower


def _to_eye(rims):
    """Return `[N, 2, 3]` from the image to eyes: corners come to (-1, 0) and (1, 0)."""
    left, right = jnp.split(eyes_lib.corners(rims), 2, axis=1)
    along = (right - left)[:, 0] / 2.0
    axes = jnp.stack([along, jnp.stack([-along[:, 1], along[:, 0]], axis=-1)], axis=-1)
    middle = (left + right)[:, 0] / 2.0
    return _inverse(jnp.concatenate([axes, middle[..., None]], axis=-1))


def _of_disc(disc):
    """Return `[N, 2, 3]` from points on a disc, in its radii, to where it lies."""
    axes = einops.rearrange(disc[:, 1:] - disc[:, :1], "n k c -> n c k")
    return jnp.concatenate([axes, disc[:, 0, :, None]], axis=-1)


def _disc_to_disc(disc, rest):
    """Return `[N, 2, 3]` from points of a disc to where they are in another."""
    there, back = _of_disc(rest), _inverse(_of_disc(disc))
    turn = jnp.einsum("nij,njk->nik", there[:, :, :2], back[:, :, :2])
    shift = jnp.einsum("nij,nj->ni", there[:, :, :2], back[:, :, 2]) + there[:, :, 2]
    return jnp.concatenate([turn, shift[..., None]], axis=-1)


def _inverse(matrix):
    """Invert maps `[N, 2, 3]`."""
    (a, b, x), (c, d, y) = einops.rearrange(matrix, "n i j -> i j n")
    area = a * d - b * c
    area = jnp.where(jnp.abs(area) < LEAST**2, LEAST**2, area)
    rows = [[d, -b, b * y - d * x], [-c, a, c * x - a * y]]
    return einops.rearrange(jnp.array(rows), "i j n -> n i j") / area[:, None, None]


def _apply(matrix, points):
    """Map points `[N, P..., 2]` by `[N, 2, 3]`."""
    inner = (slice(None), *(None,) * (points.ndim - 2))
    x, y = points[..., 0], points[..., 1]
    rows = [
        matrix[:, row, 0][inner] * x
        + matrix[:, row, 1][inner] * y
        + matrix[:, row, 2][inner]
        for row in range(2)
    ]
    return jnp.stack(rows, axis=-1)


def _height(lines, x):
    """Return the heights `[N, L, h, w]` of `[N, L, P, 2]` at x; their ends go on."""
    points = einops.rearrange(lines, "n l p c -> p c n l 1 1")
    total = points[0, 1]
    for (x0, y0), (x1, y1) in zip(points[:-1], points[1:], strict=True):
        along = jnp.clip((x - x0) / jnp.maximum(x1 - x0, LEAST), 0.0, 1.0)
        total = total + (y1 - y0) * along
    return total


def _seen(layers, here):
    """Sample layers `[N, r, c, C]` at points of their eye."""
    rows, columns = layers.shape[1:3]
    reach = portrait_eyes.SPAN * jnp.array([1.0, rows / columns])
    return geometry.once(geometry.sample_image(layers, here / reach[None, None, None]))


def _between(y, ends, values):
    """Go evenly from one value to another between two ends, and on."""
    (first, last), (start, end) = ends, values
    return start + (y - first) / jnp.maximum(last - first, LEAST) * (end - start)


def _shade(shade, below):
    """Return the light `[N, h, w]` below the upper lid."""
    reach = jnp.linspace(0.0, portrait_eyes.SHADE_REACH, shade.shape[-1])
    lines = jnp.stack([jnp.broadcast_to(reach, shade.shape), shade], axis=-1)
    return _height(lines[:, None], below[:, None])[:, 0]


def _rise(low, high, value):
    value = jnp.clip((value - low) / (high - low), 0.0, 1.0)
    return value * value * (3.0 - 2.0 * value)
