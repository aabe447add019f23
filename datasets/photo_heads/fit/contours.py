"""Which of the 468 MediaPipe landmarks lie on lips, lids and the face's outline.

The head's right side is the image's left. Loops run from the image's left to its right.
Follows: MediaPipe's topology of 468 landmarks.
"""

import numpy as np

INNER_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
OUTER_UPPER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
OUTER_LOWER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
"""Edges of the lips, corner to corner."""

UPPER_LIP = INNER_UPPER[1:-1] + OUTER_UPPER[1:-1]
UPPER_LIP += (184, 74, 73, 72, 11, 302, 303, 304, 408)
UPPER_LIP += (183, 42, 41, 38, 12, 268, 271, 272, 407)
LOWER_LIP = INNER_LOWER[1:-1] + OUTER_LOWER[1:-1]
LOWER_LIP += (77, 90, 180, 85, 16, 315, 404, 320, 307)
LOWER_LIP += (96, 89, 179, 86, 15, 316, 403, 319, 325)
"""Landmarks that must follow their own lip only."""

LIDS = (
    dict(
        upper=(33, 246, 161, 160, 159, 158, 157, 173, 133),
        lower=(33, 7, 163, 144, 145, 153, 154, 155, 133),
        above=(113, 225, 224, 223, 222, 221, 189),
        below=(226, 31, 228, 229, 230, 231, 232, 233, 244),
    ),
    dict(
        upper=(362, 398, 384, 385, 386, 387, 388, 466, 263),
        lower=(362, 382, 381, 380, 374, 373, 390, 249, 263),
        above=(413, 441, 442, 443, 444, 445, 342),
        below=(464, 453, 452, 451, 450, 449, 448, 261, 446),
    ),
)
"""Rims of both eyes, the image's left eye first, and the rings that stay still."""

CHIN, NOSE_TIP = 152, 1
LIP_TOP, LIP_BOTTOM = 13, 14
"""The middle of the inner edges of the lips."""
MOUTH_CORNERS = (61, 291)


def inside(polygon: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Tell which points `[N, 2]` lie in a closed polygon `[P, 2]`, as bool `[N]`."""
    result = np.zeros(len(points), bool)
    for (ax, ay), (bx, by) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if ay == by:
            continue
        crosses = (ay > points[:, 1]) != (by > points[:, 1])
        at = ax + (points[:, 1] - ay) * (bx - ax) / (by - ay)
        result ^= crosses & (points[:, 0] < at)
    return result
