"""The sheet of hair, ears, neck and torso around a face: its depth and its mesh.

Ours: it shares the face's outline, its depth solves Laplace's equation between face,
outline of the person, neck and torso, and slopes are limited.
"""

import dataclasses

import numpy as np
from scipy import ndimage, sparse
from scipy.interpolate import LinearNDInterpolator
from scipy.sparse import linalg
from scipy.spatial import Delaunay, cKDTree

from datasets.photo_heads.fit import closing, contours, face_mesh, photo_head
from datasets.photo_heads.rendering import rasterizer
from vasa_jax.portrait import sampling

CELLS = 96
"""Cells of the sheet along a side of the texture. Ours: 4 cm a hundred."""

RIM_DEPTH, NECK_DEPTH, TORSO_DEPTH = 0.15, 0.10, 0.10
"""Depth of the outline of the head, of the neck's front and of the torso, head units.
Ours: by eye."""

RIM_MARGIN, SMOOTHING = 0.02, 2.0
"""How far outside the outline that depth holds, share of the side, and the blur of
depths in cells. Ours: outlines with a jump of depth would be torn into steps."""

STEEPEST, LIMITED_REACH = 2.3, 0.6
"""Slope to which depth is limited, and over how much of the picture. Ours: what falls
away more steeply would be stretched beyond belief when it turns into view."""

SEAM_WIDTH, SEAM_SMOOTHING = 0.14, 1.3
"""About the face's outline: width of the band of smoothed depth, its blur in cells."""

UNDER_CHIN, NECK_LENGTH = 0.2, 0.55
"""Below the chin: where the neck begins, and where it stops turning."""

_SIDE = CELLS + 1
_STEP = 2 * photo_head.REACH / CELLS


@dataclasses.dataclass(frozen=True)
class Sheet:
    """The sheet's mesh.

    Attributes:
        points: float64 `[G, 3]` camera frame.
        turning: `[G]` how much of the head's turn each follows.
        triangles: int32 `[T, 3]` over the face's points and then these.
    """

    points: np.ndarray
    turning: np.ndarray
    triangles: np.ndarray


@dataclasses.dataclass(frozen=True)
class Grid:
    """A grid over the texture, R = 97 x 97 points row by row.

    Attributes:
        screen: `[R, 2]`.
        below: `[R]` how far below the chin, along the head's own axis.
        distance: `[R]` from the face's outline.
        within: bool `[R]` inside of it.
        depth: `[R]`.
    """

    screen: np.ndarray
    below: np.ndarray
    distance: np.ndarray
    within: np.ndarray
    depth: np.ndarray


def spread_depth(
    face: np.ndarray, chin: np.ndarray, turn: np.ndarray, person: np.ndarray
) -> Grid:
    """Spread depth from the face over hair, ears, neck and torso.

    Args:
        face: `[N, 3]` points of the dense face.
        chin: `[3]`.
        turn: `[3, 3]` the head's rotation.
        person: float32 `[S, S]` the person's mask over the texture.
    """
    line = np.linspace(-photo_head.REACH, photo_head.REACH, _SIDE)
    x, y = (values.ravel() for values in np.meshgrid(line, line))
    screen = np.stack([x, y], axis=1)
    ring = photo_head.project(face[face_mesh.face_mesh().outline])
    down = turn[:2, 1] / np.linalg.norm(turn[:2, 1])
    below = (screen - photo_head.project(chin)) @ down
    distance, _ = cKDTree(ring).query(screen)
    face_depth = LinearNDInterpolator(photo_head.project(face), face[:, 2])(screen)
    within = contours.inside(ring, screen) & np.isfinite(face_depth)

    fixed = np.full(len(screen), np.nan)
    wide = ndimage.maximum_filter(person, 1 + 2 * round(RIM_MARGIN * len(person)))
    fixed[_at(wide, screen) < 0.5] = RIM_DEPTH
    level = (screen - ring.mean(axis=0)) @ down
    is_neck = (level > 0.25) & (below > -0.3) & (distance > UNDER_CHIN)
    fixed[is_neck] = NECK_DEPTH
    fixed[below > NECK_LENGTH] = TORSO_DEPTH
    fixed[(np.abs(screen) > photo_head.REACH - 1e-6).any(axis=1)] = RIM_DEPTH
    fixed[within] = face_depth[within]
    # A power of the distance from the rim's plane is smooth where a head is round.
    behind = max(np.nanmax(fixed), RIM_DEPTH)
    power = _membrane((behind - fixed) ** (1 / 0.6))
    depth = behind - np.maximum(power, 0) ** 0.6
    smooth = ndimage.gaussian_filter(depth.reshape(_SIDE, _SIDE), SMOOTHING).ravel()
    depth += closing.ease(distance / 0.12) * (smooth - depth) * ~within
    return Grid(screen, below, distance, within, depth)


