"""The face's dense mesh, the same for everyone: 468 landmarks in, 2,400 points out.

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

from datasets.photo_heads import closing, contours, landmark_units
from datasets.synthetic_heads import names
from vasa_jax.portrait import pose

SPACING, FINE_SPACING = 0.045, 0.018
"""Distance of points on the plane, at large and beside lips and lids, head units. Ours:
a fine triangle is a pixel and a half of a crop of 256."""

FINE_REACH = 0.14
"""How far from lips and lids points lie finely, head units. Ours."""

POINT_SMOOTHING, MOVE_SMOOTHING = 1e-6, 0.004
"""Smoothing of the thin plates of points and of movements. Ours: movements are those of
the nearest skin, which are a bit ragged."""

OPENED = 0.8
"""How far the mouth is opened on the plane, as a weight of jawOpen. Ours."""


@dataclasses.dataclass(frozen=True)
class FaceMesh:
    """The dense face; F points, T triangles.

    Attributes:
        places: float64 `[F, 2]` on the plane, whose mirror line is x = 0.
        from_landmarks: float64 `[F, 468]` makes points of those of landmarks.
        units: float32 `[52, F, 3]` movements of a canonical face, head frame.
        triangles: int32 `[T, 3]`.
        eyelids: closings of the image's left and right eye; lips: of the mouth.
        mouth_loop: indices around the mouth's hole: the upper lip from the image's left
            to its right, `num_upper` points, then the lower one back.
        eye_loops: the same for both eyes.
        outline: indices around the face.
        nearest: int `[468]` the point nearest to each landmark on the plane, where lips
            are apart.
        mirror_points, mirror_weights: `[F, 3]` the points of the triangle in which the
            mirror image of each point lies, and its place in it.
    """

    places: np.ndarray
    from_landmarks: np.ndarray
    units: np.ndarray
    triangles: np.ndarray
    eyelids: tuple[closing.Closing, closing.Closing]
    lips: closing.Closing
    mouth_loop: np.ndarray
    num_upper: int
    eye_loops: tuple[np.ndarray, np.ndarray]
    outline: np.ndarray
    nearest: np.ndarray
    mirror_points: np.ndarray
    mirror_weights: np.ndarray


@functools.cache
def face_mesh() -> FaceMesh:
    """Build the dense face.

    Ours: see the module. It takes a second or two, once a process.
    """
    plane = _plane()
    mouth, num_upper = _loop(plane, contours.INNER_UPPER, contours.INNER_LOWER)
    eyes = [_loop(plane, lid["upper"], lid["lower"])[0] for lid in contours.LIDS]
    outline = plane[list(contours.OVAL)]
    ring = _along(np.concatenate([outline, outline[:1]]), SPACING)[:-1]
    holes = (mouth, *eyes)
    near, far = cKDTree(np.concatenate(holes)), cKDTree(ring)

    def kept(places, closest, furthest):
        keep = contours.inside(outline, places)
        for loop in holes:
            keep &= ~contours.inside(loop, places)
        distance = near.query(places)[0]
        keep &= (distance > closest) & (distance <= furthest)
        return places[keep & (far.query(places)[0] > 0.6 * SPACING)]

    fine = kept(_lattice(outline, FINE_SPACING), 0.7 * FINE_SPACING, FINE_REACH)
    coarse = kept(_lattice(outline, SPACING), FINE_REACH, np.inf)
    places = np.concatenate([*holes, ring, fine, coarse])
    triangles = Delaunay(places).simplices
    centre = places[triangles].mean(axis=1)
    keep = contours.inside(outline, centre)
    for loop in holes:
        keep &= ~contours.inside(loop, centre)
    triangles = wound(triangles[keep], places).astype(np.int32)
    starts = np.cumsum([0, *map(len, holes)])
    loops = [np.arange(a, b) for a, b in itertools.pairwise(starts)]
    smooth = _thin_plate(plane, places, MOVE_SMOOTHING)
    units = np.einsum("fl,ulc->ufc", smooth, landmark_units.landmark_units())
    mirror_points, mirror_weights = _mirrored(places, triangles)
    return FaceMesh(
        places=places,
        from_landmarks=_thin_plate(plane, places, POINT_SMOOTHING),
        units=units.astype(np.float32),
        triangles=triangles,
        eyelids=tuple(closing.eyelid(plane, places, lid) for lid in contours.LIDS),
        lips=closing.lips(plane, places),
        mouth_loop=loops[0],
        num_upper=num_upper,
        eye_loops=(loops[1], loops[2]),
        outline=starts[-1] + np.arange(len(ring)),
        nearest=_nearest(plane, places, np.arange(starts[-1])),
        mirror_points=mirror_points,
        mirror_weights=mirror_weights,
    )


def wound(triangles: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Wind triangles `[T, 3]` over places `[N, 2]` like the screen's x, y."""
    a, b, c = (places[triangles[:, k]] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1])
    area -= (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    return np.where((area < 0)[:, None], triangles[:, ::-1], triangles)


def _plane():
    """Unroll the canonical face with its mouth opened, `[468, 2]`."""
    face, _ = pose.canonical_face()
    jaw = names.ARKIT_NAMES.index("jawOpen")
    opened = face + landmark_units.landmark_units()[jaw] * OPENED
    angle = np.arctan2(opened[:, 0], 0.25 - opened[:, 2])
    return np.stack([angle * 0.9, opened[:, 1]], axis=1)


def _along(points, spacing, count=None):
    """Put points along an open polyline, about `spacing` apart, on a smooth curve."""
    length = np.r_[0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))]
    count = count or max(3, int(length[-1] / spacing))
    return CubicSpline(length, points)(np.linspace(0, length[-1], count + 1))


