"""What a portrait's own face does before it is moved, as ARKit weights."""

from collections.abc import Sequence

import numpy as np

from datasets.photo_heads.fit import landmark_units, photo_head
from vasa_jax import arkit
from vasa_jax.portrait import pose

PEOPLE_DIFFER = 0.05
"""Standard deviation of the place of a lip's corner among people who rest, head units.
Ours: what is less than that may be the person rather than a smile."""

USUAL_WEIGHT = 0.4
"""Standard deviation of a weight among portraits. Ours: many smile a little."""

_LIP_TOP, _LIP_BOTTOM = 13, 14
_LIP_MIDDLES = (13, 14)
_CORNERS = {"mouthSmileRight": 61, "mouthSmileLeft": 291}
"""Landmarks of the lips' corners, the image's left one first. Follows: MediaPipe."""

_BLINKS = [arkit.index(name) for name in ("eyeBlinkRight", "eyeBlinkLeft")]
_JAW_OPEN = arkit.index("jawOpen")


def rest_weights(head: photo_head.PhotoHead) -> np.ndarray:
    """Estimate the ARKit weights `[52]` of a portrait as it is.

    Ours: how far the jaw is open follows from the gap between the lips, and a smile
    from where the lips' corners lie against a face at rest, shrunk by how much people
    differ; what else faces do cannot be told from what they are.
    """
    units = landmark_units.landmark_units()
    weights = np.zeros(arkit.NUM_UNITS, np.float32)
    drop = units[_JAW_OPEN]
    gap = np.linalg.norm(drop[_LIP_BOTTOM] - drop[_LIP_TOP])
    weights[_JAW_OPEN] = np.clip(head.mouth_gap / gap, 0, 1)
    turn = pose.HeadFit(
        rotation=head.shape.rotation, centre=np.zeros(2), unit=1.0
    ).matrix()
    own, usual = _mouth(head.shape.landmarks @ turn), _mouth(pose.canonical_face()[0])
    noise = (PEOPLE_DIFFER / USUAL_WEIGHT) ** 2
    for name, corner in _CORNERS.items():
        unit = arkit.index(name)
        asked = units[unit, corner] - units[unit, list(_LIP_MIDDLES)].mean(axis=0)
        moved = own[corner] - usual[corner]
        raised = float(moved[:2] @ asked[:2]) / (float(asked[:2] @ asked[:2]) + noise)
        weights[unit] = np.clip(raised, 0, 1)
    return weights


def shown_units(
    head: photo_head.PhotoHead, states: Sequence[photo_head.State]
) -> np.ndarray:
    """Return the ARKit weights `[T, 52]` that a portrait in some states shows.

    Ours: the portrait's own and what is added; lips that are shut close the jaw first.

    Args:
        head: the portrait.
        states: T of them.
    """
    own = rest_weights(head)
    rows = np.stack([state.arkit for state in states]) + own
    rows[:, _JAW_OPEN] -= own[_JAW_OPEN] * np.array([s.close_lips for s in states])
    rows[:, _BLINKS] = np.stack([state.close_eyes for state in states])
    return np.clip(rows, 0, 1).astype(np.float32)


def _mouth(landmarks: np.ndarray) -> np.ndarray:
    """Return landmarks `[468, 3]` as seen from the middle of the lips."""
    return landmarks - landmarks[list(_LIP_MIDDLES)].mean(axis=0)
