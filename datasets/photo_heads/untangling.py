"""Smooths the far side of a turned face, where landmarks fold it behind itself."""

import functools

import numpy as np
from scipy import sparse

from datasets.photo_heads import face_mesh, photo_head

ROUNDS, LEAST_AREA = 40, 2e-5
"""Rounds of smoothing, and the doubled area of a triangle that needs it, square head
units. Ours."""

MIDDLE = 0.3
"""How far from the middle of the face folds are looked for, head units. Ours."""


def untangle(face: np.ndarray) -> np.ndarray:
    """Unfold a dense face `[F, 3]`.

    Ours: every point shows what the picture has where it lies, so moving one along the
    picture keeps all truths.
    """
    mesh, near = face_mesh.face_mesh(), _neighbours()
    held = np.zeros(len(face), bool)
    for loop in (mesh.mouth_loop, *mesh.eye_loops):
        held[loop] = True
    result = face.copy()
    for _ in range(ROUNDS):
        screen = photo_head.project(result)
        a, b, c = (screen[mesh.triangles[:, k]] for k in range(3))
        area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1])
        area -= (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
        bad = np.zeros(len(face), bool)
        bad[mesh.triangles[area < LEAST_AREA].ravel()] = True
        for _ in range(2):
            bad |= (near @ bad) > 0
        bad &= ~held & (np.abs(screen[:, 0] - screen[:, 0].mean()) > MIDDLE)
        if not bad.any():
            break
        result[bad] += 0.5 * (near @ result - result)[bad]
    return result


@functools.cache
def _neighbours():
    """Return the matrix `[F, F]` that takes the mean of each point's neighbours."""
    mesh = face_mesh.face_mesh()
    triangles, ring = mesh.triangles, mesh.outline
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]]])
    edges = np.concatenate([edges, triangles[:, [2, 0]]])
    edges = np.concatenate([edges, edges[:, ::-1]])
    on_ring = np.zeros(len(mesh.places), bool)
    on_ring[ring] = True
    # The outline is smoothed along itself alone.
    edges = edges[~on_ring[edges[:, 0]]]
    along = [np.stack([ring, np.roll(ring, k)], axis=1) for k in (1, -1, 2, -2)]
    edges = np.concatenate([edges, *along])
    matrix = sparse.csr_matrix((np.ones(len(edges)), edges.T), (len(mesh.places),) * 2)
    return sparse.diags(1 / np.asarray(matrix.sum(axis=1)).ravel()) @ matrix
