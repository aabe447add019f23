"""ARKit's 52 expression units: their names, their order, and groups of them.

The only place that counts units; elsewhere a unit is asked for by its name.
"""

from collections.abc import Iterable

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
