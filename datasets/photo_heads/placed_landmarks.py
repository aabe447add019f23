"""Landmarks of a portrait in space, with lids and lips where they can part."""

import numpy as np
from scipy import ndimage

from datasets.photo_heads import contours, photo_head
from vasa_jax.portrait import pose

LANDMARK_DEPTH = 0.5
"""Trust in the landmarks' own depth; the rest is the canonical face's. Ours."""

DEPTH_GAIN = 1.15
"""Exaggeration of the face's depth. Ours: without it, and with the outline of the head
that cannot turn, the pose fit finds three quarters of a yaw again."""

OPEN_MOUTH = 0.035
"""From which gap between the lips, head units, the photographed inside is kept. Ours:
a tenth of a lip's length."""

LID_SPREAD = (0.08, 0.04)
"""How far rims of upper and lower lids are moved off the eye, in heights of the eye.
Ours: so that no white of it goes with them."""

SEAM_SEARCH, SEAM_STEPS = 0.03, 15
"""How far from the landmarks the line between shut lips is looked for, head units."""

SEAM_TRUST = 0.15
"""How much darker, over the range of what is found, the seam must be at the search's
ends than at the landmarks. Ours: moustaches are dark too."""


def in_space(points: np.ndarray, fit: pose.HeadFit) -> np.ndarray:
    """Place landmarks `[468, 3]` of a picture in the camera frame, head units."""
    canonical, weights = pose.canonical_face()
    expected = (canonical @ fit.matrix().T)[:, 2]
    depth = points[:, 2].astype(np.float64) / fit.unit
    depth += np.sum(weights * (expected - depth))
    depth = DEPTH_GAIN * (expected + LANDMARK_DEPTH * (depth - expected))
    return photo_head.lift((points[:, :2] - fit.centre) / fit.unit, depth)


def spread_lids(landmarks: np.ndarray) -> np.ndarray:
    """Move the rims of the lids off the eyes."""
    result = landmarks.copy()
    for lid in contours.LIDS:
        upper, lower = list(lid["upper"]), list(lid["lower"])
        gap = landmarks[lower] - landmarks[upper]
        result[upper] -= LID_SPREAD[0] * gap
        result[lower] += LID_SPREAD[1] * gap
    return result


def mouth_gap(landmarks: np.ndarray) -> float:
    """Return the widest gap between the inner lips, head units."""
    upper, lower = (list(c) for c in (contours.INNER_UPPER, contours.INNER_LOWER))
    return float(np.linalg.norm(landmarks[upper] - landmarks[lower], axis=1).max())


def weld_lips(landmarks: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """Put both edges of shut lips on the dark line between them.

    Ours: landmarks miss that line by a pixel or two, and lips that part beside it tear
    one of them.

    Args:
        landmarks: `[468, 3]` camera frame, of lips that are shut.
        picture: uint8 `[H, H, 3]` of half side `photo_head.REACH`.

    Returns:
        New landmarks.
    """
    upper, lower = (list(c) for c in (contours.INNER_UPPER, contours.INNER_LOWER))
    screen = photo_head.project((landmarks[upper] + landmarks[lower]) / 2)
    light = ndimage.gaussian_filter(picture.mean(axis=2), (0.7, 1.5))
    shifts = np.linspace(-SEAM_SEARCH, SEAM_SEARCH, SEAM_STEPS)
    x = np.repeat(screen[:, :1], len(shifts), axis=1)
    y = screen[:, 1:] + shifts
    at = [(v / photo_head.REACH + 1) / 2 * len(picture) - 0.5 for v in (y, x)]
    seen = ndimage.map_coordinates(light, at, order=1, mode="nearest")
    doubt = SEAM_TRUST * np.ptp(seen, axis=1, keepdims=True)
    shift = shifts[np.argmin(seen + doubt * (shifts / SEAM_SEARCH) ** 2, axis=1)]
    shift = ndimage.gaussian_filter1d(ndimage.median_filter(shift, 3), 1.0)
    shift *= np.sin(np.linspace(0, np.pi, len(shift))) ** 0.5
    depth = (landmarks[upper, 2] + landmarks[lower, 2]) / 2
    welded = landmarks.copy()
    line = photo_head.lift(screen + np.stack([0 * shift, shift], axis=1), depth)
    welded[upper] = welded[lower] = line
    return welded


def mouth_scale(landmarks: np.ndarray) -> float:
    """Return the size of movements over the canonical face's.

    Ours: small faces have small mouths.
    """
    canonical, _ = pose.canonical_face()
    pairs = np.array([[61, 291], [33, 263], [168, 152]])

    def lengths(points):
        return np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)

    return float(np.clip((lengths(landmarks) / lengths(canonical)).min(), 0.6, 1.1))
