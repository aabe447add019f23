"""The project's ARKit units, carried from its head mesh to the 468 landmarks.

Head frame: x right, y down, z away from the viewer, units of 10 cm, origin at the
head's centre.
"""

import functools

import numpy as np
from scipy.spatial import cKDTree

from datasets.photo_heads.fit import contours
from datasets.synthetic_heads.person import head
from vasa_jax import arkit
from vasa_jax.portrait import pose

REPLACED = ("eyeBlinkLeft", "eyeBlinkRight", "mouthClose", "tongueOut")
"""Units that move nothing. Ours: lids and lips close along the portrait's own contours
(`closing`), and there is no tongue."""

NUM_NEAREST = 6
"""Points of skin that move a landmark. Ours: fewer show the head mesh's triangles."""

LIP_DROP = 0.1
"""How far an opening jaw takes a point down, head units, from which it belongs to the
lower lip. Ours: lips touch, so that nearness cannot tell them apart."""


@functools.cache
def landmark_units() -> np.ndarray:
    """Return how each unit moves the landmarks of a canonical face.

    Ours: every landmark takes the movement of the skin near it at rest; lips take it
    from their own lip only. The eyeLook units are left out with `REPLACED`, because
    gaze has its own field.

    Returns:
        float64 `[52, 468, 3]` in the head frame, by `arkit.NAMES`.
    """
    mesh = head.load_head_mesh()
    flip = np.array([1.0, -1.0, -1.0])
    is_outside = (mesh.vertex_materials == head.SKIN) & (mesh.inner_mouth < 0.5)
    skin = np.unique(mesh.point_of_vertex[is_outside])
    at_rest = (mesh.base[skin] - head.HEAD_CENTRE) * flip
    moves = mesh.expression_deltas[:, skin] * flip
    face, _ = pose.canonical_face()
    drop = moves[arkit.index("jawOpen"), :, 1]
    groups = np.zeros(len(face), int)
    groups[list(contours.UPPER_LIP)] = 1
    groups[list(contours.LOWER_LIP)] = 2
    allowed = (np.ones(len(skin), bool), drop < LIP_DROP, drop > LIP_DROP)
    result = np.zeros((arkit.NUM_UNITS, len(face), 3))
    for group, mask in enumerate(allowed):
        mine = np.flatnonzero(groups == group)
        distance, near = cKDTree(at_rest[mask]).query(face[mine], k=NUM_NEAREST)
        weight = 1 / (distance + 0.02) ** 2
        weight /= weight.sum(axis=1, keepdims=True)
        result[:, mine] = np.einsum("nk,unkc->unc", weight, moves[:, mask][:, near])
    for index, name in enumerate(arkit.NAMES):
        if name in REPLACED or name.startswith("eyeLook"):
            result[index] = 0
    return result
