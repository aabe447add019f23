"""Where a frame of a photographed head shows its lips' inner edge and its teeth."""

import functools

import numpy as np

from datasets.photo_heads.fit import face_mesh, photo_head
from datasets.photo_heads.parts import mouth_sheets, patch
from datasets.photo_heads.rendering import posing
from vasa_jax.portrait import lips

TEETH = patch.MOUTH_TILES[:2]
"""Tiles of the upper and of the lower teeth."""

CORNERS = ((0.25, 0.0), (0.75, 0.0), (0.25, 1.0), (0.75, 1.0))
"""Points of a tile of teeth whose positions in the frame are recorded."""


def find(
    rig: posing.Rig, state: photo_head.State, view: photo_head.View
) -> dict[str, np.ndarray]:
    """Find the mouth of one frame: `face.examples.MOUTH_FIELDS` by name.

    Args:
        rig: of the head.
        state: the frame's.
        view: the clip's.
    """
    loop = face_mesh.face_mesh().mouth_loop
    parts = [_edge() @ (rig.rest[loop] + posing.face_moves(rig, state, loop))]
    parts += [
        _corners(one.points if one.moves is None else one.points + one.moves(state, ()))
        for one in rig.patches
        if one.tile in TEETH
    ]
    points = np.concatenate(parts)
    points = posing.turned(rig, points, np.ones(len(points)), state)
    shown = view.to_image(photo_head.project(points)).astype(np.float32)
    return {
        "mouth_edge": shown[: len(_edge())],
        "mouth_teeth": shown[len(_edge()) :].reshape(len(TEETH), len(CORNERS), 2),
    }


@functools.lru_cache(maxsize=1)
def _edge():
    """Return what each point of the edge has of those of the mouth's loop, `[24, L]`.

    Ours: the loop's points are evenly spaced, as the edge's are.
    """
    dense = face_mesh.face_mesh()
    count, end = len(dense.mouth_loop), dense.num_upper - 1
    upper = np.linspace(0, end, lips.NUM_UPPER)
    lower = np.linspace(end, count, lips.NUM_LOWER + 2)[1:-1]
    known = np.arange(count + 1)
    hats = np.eye(count)[:, np.append(known[:-1], 0)]
    at = np.concatenate([upper, lower])
    return np.stack([np.interp(at, known, row) for row in hats], axis=1)


def _corners(points):
    """Return the points `[4, 3]` of a sheet that lie at `CORNERS` of its tile."""
    grid = points.reshape(-1, mouth_sheets.COLUMNS, 3)
    rows, columns = len(grid) - 1, mouth_sheets.COLUMNS - 1
    return np.stack([grid[round(y * rows), round(x * columns)] for x, y in CORNERS])
