"""The inside of the mouth: lips' inner edge, teeth and tongue where they belong.

Ours: teeth are one or two of the decoder's cells wide, and a mouth that opens is a few;
whatever a decoder paints there is a blur. But teeth hang on the skull and on the jaw,
and look much alike from one person to the next. So they are painted once a portrait
(`portrait.mouths`); a small network predicts where lips part and where the rows of
teeth are, which a data set of moved photographs knows exactly; and `mouth_layer` draws
them as finely as the frame.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import struct

from vasa_jax import geometry, types
from vasa_jax.face.shortcut import placing
from vasa_jax.portrait import lips as lips_lib

CENTRE = (0.0, 0.39, -0.66)
"""The middle of the mouth in the head's frame, half images at scale 1. Ours: the mean
of moved photographs."""

MOUTH_CORNERS = (0, lips_lib.NUM_UPPER - 1)
"""Which of them are the corners of the mouth."""

NUM_ROWS = 2
"""Rows of teeth: the upper one, and the lower one with the tongue."""

ROW_HALF_WIDTHS, TEETH_HEIGHT = (0.244, 0.231), 0.116
"""Half the width of what is painted of each row and the height of its teeth with their
gums, half images at scale 1. Follows: `portrait.mouth_interior`."""

ROW_SPANS = ((0.0, TEETH_HEIGHT), (-0.1047, TEETH_HEIGHT))
"""From where to where each row is painted, below its anchor. Ours: the lower one with
the tongue, which lies behind it and above."""

ROW_TOPS = (0.305, 0.395)
"""Where the rows' anchors lie below the head's centre in a shut mouth. Ours: means of
moved photographs."""

CURVE, SET_BACK = 3.3, 0.06
"""How the rows curve back, depth over the square of what is to the side, and how far
behind the lips they stand. Follows: `mouth_interior`."""

CORNERS = ((0.25, 0.0), (0.75, 0.0), (0.25, 1.0), (0.75, 1.0))
"""Points of a row's texture whose positions in the frame are taught. Follows:
`mouth_truth.CORNERS`."""

OPENED = (0.006, 0.016)
"""How much further apart lips are than the portrait's, half images at scale 1, from
where the inside of the mouth is drawn in part, and from where in whole. Ours: 1.5 and 4
pixels of 512. Lips that are as far apart or nearer show what the portrait's do, and its
own pixels show that best: drawn over a smile that closes, rows of teeth were double."""

REACH = 0.1
"""Half images of one unit of what the network says of points. Ours: the standard
deviation of open mouths."""


@struct.dataclass
class Mouth:
    """The mouth of B frames, in the head's frame, half images at scale 1.

    Attributes:
        edge: `[B, 24, 3]` the lips' inner edge; see `portrait.lips`.
        anchors: `[B, 2, 3]` the middle of the upper border of each row's teeth.
        size: `[B, 1]` of teeth, 1 for an average adult's.
    """

    edge: jax.Array
    anchors: jax.Array
    size: jax.Array


class MouthShape(nn.Module):
    """Tell the mouth of a frame from the portrait's and what changes in its face.

    Ours: see the module. Where a portrait's lips are its landmarks know to a pixel; a
    network that saw the picture of 180 people erred by three on others.
    """

    hidden: int

    @nn.compact
    def __call__(
        self, lips: jax.Array, own_dynamics: jax.Array, change: jax.Array
    ) -> Mouth:
        """Predict the mouths of B frames.

        Args:
            lips: `[B, 24, 2]` the lips' inner edge in the portraits; see `flat_lips`.
            own_dynamics: `[B, Z]` the portraits' facial dynamics.
            change: `[B, 54]` from there to the frames; see
                `dynamics_map.DynamicsMap.read_change`.
        """
        batch = len(lips)
        x = jnp.concatenate([_shape(lips), own_dynamics, change], axis=-1)
        for name in ("first", "second"):
            x = nn.silu(nn.Dense(self.hidden, name=name)(x))
        num_points = lips_lib.NUM_EDGE + NUM_ROWS
        offsets = _slight(3 * num_points + 1, "places")(x)
        points = REACH * offsets[:, :-1].reshape(batch, num_points, 3)
        edge, anchors = jnp.split(points, [lips_lib.NUM_EDGE], axis=1)
        return Mouth(
            edge=edge + placing.lift(lips, CENTRE[2]),
            anchors=anchors + _resting_anchors(lips),
            size=jnp.exp(REACH * offsets[:, -1:]),
        )


def flat_lips(seen: jax.Array, head_pose: types.HeadPose) -> jax.Array:
    """Find where portraits' lips meet in the head's frame.

    Args:
        seen: `[B, 24, 2]` the lips' inner edge, in [-1, 1]; see `portrait.lips`.
        head_pose: the portraits'.

    Returns:
        `[B, 24, 2]` half images at scale 1, as if lips were flat.
    """
    return placing.flatten(seen, head_pose, CENTRE[2])


def seen_lips(lips: jax.Array, head_pose: types.HeadPose) -> jax.Array:
    """Take lips `[B, 24, 2]` of `flat_lips` back into the portraits."""
    return geometry.pose_points(placing.lift(lips, CENTRE[2]), head_pose)[..., :2]


def corners(edge: jax.Array) -> jax.Array:
    """Return the corners `[B, 2, 2]` of the mouth, of its edge `[B, 24, 2]`."""
    return edge[:, list(MOUTH_CORNERS)]


def posed_edge(mouth: Mouth, head_pose: types.HeadPose) -> jax.Array:
    """Return where a frame shows the lips' inner edge, `[B, 24, 2]` in [-1, 1]."""
    return geometry.pose_points(mouth.edge, head_pose)[..., :2]


