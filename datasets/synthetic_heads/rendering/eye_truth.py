"""Where a frame of a rendered head shows the rims of its lids and its irises."""

import functools

import numpy as np

from datasets.synthetic_heads.person import eye_paint, geometry, head
from datasets.synthetic_heads.rendering import scene
from vasa_jax.portrait import eyes

IRIS = 0.47
"""Half the angle of an iris, seen from the eyeball's centre, radians. Follows:
`materials.eyeball`."""


AXIS = 0.3
"""Depth of the axis of azimuths, mesh units. Follows: `geometry`."""

NUM_NEAREST, NEAR, DEEP = 8, 0.004, 0.06
"""Points of skin that a rim point is made of, how near they count as equal, and how far
behind the foremost they may lie, mesh units. Ours: a lid's skin is as thick, and goes
on behind the eye."""


def find(
    shape: geometry.HeadGeometry, posed: geometry.PosedHead, camera: scene.Camera
) -> dict[str, np.ndarray]:
    """Find the eyes of one frame: `face.examples.EYE_FIELDS` by name.

    Args:
        shape: of the head.
        posed: in the frame.
        camera: the clip's.
    """
    points, weights = _rims()
    rims = np.einsum("erk,erkc->erc", weights, posed.points[points])
    # The image's left eye is the head's right one, which comes second.
    discs = np.stack(
        [
            _disc(centre, radius, posed)
            for centre, radius in zip(
                posed.eye_centres[::-1], shape.eye_radii[::-1], strict=True
            )
        ]
    )
    return {
        "eye_rims": camera.project(rims)[..., :2].astype(np.float32),
        "eye_discs": camera.project(discs)[..., :2].astype(np.float32),
    }


def _disc(centre, radius, posed):
    """Return the centre of an iris, and the ends of two radii, `[3, 3]`."""
    looking = posed.gaze_direction
    right = np.cross(posed.rotation[:, 1], looking)
    right = right / np.linalg.norm(right)
    down = np.cross(right, looking)
    middle = centre + radius * np.cos(IRIS) * looking
    ends = middle + radius * np.sin(IRIS) * np.stack([right, down])
    return np.concatenate([middle[None], ends])


@functools.lru_cache(maxsize=1)
def _rims():
    """Return points of the head mesh `[2, 16, K]` and what each rim point has of them.

    Ours: rims are known by azimuth and height on the base mesh; each place has of the
    nearest points of skin that do not lie far behind the foremost of them.
    """
    mesh = head.load_head_mesh()
    skin = np.unique(mesh.point_of_vertex[mesh.vertex_materials == head.SKIN])
    x, y, z = mesh.base[skin].T
    flat = np.stack([np.arctan2(x, z - AXIS), y], axis=1)
    upper = eyes.evenly_spaced(eye_paint.UPPER_RIM.T, eyes.NUM_UPPER)
    lower = eyes.evenly_spaced(eye_paint.LOWER_RIM.T, eyes.NUM_UPPER)
    # To the image's right: from the outer corner in its left eye, where azimuth is
    # below zero, from the inner one in the other.
    eye = np.concatenate([upper, lower[-2:0:-1]])
    other = np.concatenate([upper[::-1], lower[1:-1]]) * [-1.0, 1.0]
    rims = np.stack([other, eye])
    away = np.linalg.norm(rims[:, :, None] - flat, axis=-1)
    nearest = np.argsort(away, axis=-1)[..., :NUM_NEAREST]
    away = np.take_along_axis(away, nearest, axis=-1)
    behind = z[nearest].max(axis=-1, keepdims=True) - z[nearest]
    weights = np.where(behind < DEEP, 1.0 / (np.square(away) + NEAR**2), 0.0)
    return skin[nearest], weights / weights.sum(axis=-1, keepdims=True)
