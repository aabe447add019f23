"""Where a frame of a photographed head shows the rims of its lids and its irises."""

import functools

import numpy as np

from datasets.photo_heads.fit import face_mesh, photo_head
from datasets.photo_heads.parts import eyes, patch
from datasets.photo_heads.rendering import posing
from vasa_jax.portrait import eyes as eyes_lib

OUTER_RING = 1 + (len(eyes.RINGS) - 2) * eyes.SPOKES
"""The first point of a disc's last ring, which lies to the right of its centre."""

RADII = (OUTER_RING, OUTER_RING + eyes.SPOKES // 4)
"""The points to the right of a disc's centre and below it."""


def find(
    rig: posing.Rig, state: photo_head.State, view: photo_head.View
) -> dict[str, np.ndarray]:
    """Find the eyes of one frame: `face.examples.EYE_FIELDS` by name.

    Args:
        rig: of the head.
        state: the frame's.
        view: the clip's.
    """
    parts = [
        _rim() @ (rig.rest[loop] + posing.face_moves(rig, state, loop))
        for loop in face_mesh.face_mesh().eye_loops
    ]
    parts += [
        _disc(one.points + one.moves(state, ()))
        for one in rig.patches
        if one.tile in patch.EYE_TILES and one.moves is not None
    ]
    points = np.concatenate(parts)
    points = posing.turned(rig, points, np.ones(len(points)), state)
    shown = view.to_image(photo_head.project(points)).astype(np.float32)
    end = 2 * eyes_lib.NUM_RIM
    return {
        "eye_rims": shown[:end].reshape(2, eyes_lib.NUM_RIM, 2),
        "eye_discs": shown[end:].reshape(2, 1 + len(RADII), 2),
    }


@functools.lru_cache(maxsize=1)
def _rim():
    """Return what each point of a rim has of those of the mesh's loop, `[16, L]`.

    Ours: the loop's points are evenly spaced, as the rim's are.
    """
    count = len(face_mesh.face_mesh().eye_loops[0])
    upper = np.linspace(0, count // 2, eyes_lib.NUM_UPPER)
    lower = np.linspace(count // 2, count, eyes_lib.NUM_UPPER)[1:-1]
    known = np.arange(count + 1)
    hats = np.eye(count)[:, np.append(known[:-1], 0)]
    at = np.concatenate([upper, lower])
    return np.stack([np.interp(at, known, row) for row in hats], axis=1)


def _disc(points):
    """Return the centre of a disc, and the ends of two of its radii, `[3, 3]`."""
    centre, ends = points[:1], points[list(RADII)]
    return np.concatenate([centre, centre + (ends - centre) / eyes.RINGS[-1]])
