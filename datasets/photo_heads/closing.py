"""How lids and lips close: every point moves by a share of the gap beside it."""

import dataclasses

import numpy as np

from datasets.photo_heads import contours

LASH_SHARE = 0.12
"""Share of the closing skin, from the rim up, that moves without stretching. Ours."""

OVERLAP = 1.06
"""How far a closed upper lid goes over the lower one, in heights of the eye. Ours."""

LOWER_LID_SHARE = 0.12
"""How much of the closing the lower lid does. Ours."""

LID_FADE = 0.06
"""Width beside the eye's corners over which the closing ends, head units. Ours."""

UPPER_LIP_SHARE = 0.25
"""How much of the closing the upper lip does. Ours: jaws move."""

LIP_FADE = 0.15
"""Width beside the mouth's corners over which the closing ends, head units. Ours."""


@dataclasses.dataclass(frozen=True)
class Closing:
    """A closing, linear in the landmarks.

    Attributes:
        landmarks: int `[K]` those that it depends on.
        weights: float32 `[F, K]` of each, for the points of the face.
    """

    landmarks: np.ndarray
    weights: np.ndarray

    def movement(self, landmarks: np.ndarray) -> np.ndarray:
        """Return float32 `[F, 3]` for landmarks `[468, 3]`."""
        return self.weights @ landmarks[self.landmarks].astype(np.float32)


def ease(value: np.ndarray) -> np.ndarray:
    """Rise smoothly from 0 at 0 to 1 at 1."""
    value = np.clip(value, 0, 1)
    return value * value * (3 - 2 * value)


def eyelid(plane: np.ndarray, places: np.ndarray, lid: dict) -> Closing:
    """Bring the upper rim of an eye down to the lower one.

    Ours: the skin above shares the stretch, and the lower lid rises a little.

    Args:
        plane: `[468, 2]` landmarks on the plane of the face mesh.
        places: `[F, 2]` of its points.
        lid: one of `contours.LIDS`.
    """
    x, y = places.T
    upper, lower = (_height(plane, lid[k], x) for k in ("upper", "lower"))
    above, below = (_height(plane, lid[k], x) for k in ("above", "below"))
    up = (upper - y) / np.maximum(upper - above, 0.02)
    rise = (up - LASH_SHARE) / (1.05 - LASH_SHARE)
    share = 1 - 0.65 * np.clip(rise, 0, 1) - 0.35 * ease(rise)
    down = (y - lower) / np.maximum(below - lower, 0.02)
    lower_share = LOWER_LID_SHARE * (1 - ease(down))
    across = plane[[lid["upper"][0], lid["upper"][-1]], 0]
    fade = ease((x - across.min() + LID_FADE) / LID_FADE)
    fade *= ease((across.max() + LID_FADE - x) / LID_FADE)
    upper_amount = (OVERLAP - LOWER_LID_SHARE) * share
    is_upper = y <= (upper + lower) / 2
    amount = np.where(is_upper, upper_amount, -lower_share) * fade
    return _over_gap(plane, x, lid["upper"], lid["lower"], amount)


def lips(plane: np.ndarray, places: np.ndarray) -> Closing:
    """Bring the inner edges of the lips together; arguments as of `eyelid`.

    Ours: chin and cheeks share what the lower lip does.
    """
    x, y = places.T
    upper = _height(plane, contours.INNER_UPPER, x)
    lower = _height(plane, contours.INNER_LOWER, x)
    up = ease(1 - (upper - y) / 0.25)
    down = ease(1 - (y - lower - 0.1) / 0.5)
    corners = plane[[contours.INNER_UPPER[0], contours.INNER_UPPER[-1]], 0]
    fade = ease((x - corners[0] + LIP_FADE) / LIP_FADE)
    fade *= ease((corners[1] + LIP_FADE - x) / LIP_FADE)
    is_upper = y <= (upper + lower) / 2
    amount = np.where(is_upper, UPPER_LIP_SHARE * up, (UPPER_LIP_SHARE - 1) * down)
    inner = contours.INNER_UPPER, contours.INNER_LOWER
    return _over_gap(plane, x, *inner, amount * fade)


def _over_gap(plane, x, upper, lower, amount):
    """Move points by an amount `[F]` of the way from the upper row to the lower one."""
    used = np.unique([*upper, *lower])
    gap = _interpolation(plane, lower, x, used) - _interpolation(plane, upper, x, used)
    return Closing(used, (amount[:, None] * gap).astype(np.float32))


def _interpolation(plane, row, x, used):
    """Return `[F, K]` weights that interpolate along a row of landmarks by x."""
    along = plane[list(row), 0]
    order = np.argsort(along)
    result = np.zeros((len(x), len(used)))
    for hat, index in zip(np.eye(len(order)), order, strict=True):
        column = np.searchsorted(used, row[index])
        result[:, column] += np.interp(x, along[order], hat)
    return result


def _height(plane, row, x):
    along = plane[list(row), 0]
    order = np.argsort(along)
    return np.interp(x, along[order], plane[list(row), 1][order])
