"""Irises of a portrait: where they were photographed, and where they go for a gaze.

Screen coordinates are head units (10 cm), the head's centre at the origin.
"""

import dataclasses
import itertools

import numpy as np

from vasa_jax.portrait import eyelids, gaze, pose, sampling

LARGEST_PLAUSIBLE, SMALLEST_PLAUSIBLE = 0.095, 0.045
"""Radii of irises, head units. Ours: all are about 0.0585 (11.7 mm), but the head unit
of a child is smaller than 10 cm."""

SEARCH = (np.linspace(0.9, 1.3, 9), np.linspace(-0.15, 0.15, 7), (-0.05, 0.0, 0.05))
"""Radii and shifts of circles tried, in radii of the network's. Ours: it finds centres
to a pixel, and irises of children too small."""

FEWEST_ANGLES, FAR_COST = 6, 2.0
"""Directions in which an edge must be free, and what leaving the network's circle
costs. Ours: by eye on a dozen portraits."""

NUM_ANGLES, FEWEST_FREE, FREE_INSET = 48, 4, 0.1
CONTRAST_RADII, DARKEST = (0.75, 1.25), 4.0
"""Directions in which a contrast is looked for, how many must be free, and how far from
the lids, in radii; the radii compared; and the least brightness, of 255. Ours: within
and beyond an iris's edge."""

IRIS_DISTANCE = 0.105
"""From the centre about which an eye turns to its iris, head units. Follows: anatomy
(10.5 mm; 13.5 mm to the cornea). `vasa_jax.portrait.gaze` reckons with less, because
its network follows a part only of an iris's way."""


@dataclasses.dataclass(frozen=True)
class Irises:
    """Where the irises were photographed, the image's left eye first.

    Attributes:
        centres: float64 `[2, 2]` screen.
        radii: float64 `[2]` head units.
        rest_gaze: float64 `[2]` yaw, pitch of both eyes in the head, radians.
        turn: float64 `[3, 3]` the photographed head's rotation.
    """

    centres: np.ndarray
    radii: np.ndarray
    rest_gaze: np.ndarray
    turn: np.ndarray


def measure_irises(
    outlines: np.ndarray, points: np.ndarray, head_fit: pose.HeadFit
) -> Irises:
    """Measure the irises of a portrait.

    Ours: both eyes share one direction, as they do when they look at the same thing.

    Args:
        outlines: `[2, 5, 2]`, `vasa_jax.portrait.gaze.find_iris_outlines`.
        points: `[468, 3]` landmarks of the same image.
        head_fit: the head's fit in the same image.
    """
    outlines = outlines.astype(np.float64)
    from_centre = np.linalg.norm(outlines[:, 1:] - outlines[:, :1], axis=-1)
    radii = from_centre.mean(axis=1) / head_fit.unit
    looking = gaze.estimate_gaze(outlines[:, 0], points, head_fit)
    turn = head_fit.matrix()
    return Irises(
        centres=(outlines[:, 0] - head_fit.centre) / head_fit.unit,
        radii=np.clip(radii, SMALLEST_PLAUSIBLE, LARGEST_PLAUSIBLE),
        rest_gaze=angles_in_head(looking, turn),
        turn=turn,
    )


