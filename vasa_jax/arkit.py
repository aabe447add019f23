"""ARKit's 52 expression units: their names, their order, and groups of them.

The only place that counts units; elsewhere a unit is asked for by its name.
"""

from collections.abc import Iterable

import numpy as np

from vasa_jax import config

NAMES = (
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "eyeBlinkLeft",
    "eyeBlinkRight",
    "eyeLookDownLeft",
    "eyeLookDownRight",
    "eyeLookInLeft",
    "eyeLookInRight",
    "eyeLookOutLeft",
    "eyeLookOutRight",
    "eyeLookUpLeft",
    "eyeLookUpRight",
    "eyeSquintLeft",
    "eyeSquintRight",
    "eyeWideLeft",
    "eyeWideRight",
    "jawForward",
    "jawLeft",
    "jawOpen",
    "jawRight",
    "mouthClose",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthFunnel",
    "mouthLeft",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthPucker",
    "mouthRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "noseSneerLeft",
    "noseSneerRight",
    "tongueOut",
)
"""The units in alphabetical order; Left is the person's own left.

Follows: ARKit's blend shapes (Apple), as the CC0 units of faceunits01 name them.
"""

NUM_UNITS = len(NAMES)

_INDICES = {name: number for number, name in enumerate(NAMES)}


def index(name: str) -> int:
    """Return the place of a unit, such as `jawOpen`, in every vector of the 52.

    Raises:
        UserError: ARKit has no such unit.
    """
    if name not in _INDICES:
        raise config.unknown_name(name, NAMES, "ARKit unit")
    return _INDICES[name]


def indices(names: Iterable[str]) -> tuple[int, ...]:
    """Return the places of units, in the order of the names."""
    return tuple(index(name) for name in names)


def sides(name: str) -> tuple[int, ...]:
    """Return the places of a unit and, if it has two sides, of both.

    Args:
        name: such as `jawOpen` or, for left and right, `mouthSmile`.

    Raises:
        UserError: there is no such unit.
    """
    both = [f"{name}{side}" for side in ("Left", "Right")]
    return indices(both if both[0] in _INDICES else [name])


BLINKS = indices(("eyeBlinkLeft", "eyeBlinkRight"))
"""Units that close the lids."""

LIPS = indices(name for name in NAMES if name.startswith(("jaw", "mouth")))
"""Units of jaw and mouth, which a voice moves. Ours: all of them; without the tongue,
which is hardly seen."""

LIP_CLOSURE = indices(
    (
        "mouthClose",
        "mouthPressLeft",
        "mouthPressRight",
        "mouthRollLower",
        "mouthRollUpper",
    )
)
"""Units that are high where lips close or press. Ours: those of p, b and m."""

MOUTH = (*LIPS, *indices(("cheekPuff", "tongueOut", "noseSneerLeft", "noseSneerRight")))
"""Units about the mouth. Ours: the nose rises with the upper lip."""

BROWS = indices(name for name in NAMES if name.startswith("brow"))
"""Units of the brows."""

EYES = tuple(unit for unit in range(NUM_UNITS) if unit not in (*MOUTH, *BROWS))
"""Units about the eyes: lids, gaze, and the cheeks that rise to them."""

OTHER_SIDE = indices(
    name.replace("Left", "*").replace("Right", "Left").replace("*", "Right")
    for name in NAMES
)
"""Of each unit the one of the other side, which a mirror shows in its place."""

GAZE_RADIANS = np.deg2rad(28.0)
"""Gaze at which an eyeLook weight is 1. Follows: faceunits01's lids."""

_LOOKS = {
    direction: indices((f"eyeLook{direction}Left", f"eyeLook{direction}Right"))
    for direction in ("In", "Out", "Down", "Up")
}


def with_gaze(weights: np.ndarray, gaze_in_head: np.ndarray) -> np.ndarray:
    """Put the eyeLook weights that a gaze causes into weights.

    Ours: lids follow the eyes, so that these eight weights are never free.

    Args:
        weights: `[..., 52]`.
        gaze_in_head: `[..., 2]` yaw and pitch, radians, signs of `types`.

    Returns:
        float32 `[..., 52]`.
    """
    weights = np.array(weights, np.float32)
    share = np.asarray(gaze_in_head, np.float32) / np.float32(GAZE_RADIANS)
    yaw, pitch = share[..., 0], share[..., 1]
    # The person's left eye looks out where gaze goes to the right of the image.
    for direction, left, right in (
        ("Out", yaw, -yaw),
        ("In", -yaw, yaw),
        ("Down", pitch, pitch),
        ("Up", -pitch, -pitch),
    ):
        for unit, amount in zip(_LOOKS[direction], (left, right), strict=True):
            weights[..., unit] = np.where(amount > 0, amount, 0)
    return weights


def gaze_of(weights: np.ndarray) -> np.ndarray:
    """Return the gaze in the head that eyeLook weights tell, mean of both eyes.

    Args:
        weights: `[..., 52]`.

    Returns:
        float32 `[..., 2]` yaw and pitch, radians.
    """
    weights = np.asarray(weights, np.float32)
    seen = {name: weights[..., list(units)] for name, units in _LOOKS.items()}
    outward = seen["Out"] - seen["In"]
    yaw = (outward[..., 0] - outward[..., 1]) / 2
    pitch = (seen["Down"] - seen["Up"]).mean(axis=-1)
    return np.stack([yaw, pitch], axis=-1) * np.float32(GAZE_RADIANS)
