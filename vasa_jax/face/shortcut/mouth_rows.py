"""Rows of teeth with gums and tongue: learnt once, and a portrait's own over them.

Ours: see `mouth`. Teeth that a portrait shows are its own in every frame; those that it
does not show get their brightness and tint.
"""

import einops
import flax.linen as nn
import jax
import jax.numpy as jnp

from vasa_jax import geometry, types
from vasa_jax.face.shortcut import mouth as mouth_lib
from vasa_jax.face.shortcut import mouth_layer, placing

TEXTURE_SIZES = ((32, 128), (52, 128))
"""Cells down and across each row. Ours: one is a pixel of 512 at scale 1."""

OWN_SIZE = (64, 256)
"""Cells of the upper row in a portrait. Ours: so that its teeth stay as sharp."""

DARK = 0.25
"""Colour of the cavity over that of flesh. Follows: `mouth_paint`."""

BRIGHT, PALE = (0.65, 0.85), (-0.06, -0.01)
"""What counts as a tooth between lips: its brightness over that around the mouth, and
by how much less red it is than what is around, as a share of its brightness; from where
it is doubted to where it is believed. Ours: tongues and lips are redder, cavities
darker."""

INSET = (1.0, 3.0)
"""Pixels of 512 inside of the lips from where, and from where wholly, a portrait's
teeth are believed. Ours: at the edge pictures mix both."""

SHOWN = (0.15, 0.35)
"""Share of the inside of a mouth that looks like teeth, from where teeth are taken to
be seen. Ours: a wet tongue and a bright lip have a few such pixels."""

TINT = (0.5, 2.0)
"""Least and most by which a portrait's own teeth change the others'. Ours."""


class MouthRows(nn.Module):
    """Teeth and tongue, learnt once. Ours: see `mouth`."""

    def setup(self):
        """Name the textures; a checkpoint holds them by these names."""
        begun, (upper, lower) = nn.initializers.normal(0.1), TEXTURE_SIZES
        self.row_0 = self.param("row_0", begun, (*upper, 5))
        self.row_1 = self.param("row_1", begun, (*lower, 5))

    def __call__(
        self, tooth: jax.Array, flesh: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """Colour the rows of B portraits.

        Ours: once a portrait, since a row has fewer cells than frames have pixels.

        Args:
            tooth, flesh: `[B, 3]` colours in full light, 0 to 1.

        Returns:
            `types.SeenMouth.rows`.
        """
        return tuple(_coloured(row, tooth, flesh) for row in (self.row_0, self.row_1))


def with_own_teeth(
    rows: MouthRows,
    looks: tuple[jax.Array, jax.Array],
    mouth: mouth_lib.Mouth,
    marks: jax.Array,
    around: jax.Array,
    image: jax.Array,
    head_pose: types.HeadPose,
) -> tuple[jax.Array, jax.Array]:
    """Colour the rows of B portraits, and lay over them what these show of teeth.

    Args:
        rows: what is learnt.
        looks: colours of teeth and flesh; see `mouth.MouthLooks`.
        mouth: the portraits', told of their own facial dynamics.
        marks: `[B, 24, 2]` the lips' inner edge in the portraits, in [-1, 1].
        around: `[B, 3]` mean colour around the mouth, 0 to 1.
        image: `[B, H, W, 3]` the portraits, in [-1, 1].
        head_pose: theirs.

    Returns:
        `types.SeenMouth.rows`.
    """
    tooth, flesh = looks
    own, share = _photographed(mouth, marks, around, image, head_pose)
    upper = geometry.resize(rows(tooth, flesh)[0], *OWN_SIZE)
    weight = share * upper[..., 3:]
    total = jnp.maximum(weight.sum(axis=(1, 2)), 1e-3)
    seen = (weight * own).sum(axis=(1, 2)) / total
    drawn = (share * upper[..., :3]).sum(axis=(1, 2)) / total
    tint = jnp.clip(seen / jnp.maximum(drawn, 1e-3), *TINT)
    tint = 1.0 + share.max(axis=(1, 2)) * (tint - 1.0)
    upper, lower = rows(jnp.clip(tooth * tint, 0.0, 1.0), flesh)
    upper = geometry.resize(upper, *OWN_SIZE)
    own = jnp.concatenate([own, jnp.ones_like(share)], axis=-1)
    return upper + share * (own - upper), lower


def _coloured(texture, tooth, flesh):
    shown = nn.softplus(texture[None, ..., :4])
    colours = tooth[:, None, None] * shown[..., :3]
    colours = colours + flesh[:, None, None] * shown[..., 3:]
    opacity = nn.sigmoid(texture[None, ..., 4:])
    opacity = jnp.broadcast_to(opacity, (*colours.shape[:3], 1))
    return jnp.concatenate([jnp.clip(colours, 0.0, 1.0) * opacity, opacity], axis=-1)


def _photographed(mouth, marks, around, image, head_pose):
    """Return what portraits show where upper teeth are, in full light, and how far it
    is believed to be teeth: `[B, h, w, 3]` in 0 to 1 and `[B, h, w, 1]`."""
    places = _places(mouth, head_pose)
    corners = mouth_lib.corners(mouth_lib.posed_edge(mouth, head_pose))
    places = placing.shifted(places, corners, mouth_lib.corners(marks))
    inside = mouth_layer.edge_distance(places, marks)
    is_inside = _ramp(256.0 * inside, INSET)
    colours = 0.5 * (geometry.sample_image(image, places) + 1.0)
    brightness = colours.mean(axis=-1, keepdims=True)
    around = around[:, None, None]
    light = around.mean(axis=-1, keepdims=True)
    paleness = around[..., :1] / light - colours[..., :1] / jnp.maximum(
        brightness, 1e-3
    )
    share = is_inside * _ramp(brightness / light, BRIGHT) * _ramp(paleness, PALE)
    total = jnp.maximum(is_inside.sum(axis=(1, 2)), 1.0)
    is_shown = _ramp(share.sum(axis=(1, 2)) / total, SHOWN)
    lit = colours / mouth_layer.shade(inside, head_pose)
    return jnp.clip(lit, 0.0, 1.0), share * is_shown[:, None, None]


def _places(mouth, head_pose):
    """Return where portraits show the cells of the upper row, `[B, h, w, 2]`."""
    height, width = OWN_SIZE
    start, end = mouth_lib.ROW_SPANS[0]
    grid = 0.5 * (geometry.image_grid(height, width) + 1.0)
    x = (2.0 * grid[..., 0] - 1.0) * mouth_lib.ROW_HALF_WIDTHS[0]
    y = start + grid[..., 1] * (end - start)
    local = jnp.stack([x, y, mouth_lib.CURVE * jnp.square(x)], axis=-1)
    local = einops.rearrange(local, "h w c -> 1 (h w) c")
    points = mouth.anchors[:, :1] + mouth.size[:, :, None] * local
    seen = geometry.pose_points(points, head_pose)[..., :2]
    return einops.rearrange(seen, "b (h w) c -> b h w c", h=height)


def _ramp(value, span):
    return jnp.clip((value - span[0]) / (span[1] - span[0]), 0.0, 1.0)