def sharpened(
    irises: Irises,
    brightness: np.ndarray,
    unit: float,
    lids: tuple[eyelids.Lids, eyelids.Lids],
) -> Irises:
    """Fit the irises' circles to their edges in the picture.

    Ours: of circles near the network's, take the one across which the picture brightens
    most, to the left and to the right, where lids leave the edge free.

    Args:
        irises: as measured.
        brightness: `[H, W]` of the texture.
        unit: texture pixels of a head unit.
        lids: of both eyes, on the screen.
    """
    _, axes = discs(irises, np.zeros(2))
    angle = np.deg2rad(
        np.concatenate([np.arange(-50, 51, 10), np.arange(130, 231, 10)])
    )
    around = np.stack([np.cos(angle), np.sin(angle)], axis=1) @ axes.T
    middle = (np.array(brightness.shape[::-1]) - 1) / 2
    factor, x, y = np.array(list(itertools.product(*SEARCH))).T
    away = np.log(factor) ** 2 + x * x + y * y
    centres, radii = irises.centres.copy(), irises.radii.copy()
    for eye in range(2):
        centre = irises.centres[eye] + irises.radii[eye] * np.stack([x, y], axis=1)
        radius = irises.radii[eye] * factor
        rings = [
            centre[:, None] + edge * radius[:, None, None] * around
            for edge in (0.9, 1.1)
        ]
        is_seen = lids[eye].contain(rings[0]) & lids[eye].contain(rings[1])
        inner, outer = (
            sampling.bilinear(brightness, middle + unit * ring) for ring in rings
        )
        brighter = np.where(is_seen, outer / np.maximum(inner, 1), np.nan)
        is_enough = is_seen.sum(axis=1) >= FEWEST_ANGLES
        if not is_enough.any():
            continue
        score = np.full(len(away), -np.inf)
        score[is_enough] = np.nanmedian(brighter[is_enough], axis=1)
        best = int(np.argmax(score - FAR_COST * away))
        centres[eye], radii[eye] = centre[best], radius[best]
    radii = np.clip(radii, SMALLEST_PLAUSIBLE, LARGEST_PLAUSIBLE)
    return dataclasses.replace(irises, centres=centres, radii=radii)


def contrast(
    brightness: np.ndarray,
    centre: np.ndarray,
    axes: np.ndarray,
    lids: eyelids.Lids,
) -> float:
    """Tell how much brighter an eye is beside its iris than within.

    Args:
        brightness: `[H, W]` of a picture, such as its darkest channel, by which pale
            irises are found best.
        centre, axes: `[2]` and `[2, 2]` of the iris in it, see `discs`; axes times its
            radius.
        lids: in the picture.

    Returns:
        The median ratio around the iris, 0 where lids leave too little of it free.
    """
    angle = np.arange(NUM_ANGLES) * (2 * np.pi / NUM_ANGLES)
    around = np.stack([np.cos(angle), np.sin(angle)], axis=1) @ axes.T
    inner, outer = (centre + radius * around for radius in CONTRAST_RADII)
    inset = -FREE_INSET * np.linalg.norm(axes[:, 1])
    is_free = lids.contain(inner, inset) & lids.contain(outer, inset)
    if is_free.sum() < FEWEST_FREE:
        return 0.0
    within, beside = (
        sampling.bilinear(brightness, ring[is_free]) for ring in (inner, outer)
    )
    return float(np.median(beside / np.maximum(within, DARKEST)))


def angles_in_head(looking: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Turn a direction of gaze `[2]` of the camera frame into the head's frame.

    Args:
        looking: `[2]` yaw, pitch, radians.
        turn: `[3, 3]` the head's rotation.
    """
    x, y, z = turn.T @ _turn_of_eyes(looking)[:, 2]
    return np.array([np.arctan2(-x, z), np.arcsin(np.clip(-y, -1, 1))])


def _turn_of_eyes(looking):
    """Build the turn by yaw and pitch, `[3, 3]`; its last column looks backwards."""
    (cos_yaw, cos_pitch), (sin_yaw, sin_pitch) = np.cos(looking), np.sin(looking)
    return np.array(
        [
            [cos_yaw, -sin_yaw * sin_pitch, -sin_yaw * cos_pitch],
            [0.0, cos_pitch, -sin_pitch],
            [sin_yaw, cos_yaw * sin_pitch, cos_yaw * cos_pitch],
        ]
    )


def discs(irises: Irises, added_gaze: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place the irises for a gaze, the head as photographed.

    Ours: a flat disc that turns about the eyeball's centre.

    Args:
        irises: as photographed.
        added_gaze: `[2]` yaw and pitch added to the photographed ones, radians.

    Returns:
        Centres `[2, 2]` on the screen, and `[2, 2]`: a point (x, y) of a disc, in its
        radii, is seen at centre + radius * matrix @ (x, y).
    """
    rest = irises.turn @ _turn_of_eyes(irises.rest_gaze)
    looking = irises.turn @ _turn_of_eyes(irises.rest_gaze + added_gaze)
    moved = IRIS_DISTANCE * (rest[:2, 2] - looking[:2, 2])
    return irises.centres + moved, looking[:2, :2]