def limit_slopes(face: np.ndarray, grid: Grid) -> tuple[np.ndarray, Grid]:
    """Bring nearer what falls away too steeply, and smooth the face's seam.

    Returns:
        The face `[N, 3]` and the grid anew.
    """
    square = grid.depth.reshape(_SIDE, _SIDE)
    change = np.minimum(ndimage.gaussian_filter(_risen(square) - square, 0.8), 0)
    limited = square + change
    smooth = ndimage.gaussian_filter(limited, SEAM_SMOOTHING)
    # About the outline one smooth function of position gives the depth on both sides.
    share = closing.ease(1.5 - grid.distance / SEAM_WIDTH)
    depth = limited.ravel() + share * (smooth - limited).ravel()
    screen = photo_head.project(face)
    at = (screen / photo_head.REACH + 1) / 2 * CELLS
    moved, there = (sampling.bilinear(values, at) for values in (change, smooth))
    ring = screen[face_mesh.face_mesh().outline]
    share = closing.ease(1.5 - cKDTree(ring).query(screen)[0] / SEAM_WIDTH)
    new = face[:, 2] + moved
    face = photo_head.lift(screen, new + share * (there - new))
    return face, dataclasses.replace(grid, depth=depth)


def build_sheet(face: np.ndarray, grid: Grid, person: np.ndarray) -> Sheet:
    """Mesh the sheet where the person is, joined to the face's outline.

    Args:
        face: `[N, 3]` points of the dense face.
        grid: the sheet's depths.
        person: float32 `[S, S]` the person's mask over the texture.
    """
    outline = face_mesh.face_mesh().outline
    ring = photo_head.project(face[outline])
    keep = ~grid.within & (grid.distance > 0.4 * _STEP)
    every = np.concatenate([ring, grid.screen[keep]])
    triangles = Delaunay(every).simplices
    middle = every[triangles].mean(axis=1)
    reach = int(np.ceil(len(person) / CELLS)) + 1
    near = ndimage.maximum_filter(person, 2 * reach + 1)
    shown = ~contours.inside(ring, middle) & (_at(near, middle) >= rasterizer.CLEAR)
    triangles = face_mesh.wound(triangles[shown], every)
    used = np.unique(triangles[triangles >= len(ring)])
    index = np.zeros(len(every), np.int32)
    index[: len(ring)] = outline
    index[used] = len(face) + np.arange(len(used))
    which = np.flatnonzero(keep)[used - len(ring)]
    # Each triangle from its lowest point on, in order: packed clips get smaller.
    triangles = index[triangles]
    first = np.argmin(triangles, axis=1)[:, None]
    triangles = np.take_along_axis(triangles, (first + np.arange(3)) % 3, axis=1)
    triangles = triangles[np.lexsort(triangles.T[::-1])]
    return Sheet(
        points=photo_head.lift(grid.screen, grid.depth)[which],
        turning=turning(grid.below[which]),
        triangles=triangles,
    )


def turning(below: np.ndarray) -> np.ndarray:
    """Return how much of the head's turn what lies so far below the chin follows."""
    return 1 - closing.ease((below - 0.02) / NECK_LENGTH)


def _at(mask, screen):
    """Read a mask over the texture at the nearest pixels to screen points."""
    side = len(mask)
    pixel = np.rint(photo_head.on_texture(screen, side)).astype(int).clip(0, side - 1)
    return mask[pixel[:, 1], pixel[:, 0]]


def _risen(square):
    """Limit a depth map's slopes, moving points only nearer."""
    near = np.pad(square, 1, mode="edge")
    for _ in range(round(LIMITED_REACH / _STEP)):
        middle = near[1:-1, 1:-1].copy()
        for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
            rise = STEEPEST * _STEP * np.hypot(dy, dx)
            for sign in (1, -1):
                rows = slice(1 + sign * dy, _SIDE + 1 + sign * dy)
                columns = slice(1 + sign * dx, _SIDE + 1 + sign * dx)
                middle = np.minimum(middle, near[rows, columns] + rise)
        near[1:-1, 1:-1] = middle
    return near[1:-1, 1:-1]


def _membrane(values):
    """Fill NaNs of a grid `[R]` with the solution of Laplace's equation."""
    free = np.isnan(values)
    index = np.cumsum(free) - 1
    count = int(free.sum())
    here = np.flatnonzero(free)
    rows, columns, right = [], [], np.zeros(count)
    for step in (1, -1, _SIDE, -_SIDE):
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