def _loop(plane, upper, lower):
    top = _along(plane[list(upper)], FINE_SPACING)
    bottom = _along(plane[list(lower)], FINE_SPACING, len(top) - 1)
    return np.concatenate([top, bottom[-2:0:-1]]), len(top)


def _lattice(outline, step):
    """Return places `[P, 2]` in staggered rows over an outline's box."""
    (left, top), (right, bottom) = outline.min(axis=0), outline.max(axis=0)
    x, y = np.meshgrid(np.arange(left, right, step), np.arange(top, bottom, step))
    x[1::2] += step / 2
    return np.stack([x.ravel(), y.ravel()], axis=1)


def _thin_plate(plane, places, smoothing):
    """Return weights `[P, 468]` that interpolate values of landmarks at places."""
    identity = np.eye(len(plane))
    return RBFInterpolator(
        plane, identity, kernel="thin_plate_spline", smoothing=smoothing
    )(places)


def _nearest(plane, places, rims):
    """Return the point nearest to each landmark; of a rim, one of the rims."""
    nearest = cKDTree(places).query(plane)[1]
    rows = [*contours.INNER_UPPER, *contours.INNER_LOWER]
    for lid in contours.LIDS:
        rows += [*lid["upper"], *lid["lower"]]
    nearest[rows] = rims[cKDTree(places[rims]).query(plane[rows])[1]]
    return nearest


def _mirrored(places, triangles):
    """Find the triangle and the place in it of each point's mirror image."""
    mirrored = places * [-1, 1]
    corners = places[triangles]
    _, near = cKDTree(corners.mean(axis=1)).query(mirrored, k=12)
    a, b, c = (corners[near][:, :, k] for k in range(3))
    away = mirrored[:, None] - a
    u, v = b - a, c - a
    area = u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
    second = (away[..., 0] * v[..., 1] - away[..., 1] * v[..., 0]) / area
    third = (u[..., 0] * away[..., 1] - u[..., 1] * away[..., 0]) / area
    weights = np.stack([1 - second - third, second, third], axis=-1)
    best = weights.min(axis=-1).argmax(axis=1)
    rows = np.arange(len(places))
    # A place in a hole takes the nearest edge.
    weight = weights[rows, best].clip(0, 1)
    weight /= weight.sum(axis=1, keepdims=True)
    return triangles[near[rows, best]], weight.astype(np.float32)
