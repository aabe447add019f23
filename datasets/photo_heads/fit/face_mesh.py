"""The face's dense mesh, the same for everyone: 468 landmarks in, 2,409 points out.

Ours: the canonical face is unrolled onto a plane with its mouth opened, so that both
lips are apart there and thin-plate interpolation does not see across the cut; the mesh
has holes where mouth and eyes are. All of it is linear in the landmarks.
"""

import dataclasses
import functools
import itertools

import numpy as np
from scipy.interpolate import CubicSpline, RBFInterpolator
from scipy.spatial import Delaunay, cKDTree

from datasets.photo_heads.fit import closing, contours, landmark_units
from vasa_jax import arkit
from vasa_jax.portrait import landmarks, pose

SPACING, FINE_SPACING = 0.045, 0.018
"""Distance of points on the plane, at large and beside lips and lids, head units. Ours:
four pixels and two of a crop of 256."""

FINE_REACH = 0.14
"""How far from lips and lids points are fine, head units."""

PLACE_SMOOTHING, MOVE_SMOOTHING = 1e-6, 0.004
"""Smoothing of the thin plates. Ours: movements of nearest skin are a bit ragged."""


@dataclasses.dataclass(frozen=True)
class FaceMesh:
    """The dense face; N points.

    Attributes:
        from_landmarks: float64 `[N, 468]` makes points of landmarks.
        unit_moves: float32 `[52, N, 3]` how each unit moves the points of a canonical
            face, head frame.
        triangles: int32 `[T, 3]`, wound like the screen's x, y.
        close_eyes: two, the image's left eye first: how points move when it shuts.
        close_lips: how points move when the lips are brought together.
        close_lips_of_landmarks: how landmarks do.
        mouth_loop: point indices around the mouth's hole: the upper lip from the
            image's left to its right, then the lower one back; num_upper of them upper.
        eye_loops: the same for both eyes.
        outline: point indices around the face.
        mirror_points, mirror_weights: `[N, 3]`: each point's mirror image lies at these
            points, by these shares.
    """

    from_landmarks: np.ndarray
    unit_moves: np.ndarray
    triangles: np.ndarray
    close_eyes: tuple[closing.Closing, closing.Closing]
    close_lips: closing.Closing
    close_lips_of_landmarks: closing.Closing
    mouth_loop: np.ndarray
    num_upper: int
    eye_loops: tuple[np.ndarray, np.ndarray]
    outline: np.ndarray
    mirror_points: np.ndarray
    mirror_weights: np.ndarray


@functools.cache
def face_mesh() -> FaceMesh:
    """Build the dense face (a second or two; once a process)."""
    plane = _plane()
    mouth, num_upper = _loop(plane, contours.INNER_UPPER, contours.INNER_LOWER)
    eyes = [_loop(plane, lid["upper"], lid["lower"])[0] for lid in contours.LIDS]
    outline = plane[list(landmarks.OVAL)]
    ring = _spaced(np.concatenate([outline, outline[:1]]), SPACING)[:-1]
    holes = (mouth, *eyes)
    vertices = np.concatenate([*holes, ring, *_filling(outline, holes, ring)])
    triangles = Delaunay(vertices).simplices
    centre = vertices[triangles].mean(axis=1)
    keep = contours.inside(outline, centre)
    for loop in holes:
        keep &= ~contours.inside(loop, centre)
    triangles = wound(triangles[keep], vertices).astype(np.int32)
    starts = np.cumsum([0, *map(len, holes)])
    loops = [np.arange(a, b) for a, b in itertools.pairwise(starts)]
    from_landmarks = _thin_plate(plane, vertices, PLACE_SMOOTHING)
    for_moves = _thin_plate(plane, vertices, MOVE_SMOOTHING)
    moves = np.einsum("nl,ulc->unc", for_moves, landmark_units.landmark_units())
    mirrored = from_landmarks @ plane[_mirrored_landmarks()]
    mirror_points, mirror_weights = _located(mirrored, vertices, triangles)
    return FaceMesh(
        from_landmarks=from_landmarks,
        unit_moves=moves.astype(np.float32),
        triangles=triangles,
        close_eyes=tuple(
            closing.closing_eye(plane, vertices, lid) for lid in contours.LIDS
        ),
        close_lips=closing.closing_lips(plane, vertices),
        close_lips_of_landmarks=closing.closing_lips(plane, plane),
        mouth_loop=loops[0],
        num_upper=num_upper,
        eye_loops=(loops[1], loops[2]),
        outline=starts[-1] + np.arange(len(ring)),
        mirror_points=mirror_points,
        mirror_weights=mirror_weights.astype(np.float32),
    )


