"""ARKit's units, carried from the head mesh of the synthetic heads to the landmarks.

Head frame: x right, y down, z away from the viewer, units of 10 cm.
"""

import functools

import numpy as np
from scipy.spatial import cKDTree

from datasets.photo_heads import contours
from datasets.synthetic_heads import head, names
from vasa_jax.portrait import pose

PIVOT = np.array([0.0, 0.91, 0.23])
"""Where the neck turns, in the head frame. Ours: as in the synthetic heads."""

REPLACED = ("eyeBlinkLeft", "eyeBlinkRight", "mouthClose", "tongueOut")
"""Units that are made from the portrait's own contours instead, or not at all. Ours:
lids and lips must meet, whatever the portrait's shape."""

_NEIGHBOURS, _SOFTENING = 6, 0.02
_LIP_DROP = 0.1
"""Drop of skin when the jaw opens that tells the lower lip from the upper one."""


@functools.cache
def landmark_units() -> np.ndarray:
    """Return the movement of the landmarks of a canonical face, `[52, 468, 3]`.

    Ours: every landmark takes the movement of the skin near its place on the canonical
    face; lips take it from their own lip only.
    """
    mesh = head.load_head_mesh()
    flip = np.array([1.0, -1.0, -1.0])
    is_skin = (mesh.vertex_materials == head.SKIN) & (mesh.inner_mouth < 0.5)
    skin = np.unique(mesh.point_of_vertex[is_skin])
    places = (mesh.base[skin] - head.HEAD_CENTRE) * flip
    moves = mesh.expression_deltas[:, skin] * flip
    face, _ = pose.canonical_face()
    drop = moves[names.ARKIT_NAMES.index("jawOpen"), :, 1]
    groups = np.zeros(len(face), int)
    groups[list(contours.UPPER_LIP)] = 1
    groups[list(contours.LOWER_LIP)] = 2
    allowed = (np.ones(len(skin), bool), drop < _LIP_DROP, drop > _LIP_DROP)
    result = np.zeros((len(names.ARKIT_NAMES), len(face), 3))
    for group, mask in enumerate(allowed):
        mine = np.flatnonzero(groups == group)
        distance, near = cKDTree(places[mask]).query(face[mine], k=_NEIGHBOURS)
        weight = 1 / (distance + _SOFTENING) ** 2
        weight /= weight.sum(axis=1, keepdims=True)
        result[:, mine] = np.einsum("nk,unkc->unc", weight, moves[:, mask][:, near])
    for name in REPLACED:
        result[names.ARKIT_NAMES.index(name)] = 0
    return result
