"""The mirror image of each point of a head about the middle of the face."""

import numpy as np

from datasets.photo_heads.fit import face_mesh, photo_head, sheet
from datasets.photo_heads.rendering import posing

_SIDE = np.array([-1.0, 1.0, 1.0])


def mirrored_points(
    rig: posing.Rig, moves: np.ndarray, state: photo_head.State
) -> np.ndarray:
    """Pose the mirror image of every point.

    Ours: the face's by its mesh, which is the same for everyone and symmetric; the
    sheet's by reflecting it at rest in the head frame, where it then moves like what
    lies there; patches go with the head, and irises with the other eye's gaze.

    Args:
        rig: the head; N points.
        moves: float32 `[N, 3]`, `posing.point_moves` of the state.
        state: in which it is seen.

    Returns:
        float32 `[N, 3]`, camera frame.
    """
    dense, shape = face_mesh.face_mesh(), rig.shape
    start, end = len(shape.face), len(shape.face) + len(shape.sheet)
    result = np.empty_like(rig.rest)
    turning = np.ones(len(result), np.float32)
    face = (rig.rest + moves)[dense.mirror_points]
    result[:start] = np.einsum("nkc,nk->nc", face, dense.mirror_weights)
    reflected = (shape.sheet @ rig.matrix * _SIDE) @ rig.matrix.T
    like = _nearest_in_sheet(rig.screen[start:end], photo_head.project(reflected))
    known = like >= 0
    reflected[known] += moves[start:end][like[known]]
    result[start:end] = reflected
    turning[start:end] = np.where(known, shape.turning[like], 1)
    for patch in rig.patches:
        start, end = end, end + len(patch.points)
        result[start:end] = patch.mirrored
        if patch.mirrored_moves is not None:
            result[start:end] += patch.mirrored_moves(state)
    return posing.turned(rig, result, turning, state)


def _nearest_in_sheet(screen, wanted):
    """Return the sheet's point in the same cell as each wanted point, -1 for none."""
    table = np.full((sheet.CELLS + 1,) * 2, -1, np.int32)

    def cells(points):
        at = (points / photo_head.REACH + 1) / 2 * sheet.CELLS
        return tuple(np.rint(at).astype(int).clip(0, sheet.CELLS).T)

    table[cells(screen)] = np.arange(len(screen))
    return table[cells(wanted)]