def posed_teeth(mouth: Mouth, head_pose: types.HeadPose) -> jax.Array:
    """Return where a frame shows `CORNERS` of each row, `[B, 2, 4, 2]` in [-1, 1]."""
    texture = jnp.array(CORNERS)
    x = (2.0 * texture[None, :, 0] - 1.0) * jnp.array(ROW_HALF_WIDTHS)[:, None]
    y = jnp.broadcast_to(texture[None, :, 1] * TEETH_HEIGHT, x.shape)
    local = jnp.stack([x, y, CURVE * jnp.square(x)], axis=-1)[None]
    points = mouth.anchors[:, :, None] + mouth.size[:, :, None, None] * local
    return geometry.pose_points(points, head_pose)[..., :2]


def gaps(edge: jax.Array) -> jax.Array:
    """Return the way from the upper lip to the lower one, `[B, 11, C]`.

    Args:
        edge: `[B, 24, C]` of lips; see `portrait.lips`.
    """
    last = MOUTH_CORNERS[1]
    upper, lower = edge[:, 1:last], edge[:, last + 1 :]
    return lower[:, ::-1] - upper


def presence(mouth: Mouth, own_gaps: jax.Array) -> jax.Array:
    """Tell how far the inside of mouths is to be drawn, `[B, 1]` 0 to 1.

    Args:
        mouth: predicted of the frames.
        own_gaps: `[B, 11, 3]` the portraits'; see `gaps`.
    """
    wide, own = (jnp.linalg.norm(x, axis=-1) for x in (gaps(mouth.edge), own_gaps))
    opened = jnp.maximum(wide - own, 0.0).mean(axis=-1)
    first, last = OPENED
    return jnp.clip((opened - first) / (last - first), 0.0, 1.0)[:, None]


def _shape(lips):
    """Return lips `[B, 24, 2]` as a network sees them, `[B, 48]`."""
    off = (lips - jnp.array(CENTRE[:2])[None, None]) / REACH
    return off.reshape(len(lips), -1)


def _slight(features, name):
    return nn.Dense(features, kernel_init=nn.initializers.normal(1e-3), name=name)


def _resting_anchors(lips):
    """Hang both rows, `[B, 2, 3]`, below the middle of the lips."""
    middle = lips.mean(axis=1, keepdims=True)
    rows = jnp.array([[0.0, top - CENTRE[1]] for top in ROW_TOPS])
    return placing.lift(middle + rows[None], CENTRE[2] + SET_BACK)
