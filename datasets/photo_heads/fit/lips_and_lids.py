"""Bring landmarks of lids, lips and outlines to where a portrait's cuts should lie."""

import numpy as np
from scipy import ndimage, sparse

from datasets.photo_heads.fit import contours, face_mesh, photo_head
from vasa_jax.portrait import mouths, sampling

SEAM_SEARCH = 0.03
"""How far from the landmarks the line between shut lips is looked for, head units."""

ROWS_FOLLOW = (0.8, 0.4)
"""How much of the edges' way the next two rows of landmarks go along. Ours: else the
lips fold over beside the seam, and opened mouths have saws for edges."""

_UPPER_ROWS = (contours.UPPER_LIP[27:36], contours.UPPER_LIP[18:27])
_LOWER_ROWS = (contours.LOWER_LIP[27:36], contours.LOWER_LIP[18:27])
"""Rows of nine landmarks beside the inner edges, and beside those."""

LID_SPREAD = (0.08, 0.04)
"""How far rims of upper and lower lids are moved off the eye, in heights of the eye.
Ours: so that no white of the eye goes with them."""

UNTANGLING_ROUNDS, LEAST_AREA = 40, 2e-5
"""Rounds of smoothing, and the doubled area of a triangle that needs it."""

FAR_SIDE = 0.3
"""How far from the face's middle a point must be to be untangled, head units."""


def mouth_gap(landmarks: np.ndarray) -> float:
    """Return the largest gap between the inner lips of landmarks `[468, 3]`."""
    gap = landmarks[list(contours.INNER_LOWER)] - landmarks[list(contours.INNER_UPPER)]
    return float(np.linalg.norm(gap, axis=1).max())


def spread_lids(landmarks: np.ndarray) -> np.ndarray:
    """Move the rims of the lids off the eye; `[468, 3]` to `[468, 3]`."""
    result = landmarks.copy()
    for lid in contours.LIDS:
        upper, lower = list(lid["upper"]), list(lid["lower"])
        gap = landmarks[lower] - landmarks[upper]
        result[upper] -= LID_SPREAD[0] * gap
        result[lower] += LID_SPREAD[1] * gap
    return result


def weld_lips(landmarks: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """Put both edges of lips that are shut on the dark line between them.

    Args:
        landmarks: `[468, 3]`, camera frame.
        picture: uint8 `[S, S, 3]` over the texture's reach.

    Returns:
        `[468, 3]`; as given where the mouth is open.
    """
    if mouth_gap(landmarks) > mouths.OPEN_MOUTH:
        return landmarks
    upper, lower = (list(c) for c in (contours.INNER_UPPER, contours.INNER_LOWER))
    screen = photo_head.project((landmarks[upper] + landmarks[lower]) / 2)
    light = ndimage.gaussian_filter(picture.mean(axis=2), (0.7, 1.5))
    shifts = np.linspace(-SEAM_SEARCH, SEAM_SEARCH, 15)
    moved = screen[:, None] + np.stack([0 * shifts, shifts], axis=1)
    seen = sampling.bilinear(light, photo_head.on_texture(moved, len(picture)))
    contrast = np.ptp(seen, axis=1, keepdims=True)
    seen = seen + 0.15 * contrast * (shifts / SEAM_SEARCH) ** 2
    shift = shifts[np.argmin(seen, axis=1)]
    shift = ndimage.gaussian_filter1d(ndimage.median_filter(shift, 3), 1.0)
    shift *= np.sin(np.linspace(0, np.pi, len(shift))) ** 0.5
    depth = (landmarks[upper, 2] + landmarks[lower, 2]) / 2
    screen = screen + np.stack([0 * shift, shift], axis=1)
    seam = photo_head.lift(screen, depth)
    welded = landmarks.copy()
    for edge, rows in ((upper, _UPPER_ROWS), (lower, _LOWER_ROWS)):
        away = (seam - landmarks[edge])[1:-1]
        for row, share in zip(rows, ROWS_FOLLOW, strict=True):
            welded[list(row)] += share * away
    welded[upper] = welded[lower] = seam
    return welded


def untangle(face: np.ndarray, dense: face_mesh.FaceMesh) -> np.ndarray:
    """Smooth the far side of a turned face, where it is folded behind itself.

    Ours: every vertex shows what the picture has where it lies, so moving one along
    the picture keeps all truths.

    Args:
        face: `[N, 3]` the dense face.
        dense: its mesh.

    Returns:
        `[N, 3]`.
    """
    triangles = dense.triangles
    near = _neighbours(dense, len(face))
    held = np.zeros(len(face), bool)
    for loop in (dense.mouth_loop, *dense.eye_loops):
        held[loop] = True
    result = face.copy()
    for _ in range(UNTANGLING_ROUNDS):
        screen = photo_head.project(result)
        a, b, c = (screen[triangles[:, k]] for k in range(3))
        area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1])
        area -= (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
        bad = np.zeros(len(face), bool)
        bad[triangles[area < LEAST_AREA].ravel()] = True
        for _ in range(2):
            bad |= (near @ bad) > 0
        bad &= ~held & (np.abs(screen[:, 0] - screen[:, 0].mean()) > FAR_SIDE)
        if not bad.any():
            break
        result[bad] += 0.5 * (near @ result - result)[bad]
    return result


def _neighbours(dense, num_points):
    """Return the sparse matrix that averages a point's neighbours.

    Ours: the outline only looks along itself.
    """
    triangles, ring = dense.triangles, dense.outline
    edges = np.concatenate(
        [triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]
    )
    edges = np.concatenate([edges, edges[:, ::-1]])
    on_ring = np.zeros(num_points, bool)
    on_ring[ring] = True
    edges = edges[~on_ring[edges[:, 0]]]
    around = np.concatenate(
        [np.stack([ring, np.roll(ring, step)], axis=1) for step in (1, -1, 2, -2)]
    )
    edges = np.concatenate([edges, around])
    near = sparse.csr_matrix((np.ones(len(edges)), edges.T), (num_points,) * 2)
    return sparse.diags(1 / np.asarray(near.sum(axis=1)).ravel()) @ near
