"""Depth of hair, ears, neck and torso: a sheet that goes on from the face's outline."""

import dataclasses

import numpy as np
from scipy import ndimage, sparse
from scipy.interpolate import LinearNDInterpolator
from scipy.sparse import linalg
from scipy.spatial import Delaunay, cKDTree

from datasets.photo_heads import contours, face_mesh, photo_head
from datasets.photo_heads.closing import ease

CELLS = 96
"""Cells of the sheet along a side. Ours: four pixels of a texture for crops of 256."""

RIM_DEPTH, NECK_DEPTH, TORSO_DEPTH = 0.15, 0.10, 0.10
"""Depth of the outline of the head, of the neck's front and of the torso, head units.
Ours: an outline lies beside the ears."""

RIM_MARGIN, SMOOTHING = 0.02, 2.0
"""How far outside the outline that depth holds, share of the side, and the blur of
depths in cells. Ours: outlines with a jump of depth would be torn into steps."""

ROUNDNESS = 0.6
"""Power of the distance from the rim's plane that is smooth where a head is round.
Ours: between a cone's and a sphere's."""

STEEPEST, LIMITED_REACH = 2.3, 0.6
"""Slope to which depth is limited, and over how much of the picture, head units.
Ours: what falls away more steeply would be stretched beyond belief when it turns into
view."""

SEAM_WIDTH, SEAM_SMOOTHING = 0.14, 1.3
"""About the face's outline: width of the band of smoothed depth, its blur in cells."""

UNDER_CHIN, NECK_LENGTH = 0.2, 0.55
"""Below the chin: where the neck begins, and where it stops turning, head units."""

CLEAR = 0.03
"""Opacity below which the sheet shows nothing. Ours."""

_STEP = 2 * photo_head.REACH / CELLS


@dataclasses.dataclass(frozen=True)
class Grid:
    """The sheet's grid over the texture: `[G]` points, row by row.

    Attributes:
        screen: `[G, 2]`.
        below: how far below the chin, along the head's own axis.
        distance: from the face's outline.
        is_within: inside of it.
        depth: head units.
    """

    screen: np.ndarray
    below: np.ndarray
    distance: np.ndarray
    is_within: np.ndarray
    depth: np.ndarray


def spread(
    face: np.ndarray, landmarks: np.ndarray, turn: np.ndarray, person: np.ndarray
) -> Grid:
    """Spread depth from the face over hair, ears, neck and torso.

    Ours: it solves Laplace's equation between the face and the person's outline.

    Args:
        face: `[F, 3]` the dense face, camera frame.
        landmarks: `[468, 3]`.
        turn: `[3, 3]` the head's rotation.
        person: `[H, H]` share of the person over the texture.
    """
    mesh = face_mesh.face_mesh()
    line = np.linspace(-photo_head.REACH, photo_head.REACH, CELLS + 1)
    x, y = (values.ravel() for values in np.meshgrid(line, line))
    screen = np.stack([x, y], axis=1)
    ring = photo_head.project(face[mesh.outline])
    down = turn[:2, 1] / np.linalg.norm(turn[:2, 1])
    below = (screen - photo_head.project(landmarks[contours.CHIN])) @ down
    distance, _ = cKDTree(ring).query(screen)
    face_depth = LinearNDInterpolator(photo_head.project(face), face[:, 2])(screen)
    is_within = contours.inside(ring, screen) & np.isfinite(face_depth)

    fixed = np.full(len(screen), np.nan)
    side = len(person)
    at = ((screen / photo_head.REACH + 1) / 2 * side).astype(int).clip(0, side - 1)
    wide = ndimage.maximum_filter(person, 1 + 2 * round(RIM_MARGIN * side))
    fixed[wide[at[:, 1], at[:, 0]] < 0.5] = RIM_DEPTH
    level = (screen - ring.mean(axis=0)) @ down
    fixed[(level > 0.25) & (below > -0.3) & (distance > UNDER_CHIN)] = NECK_DEPTH
    fixed[below > NECK_LENGTH] = TORSO_DEPTH
    fixed[(np.abs(screen) > photo_head.REACH - 1e-6).any(axis=1)] = RIM_DEPTH
    fixed[is_within] = face_depth[is_within]
    behind = max(np.nanmax(fixed), RIM_DEPTH)
    power = _membrane((behind - fixed) ** (1 / ROUNDNESS), CELLS + 1)
    depth = behind - np.maximum(power, 0) ** ROUNDNESS
    smooth = ndimage.gaussian_filter(depth.reshape(CELLS + 1, -1), SMOOTHING).ravel()
    depth += ease(distance / 0.12) * (smooth - depth) * ~is_within
    return Grid(screen, below, distance, is_within, depth)


