"""How lids and lips close: combinations of landmarks that move the skin about them."""

import dataclasses

import numpy as np

from datasets.photo_heads.fit import contours

LASH_SHARE = 0.12
"""Share of the closing skin, from the rim up, that moves without stretching. Ours: the
lashes stay as they were photographed."""

OVERLAP = 1.06
"""How far a closed upper lid goes over the lower one, in heights of the eye. Ours: lest
a line of the eye shows."""

LOWER_LID_SHARE = 0.12
"""How much of the closing the lower lid does. Ours: by eye."""

UPPER_LIP_SHARE = 0.25
"""How much of the closing the upper lip does. Ours: the jaw does most."""


@dataclasses.dataclass(frozen=True)
class Closing:
    """How some of a face's points move when a hole of it shuts.

    Attributes:
        num_points: N, points of the face.
        points: int `[P]` those that move.
        landmarks: int `[L]` those that show how.
        weights: float32 `[P, L]`.
    """

    num_points: int
    points: np.ndarray
    landmarks: np.ndarray
    weights: np.ndarray

    @classmethod
    def of_matrix(cls, matrix: np.ndarray) -> "Closing":
        """Keep what is not zero of a matrix `[N, 468]`."""
        points = np.flatnonzero(np.abs(matrix).max(axis=1) > 1e-9)
        landmarks = np.flatnonzero(np.abs(matrix).max(axis=0) > 1e-9)
        weights = matrix[np.ix_(points, landmarks)].astype(np.float32)
        return cls(len(matrix), points, landmarks, weights)

    def moves(self, landmarks: np.ndarray) -> np.ndarray:
        """Return the points' movements `[N, 3]`, for landmarks `[468, 3]` at rest."""
        result = np.zeros((self.num_points, 3), np.float32)
        result[self.points] = self.weights @ landmarks[self.landmarks]
        return result


def ease(value: np.ndarray) -> np.ndarray:
    """Rise smoothly from 0 to 1 as the value does; constant outside of that."""
    value = np.clip(value, 0, 1)
    return value * value * (3 - 2 * value)


def closing_eye(plane: np.ndarray, points: np.ndarray, lid: dict) -> Closing:
    """Bring the upper rim down to the lower one; the skin above shares the stretch.

    Ours: most of the closing skin stretches evenly, which the eye takes for a lid.

    Args:
        plane: `[468, 2]` the landmarks on the unrolled face.
        points: `[N, 2]` points there.
        lid: one of `contours.LIDS`.
    """
    x, y = points.T
    upper, lower = (_height(plane, lid[k], x) for k in ("upper", "lower"))
    above, below = (_height(plane, lid[k], x) for k in ("above", "below"))
    up = (upper - y) / np.maximum(upper - above, 0.02)
    rise = (up - LASH_SHARE) / (1.05 - LASH_SHARE)
    share = 1 - 0.65 * np.clip(rise, 0, 1) - 0.35 * ease(rise)
    down = (y - lower) / np.maximum(below - lower, 0.02)
    lower_share = LOWER_LID_SHARE * (1 - ease(down))
    across = plane[[lid["upper"][0], lid["upper"][-1]], 0]
    reach = 0.06
    fade = ease((x - across.min() + reach) / reach)
    fade *= ease((across.max() + reach - x) / reach)
    is_upper = y <= (upper + lower) / 2
    amount = np.where(is_upper, (OVERLAP - LOWER_LID_SHARE) * share, -lower_share)
    gap = _along(plane, lid["lower"], x) - _along(plane, lid["upper"], x)
    return Closing.of_matrix((amount * fade)[:, None] * gap)


def closing_lips(plane: np.ndarray, points: np.ndarray) -> Closing:
    """Bring the inner lips together, the lower one by most.

    Args:
        plane: `[468, 2]` the landmarks on the unrolled face.
        points: `[N, 2]` points there.
    """
    x, y = points.T
    upper = _height(plane, contours.INNER_UPPER, x)
    lower = _height(plane, contours.INNER_LOWER, x)
    up = ease(1 - (upper - y) / 0.25)
    down = ease(1 - (y - lower - 0.1) / 0.5)
    corners = plane[[contours.INNER_UPPER[0], contours.INNER_UPPER[-1]], 0]
    fade = ease((x - corners[0] + 0.15) / 0.15)
    fade *= ease((corners[1] + 0.15 - x) / 0.15)
    is_upper = y <= (upper + lower) / 2
    amount = np.where(is_upper, UPPER_LIP_SHARE * up, -(1 - UPPER_LIP_SHARE) * down)
    gap = _along(plane, contours.INNER_LOWER, x) - _along(
        plane, contours.INNER_UPPER, x
    )
    return Closing.of_matrix((amount * fade)[:, None] * gap)


def _along(plane, indices, x):
    """Return `[N, 468]` weights that interpolate along a row of landmarks by x."""
    along = plane[list(indices), 0]
    order = np.argsort(along)
    result = np.zeros((len(x), len(plane)))
    for k in range(len(order)):
        hat = np.zeros(len(order))
        hat[k] = 1
        result[:, indices[order[k]]] += np.interp(x, along[order], hat)
    return result


def _height(plane, indices, x):
    """Return the y of a row of landmarks at each x."""
    along = plane[list(indices), 0]
    order = np.argsort(along)
    return np.interp(x, along[order], plane[list(indices), 1][order])