def wound(triangles: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """Wind all triangles `[T, 3]` over vertices `[N, 2]` like the screen's x, y."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1])
    area -= (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    return np.where((area < 0)[:, None], triangles[:, ::-1], triangles)


def _plane():
    """Unroll the canonical face with an opened mouth; `[468, 2]`."""
    face, _ = pose.canonical_face()
    jaw = landmark_units.landmark_units()[arkit.index("jawOpen")]
    opened = face + 0.8 * jaw
    angle = np.arctan2(opened[:, 0], 0.25 - opened[:, 2])
    return np.stack([angle * 0.9, opened[:, 1]], axis=1)


def _spaced(points, spacing, count=None):
    """Put points along an open polyline, about `spacing` apart, on a smooth curve."""
    length = np.r_[0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))]
    count = count or max(3, int(length[-1] / spacing))
    return CubicSpline(length, points)(np.linspace(0, length[-1], count + 1))


def _loop(plane, upper, lower):
    top = _spaced(plane[list(upper)], FINE_SPACING)
    bottom = _spaced(plane[list(lower)], FINE_SPACING, len(top) - 1)
    return np.concatenate([top, bottom[-2:0:-1]]), len(top)


def _filling(outline, holes, ring):
    """Return the fine and the coarse points between outline and holes."""
    low, high = outline.min(axis=0), outline.max(axis=0)
    near, far = cKDTree(np.concatenate(holes)), cKDTree(ring)

    def grid(step):
        x, y = np.meshgrid(
            np.arange(low[0], high[0], step), np.arange(low[1], high[1], step)
        )
        x[1::2] += step / 2
        return np.stack([x.ravel(), y.ravel()], axis=1)

    def kept(vertices, closest, furthest):
        keep = contours.inside(outline, vertices)
        for loop in holes:
            keep &= ~contours.inside(loop, vertices)
        distance = near.query(vertices)[0]
        keep &= (distance > closest) & (distance <= furthest)
        return vertices[keep & (far.query(vertices)[0] > 0.6 * SPACING)]

    fine = kept(grid(FINE_SPACING), 0.7 * FINE_SPACING, FINE_REACH)
    return fine, kept(grid(SPACING), FINE_REACH, np.inf)


def _thin_plate(plane, vertices, smoothing):
    return RBFInterpolator(
        plane, np.eye(len(plane)), kernel="thin_plate_spline", smoothing=smoothing
    )(vertices)


def _mirrored_landmarks():
    """Return `[468]`: which landmark is the mirror image of each."""
    face, _ = pose.canonical_face()
    return cKDTree(face).query(face * [-1.0, 1.0, 1.0])[1]


def _located(wanted, vertices, triangles):
    """Find vertices in a mesh: three of its points each, and their shares.

    Ours: what lies outside of every triangle, in a hole's rim, takes the nearest point.
    """
    nearest = cKDTree(vertices).query(wanted)[1]
    points = np.repeat(nearest[:, None], 3, axis=1).astype(np.int32)
    weights = np.repeat([[1.0, 0.0, 0.0]], len(wanted), axis=0)
    centres = cKDTree(vertices[triangles].mean(axis=1))
    for near in centres.query(wanted, k=12)[1].T:
        corners = triangles[near]
        a, b, c = (vertices[corners[:, k]] for k in range(3))
        edges = np.stack([b - a, c - a], axis=-1)
        share = np.linalg.solve(edges, (wanted - a)[..., None])[..., 0]
        share = np.concatenate([1 - share.sum(axis=1, keepdims=True), share], axis=1)
        found = (share > -1e-6).all(axis=1)
        points[found], weights[found] = corners[found], share[found]
    return points, weights