def limit_slopes(face: np.ndarray, grid: Grid) -> tuple[np.ndarray, Grid]:
    """Bring nearer what falls away too steeply; returns the face and the grid anew.

    Ours: about the outline one smooth function of place gives the depth of both.
    """
    square = grid.depth.reshape(CELLS + 1, CELLS + 1)
    near = np.pad(square, 1, mode="edge")
    for _ in range(round(LIMITED_REACH / _STEP)):
        middle = near[1:-1, 1:-1].copy()
        for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
            rise = STEEPEST * _STEP * np.hypot(dy, dx)
            for sign in (1, -1):
                rows = slice(1 + sign * dy, CELLS + 2 + sign * dy)
                columns = slice(1 + sign * dx, CELLS + 2 + sign * dx)
                middle = np.minimum(middle, near[rows, columns] + rise)
        near[1:-1, 1:-1] = middle
    change = near[1:-1, 1:-1] - square
    change = np.minimum(ndimage.gaussian_filter(change, 0.8), 0)
    limited = square + change
    smooth = ndimage.gaussian_filter(limited, SEAM_SMOOTHING)
    share = ease(1.5 - grid.distance / SEAM_WIDTH)
    depth = limited.ravel() + share * (smooth - limited).ravel()
    screen = photo_head.project(face)
    at = ((screen / photo_head.REACH + 1) / 2 * CELLS).T[::-1]
    moved, there = (
        ndimage.map_coordinates(values, at, order=1, mode="nearest")
        for values in (change, smooth)
    )
    outline = screen[face_mesh.face_mesh().outline]
    share = ease(1.5 - cKDTree(outline).query(screen)[0] / SEAM_WIDTH)
    new = face[:, 2] + moved
    face = photo_head.lift(screen, new + share * (there - new))
    return face, dataclasses.replace(grid, depth=depth)


@dataclasses.dataclass(frozen=True)
class Sheet:
    """The sheet as a mesh; G points, T triangles.

    Attributes:
        points: `[G, 3]` camera frame.
        turning: `[G]` how much of the head's turn a point follows.
        triangles: `[T, 3]` indices of the face's points, then of the sheet's.
        clear: uint8 `[T]` 0 opaque, 1 partly, 2 wholly transparent.
    """

    points: np.ndarray
    turning: np.ndarray
    triangles: np.ndarray
    clear: np.ndarray


def sheet(face: np.ndarray, grid: Grid, person: np.ndarray) -> Sheet:
    """Join hair, ears, neck and torso to the face's outline.

    Args:
        face: `[F, 3]`, and
        grid: after `limit_slopes`.
        person: `[H, H]` share of the person over the texture.
    """
    outline = face_mesh.face_mesh().outline
    ring = photo_head.project(face[outline])
    keep = ~grid.is_within & (grid.distance > 0.4 * _STEP)
    every = np.concatenate([ring, grid.screen[keep]])
    triangles = Delaunay(every).simplices
    centre = every[triangles].mean(axis=1)
    triangles = triangles[~contours.inside(ring, centre)]
    triangles = face_mesh.wound(triangles, every)
    index = np.concatenate([outline, len(face) + np.arange(int(keep.sum()))])
    return Sheet(
        points=photo_head.lift(grid.screen, grid.depth)[keep],
        turning=(1 - ease((grid.below - 0.02) / NECK_LENGTH))[keep],
        triangles=index[triangles],
        clear=_clear(every[triangles].mean(axis=1), person),
    )


def _clear(centres, person):
    """Tell which triangles are opaque, partly or wholly transparent."""
    side = len(person)
    reach = int(np.ceil(side / CELLS)) + 1
    high = ndimage.maximum_filter(person, 2 * reach + 1)
    low = ndimage.minimum_filter(person, 2 * reach + 1)
    at = (centres / photo_head.REACH + 1) / 2 * side - 0.5
    column, row = np.rint(at).astype(int).clip(0, side - 1).T
    transparent = np.where(high[row, column] < CLEAR, 2, 1)
    return np.where(low[row, column] > 0.99, 0, transparent).astype(np.uint8)


def _membrane(values, side):
    """Fill NaNs of a grid with the solution of Laplace's equation."""
    free = np.isnan(values)
    index = np.cumsum(free) - 1
    count = int(free.sum())
    here = np.flatnonzero(free)
    rows, columns, right = [], [], np.zeros(count)
    for step in (1, -1, side, -side):
        there = here + step
        is_free = free[there]
        rows.append(index[here[is_free]])
        columns.append(index[there[is_free]])
        np.add.at(right, index[here[~is_free]], values[there[~is_free]])
    rows, columns = np.concatenate(rows), np.concatenate(columns)
    matrix = sparse.csc_matrix((-np.ones(len(rows)), (rows, columns)), (count, count))
    matrix = matrix + 4 * sparse.identity(count, format="csc")
    result = values.copy()
    result[free] = linalg.spsolve(matrix, right)
    return result
