"""Draws the inside of a mouth over a frame, as finely as the frame is.

Ours: see `mouth`. Everything is known by formula (a polygon, two curved rows of teeth),
so that edges are sharp at any size, and only a window around the mouth is drawn.
"""

import einops
import jax
import jax.numpy as jnp

from vasa_jax import geometry, types
from vasa_jax.face.shortcut import drawn_layer, placing
from vasa_jax.face.shortcut import mouth as mouth_lib

WINDOW = (1 / 4, 3 / 8)
"""Height and width of the window over the frame's side. Ours: a shut mouth at
scale 1 is 0.16 of it wide on the average of moved photographs."""

COARSER = 2
"""Pixels a side for which distances and places are computed once. Ours: they are
smooth; what is drawn from them is as fine as the frame."""

NUM_ROUNDS = 3
"""Rounds that find a pixel's place on a curved row. Ours: after three the front
half of a row is within half a pixel of 512 at a yaw of 20 degrees, within 1.5 at 29."""

SOFT = 1.5
"""Pixels over which the edge of lips fades, inwards. Ours: shut mouths show nothing."""

SHADE, SHADE_REACH = 0.65, 0.025
"""Light at the edge of lips, and how far inside of them it is full, half images at
scale 1. Ours: lips keep light from what is close behind them; without their shade teeth
shone through mouths that are hardly open."""


def draw(
    mouth: mouth_lib.Mouth,
    seen: types.SeenMouth,
    head_pose: types.HeadPose,
    corners: jax.Array,
    size: int,
) -> drawn_layer.DrawnLayer:
    """Draw the mouths of B frames.

    Args:
        mouth: the frames'.
        seen: the portraits'.
        head_pose: the frames'.
        corners: `[B, 2, 2]` where frames show the corners of the mouth.
        size: side of the frames, pixels.
    """
    edge = mouth_lib.posed_edge(mouth, head_pose)
    told = mouth_lib.corners(edge)
    corner, places = drawn_layer.place(
        placing.shifted(edge, told, corners), _sides(size), size, COARSER
    )
    places = placing.shifted(places, corners, told)
    known = [edge_distance(places, edge)]
    known += [row_places(places, mouth, head_pose, row) for row in range(2)]
    inside, *rows = jnp.split(_fit(jnp.concatenate(known, -1), size), [1, 3], -1)
    colours = seen.teeth.cavity[:, None, None] * jnp.ones_like(inside)
    # The tongue lies in the lower row's texture, which the upper one covers.
    for row in (1, 0):
        colours = _lay(colours, rows[row], seen.teeth.rows[row], row)
    colours = colours * shade(inside, head_pose)
    share = jnp.clip(inside * (0.5 * size / SOFT), 0.0, 1.0)
    share = share * mouth_lib.presence(mouth, seen.gaps)[:, None, None]
    return drawn_layer.DrawnLayer(2.0 * colours - 1.0, share, corner)


def shade(inside: jax.Array, head_pose: types.HeadPose) -> jax.Array:
    """Return the light, 0 to 1, at places so far inside of the lips.

    Args:
        inside: `[B, h, w, 1]` of `edge_distance`.
        head_pose: leading shape `[B]`.
    """
    far = inside / (SHADE_REACH * head_pose.scale[:, None, None])
    return SHADE + (1.0 - SHADE) * jnp.clip(far, 0.0, 1.0)


def edge_distance(places: jax.Array, edge: jax.Array) -> jax.Array:
    """Return how far inside of a polygon places lie, negative outside.

    Ours: inside is where the polygon goes around once in its own sense, so that lips
    that cross each other enclose nothing.

    Args:
        places: `[B, h, w, 2]`.
        edge: `[B, P, 2]`.

    Returns:
        `[B, h, w, 1]` in the units of places.
    """
    x, y = places[..., 0], places[..., 1]
    square, turns = jnp.full(x.shape, jnp.inf), jnp.zeros(x.shape, jnp.int32)
    for start in range(edge.shape[1]):
        ends = edge[:, start], edge[:, (start + 1) % edge.shape[1]]
        (x0, y0), (x1, y1) = (einops.rearrange(end, "b c -> c b 1 1") for end in ends)
        across, down, right, below = x1 - x0, y1 - y0, x - x0, y - y0
        length = jnp.maximum(across * across + down * down, 1e-12)
        along = jnp.clip((right * across + below * down) / length, 0.0, 1.0)
        from_x, from_y = right - along * across, below - along * down
        square = jnp.minimum(square, from_x * from_x + from_y * from_y)
        side = across * below - down * right
        falls = (y >= y0) & (y < y1) & (side < 0.0)
        rises = (y < y0) & (y >= y1) & (side > 0.0)
        turns = turns + rises.astype(jnp.int32) - falls.astype(jnp.int32)
    distance = jnp.sqrt(square + 1e-12)
    return jnp.where(turns == 1, distance, -distance)[..., None]


def row_places(
    places: jax.Array,
    mouth: mouth_lib.Mouth,
    head_pose: types.HeadPose,
    row: int,
) -> jax.Array:
    """Return where on a row of teeth places of a frame lie.

    Args:
        places: `[B, h, w, 2]` in [-1, 1].
        mouth: the frames'.
        head_pose: theirs.
        row: 0 the upper, 1 the lower.

    Returns:
        `[B, h, w, 2]`: to the right of the row's middle and below its upper border,
        half images at scale 1, for teeth of size 1.
    """
    rotation = geometry.rotation_matrix(head_pose.rotation)
    anchor = mouth.anchors[:, row]
    seen = (places - head_pose.translation[:, None, None]) / head_pose.scale[
        :, None, None
    ]
    seen = seen - jnp.einsum("bij,bj->bi", rotation[:, :2], anchor)[:, None, None]
    seen = seen / mouth.size[:, :, None, None]
    flatten = jnp.linalg.inv(rotation[:, :2, :2])
    away = rotation[:, None, None, :2, 2]
    flat = jnp.zeros_like(places)
    for _ in range(NUM_ROUNDS):
        lifted = seen - mouth_lib.CURVE * jnp.square(flat[..., :1]) * away
        flat = jnp.einsum("bij,bhwj->bhwi", flatten, lifted)
    return flat


def _sides(size):
    """Return height and width of the window, pixels."""
    return [round(share * size / COARSER) * COARSER for share in WINDOW]


def _fit(values, size):
    """Resize what is known of the coarse cells to the window's pixels.

    Ours: by matrices, as XLA would compute sums of neighbours anew for each of the
    samples that need them.
    """
    shape = (len(values), *_sides(size), values.shape[-1])
    return jax.image.resize(values, shape, "linear")


def _lay(colours, where, painted, row):
    """Lay a painted row over colours `[B, h, w, 3]` in [0, 1]."""
    start, end = mouth_lib.ROW_SPANS[row]
    x = where[..., 0] / mouth_lib.ROW_HALF_WIDTHS[row]
    y = (where[..., 1] - start) / (end - start) * 2.0 - 1.0
    seen = geometry.sample_image(painted, jnp.stack([x, y], axis=-1))
    # A product of matrices, since XLA would sample anew for each of its uses.
    seen = seen @ jnp.eye(4)
    is_within = (jnp.abs(x) < 1.0) & (jnp.abs(y) < 1.0)
    seen = seen * is_within[..., None]
    return colours * (1.0 - seen[..., 3:]) + seen[..., :3]
