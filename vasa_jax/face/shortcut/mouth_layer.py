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
from vasa_jax.portrait import mouth_light

WINDOW = (1 / 4, 3 / 8)
"""Height and width of the window over the frame's side. Ours: a shut mouth at
scale 1 is 0.16 of it wide on the average of moved photographs."""

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
    predicted = mouth_lib.corners(edge)
    sides = tuple(round(share * size) for share in WINDOW)
    around = placing.shifted(edge, predicted, corners)
    corner, grid = drawn_layer.place(around, sides, size)
    grid = placing.shifted(grid, corners, predicted)
    x, y = grid[..., 0], grid[..., 1]
    known = [edge_distance(x, y, edge)]
    for row in range(mouth_lib.NUM_ROWS):
        known += row_positions(x, y, mouth, head_pose, row)
    inside, *rows = geometry.once(jnp.stack(known), axis=0)
    colours = list(einops.rearrange(seen.teeth.cavity, "b c -> c b 1 1"))
    # The tongue lies in the lower row's texture, which the upper one covers.
    for row in (1, 0):
        painted = seen.teeth.rows[row]
        colours = _lay(colours, *rows[2 * row : 2 * row + 2], painted, row)
    light = shade(inside, head_pose) * light_within(mouth.edge)[..., None]
    share = jnp.clip(inside * (0.5 * size / SOFT), 0.0, 1.0)
    share = share * mouth_lib.presence(mouth, seen.gaps)[..., None]
    colours = jnp.stack([2.0 * colour * light - 1.0 for colour in colours], axis=-1)
    return drawn_layer.DrawnLayer(colours, share[..., None], corner)


def light_within(edge: jax.Array) -> jax.Array:
    """Return the light in open mouths over that in a broad smile, `[B, 1]`.

    Ours: it comes in between the lips; see `portrait.mouth_light.LIGHT`.

    Args:
        edge: `[B, P, 2 or more]` of the lips, half images at scale 1.
    """
    x, y = edge[..., 0], edge[..., 1]
    following = jnp.roll(x, -1, axis=1), jnp.roll(y, -1, axis=1)
    area = 0.5 * jnp.abs((x * following[1] - following[0] * y).sum(axis=1))
    light = mouth_light.LIGHT + mouth_light.BRIGHTENING * area
    return jnp.minimum(light, 1.0)[:, None]


def shade(inside: jax.Array, head_pose: types.HeadPose) -> jax.Array:
    """Return the light, 0 to 1, at pixels so far inside of the lips.

    Args:
        inside: `[B, h, w]` of `edge_distance`.
        head_pose: leading shape `[B]`.
    """
    far = inside / (SHADE_REACH * head_pose.scale[..., None])
    return SHADE + (1.0 - SHADE) * jnp.clip(far, 0.0, 1.0)


def edge_distance(x: jax.Array, y: jax.Array, edge: jax.Array) -> jax.Array:
    """Return how far inside of a polygon points lie, negative outside.

    Ours: inside is where the polygon goes around once in its own sense, so that lips
    that cross each other enclose nothing.

    Args:
        x, y: `[B, h, w]`.
        edge: `[B, P, 2]`.

    Returns:
        `[B, h, w]` in the units of the points.
    """

    def pass_side(state, side):
        square, turns = state
        x0, y0, x1, y1 = side
        across, down, right, below = x1 - x0, y1 - y0, x - x0, y - y0
        length = jnp.maximum(across * across + down * down, 1e-12)
        along = jnp.clip((right * across + below * down) / length, 0.0, 1.0)
        from_x, from_y = right - along * across, below - along * down
        square = jnp.minimum(square, from_x * from_x + from_y * from_y)
        beside = across * below - down * right
        falls = (y >= y0) & (y < y1) & (beside < 0.0)
        rises = (y < y0) & (y >= y1) & (beside > 0.0)
        turns = turns + rises.astype(jnp.int32) - falls.astype(jnp.int32)
        return (square, turns), None

    sides = jnp.concatenate([edge, jnp.roll(edge, -1, axis=1)], axis=-1)
    sides = einops.rearrange(sides, "b p c -> p c b 1 1")
    start = jnp.full(x.shape, jnp.inf), jnp.zeros(x.shape, jnp.int32)
    (square, turns), _ = jax.lax.scan(pass_side, start, sides)
    distance = jnp.sqrt(square + 1e-12)
    return jnp.where(turns == 1, distance, -distance)


def row_positions(
    x: jax.Array,
    y: jax.Array,
    mouth: mouth_lib.Mouth,
    head_pose: types.HeadPose,
    row: int,
) -> tuple[jax.Array, jax.Array]:
    """Return where on a row of teeth pixels of a frame lie.

    Args:
        x, y: `[B, h, w]` in [-1, 1].
        mouth: the frames'.
        head_pose: theirs.
        row: 0 the upper, 1 the lower.

    Returns:
        `[B, h, w]` to the right of the row's middle and `[B, h, w]` below its upper
        border, half images at scale 1, for teeth of size 1.
    """
    rotation = geometry.rotation_matrix(head_pose.rotation)[:, :2]
    middle = jnp.einsum("bij,bj->bi", rotation, mouth.anchors[:, row])
    middle = head_pose.translation + head_pose.scale * middle
    flatten = geometry.inverse_2d(rotation[:, :, :2])
    # From the image to the row, and how far pixels slide with a row that curves back.
    to_row = flatten / (head_pose.scale * mouth.size)[..., None]
    (xx, xy), (yx, yy) = einops.rearrange(to_row, "b i j -> i j b 1 1")
    middle_x, middle_y = einops.rearrange(middle, "b c -> c b 1 1")
    slide = jnp.einsum("bij,bj->bi", flatten, rotation[:, :, 2])
    slide_x, slide_y = einops.rearrange(slide, "b c -> c b 1 1")
    right, below = x - middle_x, y - middle_y
    straight = xx * right + xy * below
    along = straight
    for _ in range(NUM_ROUNDS - 1):
        along = straight - mouth_lib.CURVE * jnp.square(along) * slide_x
    away = mouth_lib.CURVE * jnp.square(along)
    return straight - away * slide_x, yx * right + yy * below - away * slide_y


def _lay(colours, x, y, painted, row):
    """Lay a painted row over three colours `[B, h, w]` in [0, 1]."""
    start, end = mouth_lib.ROW_SPANS[row]
    x = x / mouth_lib.ROW_HALF_WIDTHS[row]
    y = (y - start) / (end - start) * 2.0 - 1.0
    seen = geometry.sample_image(painted, jnp.stack([x, y], axis=-1))
    *paints, opacity = jnp.unstack(geometry.once(seen), axis=-1)
    is_within = (jnp.abs(x) < 1.0) & (jnp.abs(y) < 1.0)
    return [
        colour + is_within * (paint - opacity * colour)
        for colour, paint in zip(colours, paints, strict=True)
    ]
