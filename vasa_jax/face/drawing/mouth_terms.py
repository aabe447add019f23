"""How far drawn mouths are from the truth: places, and what is seen inside."""

import dataclasses

import jax
import jax.numpy as jnp

from vasa_jax import geometry, types
from vasa_jax.face.shortcut import drawn_layer, mouth_layer, placing
from vasa_jax.face.shortcut import mouth as mouth_lib

LIPS_SHIFT, LIPS_NOISE = 0.004, 0.003
"""Standard deviations of what is added to a portrait's lips, together and each, half
images. Ours: half a pixel of 256."""

COLOUR_NOISE = 0.05
"""Standard deviation of what is added to all its colours. Ours."""

INSET = 0.3
"""How far inside of the lips' edge colours are compared, pixels over
`mouth_layer.SOFT`. Ours: at the edge itself frames mix both."""

PLACES, CORNERS, GAP, COLOURS = 20.0, 6.0, 20.0, 1.0
"""Weights: of the lips' edge and of teeth, with the corners where they are; of the
corners where poses alone put them; of how far lips are apart; of the inside and of its
gradients. Ours: chosen so that all terms are of like size at the start."""


def disturbed(
    key: jax.Array, lips: jax.Array, colours: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Change what is seen of a portrait's lips `[24, 2]` and colours `[C]`.

    Ours: landmarks of other pictures err.
    """
    together, each, light = jax.random.split(key, 3)
    lips += LIPS_SHIFT * jax.random.normal(together, (1, 2))
    lips += LIPS_NOISE * jax.random.normal(each, lips.shape)
    return lips, colours + COLOUR_NOISE * jax.random.normal(light)


@dataclasses.dataclass(frozen=True)
class Truth:
    """What is known of the mouths of B frames; see `examples.MOUTH_FIELDS`.

    Attributes:
        edge: `[B, 24, 2]`.
        teeth: `[B, 2, 4, 2]`.
        is_painted: `[B, 1]`.
    """

    edge: jax.Array
    teeth: jax.Array
    is_painted: jax.Array


def terms(
    mouth: mouth_lib.Mouth, head_pose: types.HeadPose, truth: Truth
) -> dict[str, jax.Array]:
    """Compare places; weighted.

    Args:
        mouth: told of B frames.
        head_pose: the frames'.
        truth: likewise.
    """
    told = _Told.of(mouth, head_pose, truth)
    off = jnp.abs(told.edge - truth.edge).mean()
    gap = _gap(told.edge) - _gap(truth.edge)
    corners = told.corners - mouth_lib.corners(truth.edge)
    return {
        "mouth_places": PLACES * (off + jnp.abs(told.teeth - truth.teeth).mean()),
        "mouth_corners": CORNERS * jnp.abs(corners).mean(),
        "mouth_gap": GAP * jnp.abs(gap).mean(),
    }


def measures(
    mouth: mouth_lib.Mouth, head_pose: types.HeadPose, truth: Truth
) -> dict[str, jax.Array]:
    """Measure distances in pixels of a frame of 256.

    Args:
        mouth, head_pose, truth: as of `terms`.
    """
    told = _Told.of(mouth, head_pose, truth)
    corners = told.corners - mouth_lib.corners(truth.edge)
    gap = _gap(told.edge) - _gap(truth.edge)
    return {
        "mouth_edge_px": 128.0 * jnp.linalg.norm(told.edge - truth.edge, axis=-1),
        "mouth_teeth_px": 128.0 * jnp.linalg.norm(told.teeth - truth.teeth, axis=-1),
        "mouth_corners_px": 128.0 * jnp.abs(corners).mean(),
        "mouth_gap_px": 128.0 * jnp.abs(gap).mean(),
    }


def colours(
    seen: types.SeenMouth,
    mouth: mouth_lib.Mouth,
    head_pose: types.HeadPose,
    truth: Truth,
    image: jax.Array,
) -> jax.Array:
    """Compare the frames with what is drawn, its rows where they truly are.

    Ours: rows a pixel or two off, now here, now there, teach one grey slab; drawn off
    by as much in use, teeth are still teeth.

    Args:
        seen: the portraits'.
        mouth, head_pose, truth: as of `terms`.
        image: `[B, H, W, 3]` the frames.
    """
    edge, size = jax.lax.stop_gradient((mouth.edge, mouth.size))
    anchors = jax.lax.stop_gradient(_true_anchors(mouth, head_pose, truth))
    mouth = mouth.replace(edge=edge, anchors=anchors, size=size)
    size = image.shape[1]
    corners = mouth_lib.corners(truth.edge)
    layer = mouth_layer.draw(mouth, seen, head_pose, corners, size)
    grid = jnp.broadcast_to(geometry.image_grid(size, size), (*image.shape[:3], 2))
    places = drawn_layer.cut(grid, layer)
    inside = mouth_layer.edge_distance(places, truth.edge) * (0.5 * size)
    weight = jnp.clip(inside / mouth_layer.SOFT - INSET, 0.0, 1.0)
    weight = weight * truth.is_painted[:, None, None]
    error = layer.colours - drawn_layer.cut(image, layer)
    total = (jnp.abs(error) * weight).sum()
    total += (jnp.abs(jnp.diff(error, axis=1)) * weight[:, 1:]).sum()
    total += (jnp.abs(jnp.diff(error, axis=2)) * weight[:, :, 1:]).sum()
    return COLOURS * total / (3.0 * jnp.maximum(weight.sum(), 1.0))


@dataclasses.dataclass(frozen=True)
class _Told:
    """What is told of B frames, in their image: `[B, 24, 2]`, `[B, 2, 4, 2]`."""

    edge: jax.Array
    teeth: jax.Array
    corners: jax.Array

    @classmethod
    def of(cls, mouth, head_pose, truth):
        edge = mouth_lib.posed_edge(mouth, head_pose)
        corners = mouth_lib.corners(edge)
        shift = corners, mouth_lib.corners(truth.edge)
        teeth = mouth_lib.posed_teeth(mouth, head_pose)
        shifted = placing.shifted
        return cls(shifted(edge, *shift), shifted(teeth, *shift), corners)


def _true_anchors(mouth, head_pose, truth):
    """Shift the rows' anchors in their plane to where the truth has the teeth."""
    told = _Told.of(mouth, head_pose, truth).teeth
    missing = (truth.teeth - told).mean(axis=2) / head_pose.scale[:, None]
    rotation = geometry.rotation_matrix(head_pose.rotation)
    move = jnp.einsum("bij,brj->bri", jnp.linalg.inv(rotation[:, :2, :2]), missing)
    return mouth.anchors.at[..., :2].add(move)


def _gap(edge):
    """Return the way from the upper lip to the lower one, `[B, 11, 2]`."""
    last = mouth_lib.MOUTH_CORNERS[1]
    upper, lower = edge[:, 1:last], edge[:, last + 1 :]
    return lower[:, ::-1] - upper
