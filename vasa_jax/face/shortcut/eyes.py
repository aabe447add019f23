"""The eyes of a frame: rims of lids and irises where they belong.

Ours: an iris is two of the decoder's cells wide, so that one which looks aside was
smeared over the white. But an eye is all but a formula: an iris, a white, and lids
before both. The portrait shows what they look like (`portrait.eyes`); a small network
predicts where they go, which data sets of moved heads know exactly; and `eye_layer`
draws them as finely as the frame.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import struct

from vasa_jax import geometry, types
from vasa_jax.face.shortcut import placing
from vasa_jax.portrait import eyes as eyes_lib

CENTRES = ((-0.219, -0.09), (0.219, -0.09))
DEPTH = -0.686
"""The middles of the eyes, the image's left one first, and how deep they lie, in the
head's frame, half images at scale 1. Ours: means of 40 fitted photographs."""

CORNERS = (0, eyes_lib.NUM_UPPER - 1)
"""Which points of a rim are the corners of the eye."""

NUM_POINTS = eyes_lib.NUM_RIM + eyes_lib.NUM_DISC
"""Points of an eye: of its rim, then of its iris."""

REACH = 0.05
"""Half images of one unit of what the network says of points. Ours: half an eye."""


@struct.dataclass
class EyePoints:
    """The eyes of B frames in the head's frame, half images at scale 1.

    Attributes:
        rims: `[B, 2, 16, 3]` of the lids; see `types.Eyes`.
        discs: `[B, 2, 3, 3]` of the irises; likewise.
    """

    rims: jax.Array
    discs: jax.Array


class EyeShape(nn.Module):
    """Tell the eyes of a frame from the portrait's and what changes in its face.

    Ours: see the module.
    """

    hidden: int

    @nn.compact
    def __call__(
        self, eyes: jax.Array, own_dynamics: jax.Array, change: jax.Array
    ) -> EyePoints:
        """Tell the eyes of B frames.

        Args:
            eyes: `[B, 2, 19, 2]` rims and discs of the portraits; see `encode_eyes`.
            own_dynamics: `[B, Z]` the portraits' facial dynamics.
            change: `[B, 54]` from there to the frames; see
                `dynamics_map.DynamicsMap.read_change`.
        """
        batch = len(eyes)
        off = (eyes - jnp.array(CENTRES)[None, :, None]) / REACH
        x = [off.reshape(batch, -1), own_dynamics, change]
        x = jnp.concatenate(x, axis=-1)
        for name in ("first", "second"):
            x = nn.silu(nn.Dense(self.hidden, name=name)(x))
        slight = nn.initializers.normal(1e-3)
        moves = nn.Dense(2 * NUM_POINTS * 3, kernel_init=slight, name="moves")(x)
        points = placing.lift(eyes, DEPTH)
        points = points + REACH * moves.reshape(points.shape)
        rims, discs = jnp.split(points, [eyes_lib.NUM_RIM], axis=2)
        return EyePoints(rims=rims, discs=discs)


def encode_eyes(
    rims: jax.Array, discs: jax.Array, head_pose: types.HeadPose
) -> jax.Array:
    """Take the eyes of portraits into the head's frame.

    Args:
        rims, discs: `[B, 2, 16, 2]` and `[B, 2, 3, 2]` in [-1, 1]; see `types.Eyes`.
        head_pose: the portraits'.

    Returns:
        `[B, 2, 19, 2]` half images at scale 1, as if eyes were flat.
    """
    points = jnp.concatenate([rims, discs], axis=2)
    flat = points.reshape(len(points), -1, 2)
    return placing.flatten(flat, head_pose, DEPTH).reshape(points.shape)


def posed(points: EyePoints, head_pose: types.HeadPose) -> tuple[jax.Array, jax.Array]:
    """Return where a frame shows rims `[B, 2, 16, 2]` and discs `[B, 2, 3, 2]`."""

    def pose(points):
        return geometry.pose_points(points, head_pose)[..., :2]

    return pose(points.rims), pose(points.discs)


def corners(rims: jax.Array) -> jax.Array:
    """Return the corners `[..., 2, 2]` of rims `[..., 16, 2]`."""
    return rims[..., list(CORNERS), :]
