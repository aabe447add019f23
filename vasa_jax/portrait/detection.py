"""Find faces of any size in a picture with BlazeFace (short range).

Follows: MediaPipe face detection for anchors and decoding. Ours: the network sees
128 px and finds faces of about a seventh to two thirds of its view, so the picture is
searched in views of several sizes, then turned by quarter turns.
"""

import dataclasses
import functools
from collections.abc import Iterator

import einops
import numpy as np

from vasa_jax.portrait import networks, resample

SCORE_THRESHOLD = 0.5
"""Least score of a face. Follows: MediaPipe."""

OVERLAP_THRESHOLD = 0.3
"""Intersection over union from which boxes are one face. Follows: MediaPipe."""

INCLUSION_THRESHOLD = 0.5
"""Share of the smaller of two boxes inside the other from which they are one face.

Ours: a view may cut a face, and the box of the part lies within that of the whole.
"""

WIDE_VIEW = 1.7
"""Side of the widest view in longer picture sides.

Ours: shrinks a face that fills the picture to a size that the network knows.
"""

TILE_DIVISORS = (2, 4)
"""Finer views have this fraction of the longer side and overlap by half; in tall
pictures, further ones have down to the last fraction of the width.

Ours: a face of 5 % of the width spans a fifth of the finest views.
"""

_SAME_SIDE = 1.5
"""Ours: pictures of up to 2 by 3 need no view finer than a quarter of the height."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Face:
    """One detected face, in image pixels.

    Attributes:
        center_x, center_y: centre of the box from brows to chin.
        size: the box's longer side.
        score: the network's certainty in [0, 1].
        keypoints: float32 `[6, 2]` (x, y): the eye on the image's left, the one on its
            right, nose tip, mouth, the ear on the left, the ear on the right (left and
            right as in an upright picture of the face).
    """

    center_x: float
    center_y: float
    size: float
    score: float
    keypoints: np.ndarray


def detect_faces(image: np.ndarray) -> list[Face]:
    """Return the faces of a picture, the largest first.

    Args:
        image: uint8 `[H, W, 3]`.

    Returns:
        The faces found at the coarsest level of `search` that finds any; maybe none.
    """
    return next((faces for faces in search(image) if faces), [])


def search(image: np.ndarray) -> Iterator[list[Face]]:
    """Yield the faces found at each level: ever smaller, then turned.

    Ours: a caller that rejects what one level found asks for the next.

    Args:
        image: uint8 `[H, W, 3]`.

    Yields:
        Faces, the largest first, of one level after another.
    """
    height, width = image.shape[:2]
    coarse, *finer = _levels(height, width)
    for views in (coarse, *finer):
        yield _suppress([f for view in views for f in _detect(image, *view)])
    for turns in (1, 3, 2):
        turned = np.rot90(image, turns)
        views = _levels(*turned.shape[:2])
        found = [f for view in views[0] + views[1] for f in _detect(turned, *view)]
        yield [unturned(face, turns, height, width) for face in _suppress(found)]


def _levels(height, width):
    """Return lists of square views (left, top, side), coarsest first."""
    longer = max(height, width)
    levels = [
        [
            ((width - side) / 2, (height - side) / 2, side)
            for side in (longer, WIDE_VIEW * longer)
        ]
    ]
    sides = [longer / divisor for divisor in TILE_DIVISORS]
    finest = width / TILE_DIVISORS[-1]
    while sides[-1] > _SAME_SIDE * finest:
        sides.append(max(sides[-1] / 2, finest))
    for side in sides:
        lefts, tops = _tile_starts(width, side), _tile_starts(height, side)
        levels.append([(left, top, side) for top in tops for left in lefts])
    return levels


def _tile_starts(length, side):
    """Spread tiles that overlap by half or more over a length."""
    if length <= side:
        return [(length - side) / 2]
    count = int(np.ceil((length - side) / (side / 2))) + 1
    return np.linspace(0, length - side, count).tolist()


def _detect(image, left, top, side):
    """Run the network on one view; black outside of the picture."""
    network = networks.load("face_detection")
    view = np.full((network.size, network.size, 3), -1.0, np.float32)
    pixel = side / network.size
    height, width = image.shape[:2]
    first, start = max(0, round(-top / pixel)), max(0, round(-left / pixel))
    last = min(network.size, round((height - top) / pixel))
    stop = min(network.size, round((width - left) / pixel))
    if last <= first or stop <= start:
        return []
    part = resample.sample_window(
        image,
        left + start * pixel,
        top + first * pixel,
        (stop - start) * pixel,
        (last - first) * pixel,
        last - first,
        stop - start,
    )
    view[first:last, start:stop] = part / 127.5 - 1
    return _decode(*network(view), network.size, left, top, side)


def _decode(boxes, logits, network_size, left, top, side):
    """Turn the outputs `[896, 16]` and `[896, 1]` into faces in image pixels."""
    scores = 1 / (1 + np.exp(-np.clip(logits[:, 0], -80, 80)))
    keep = np.flatnonzero(scores >= SCORE_THRESHOLD)
    values = einops.rearrange(boxes[keep] / network_size, "n (p c) -> n p c", c=2)
    sizes = values[:, 1].max(axis=1) * side
    points = np.delete(values, 1, axis=1) + _anchors()[keep][:, None]
    return _average(points * side + np.array([left, top]), sizes, scores[keep])


def _average(points, sizes, scores):
    """Average the boxes of each face, weighted by score. Follows: MediaPipe.

    Args:
        points: `[N, 7, 2]` centre and keypoints; sizes: `[N]`; scores: `[N]`.

    Returns:
        A list of `Face`, the most certain first.
    """
    squares = np.concatenate([points[:, 0], sizes[:, None]], axis=1)
    faces, remaining = [], np.argsort(-scores)
    while len(remaining):
        best = squares[remaining[0]]
        overlaps = np.array([_overlap(best, squares[i])[0] for i in remaining])
        group = remaining[overlaps > OVERLAP_THRESHOLD]
        weights = scores[group] / scores[group].sum()
        mean = np.einsum("n,npc->pc", weights, points[group])
        faces.append(
            Face(
                center_x=float(mean[0, 0]),
                center_y=float(mean[0, 1]),
                size=float(weights @ sizes[group]),
                score=float(scores[remaining[0]]),
                keypoints=mean[1:].astype(np.float32),
            )
        )
        remaining = remaining[overlaps <= OVERLAP_THRESHOLD]
    return faces


@functools.cache
def _anchors():
    """Return the anchors' centres `[896, 2]` in [0, 1]. Follows: MediaPipe."""
    centres = []
    for cells, per_cell in ((16, 2), (8, 6)):
        axis = (np.arange(cells) + 0.5) / cells
        x, y = np.meshgrid(axis, axis)
        grid = np.stack([x, y], axis=-1)
        centres.append(einops.repeat(grid, "h w c -> (h w n) c", n=per_cell))
    return np.concatenate(centres)


def _overlap(first, second):
    """Return intersection over union and inclusion of two squares (x, y, side)."""

    def span(axis):
        low = max(first[axis] - first[2] / 2, second[axis] - second[2] / 2)
        high = min(first[axis] + first[2] / 2, second[axis] + second[2] / 2)
        return max(0.0, high - low)

    shared = span(0) * span(1)
    areas = first[2] ** 2, second[2] ** 2
    return shared / (sum(areas) - shared), shared / min(areas)


def _suppress(faces):
    """Keep the most certain box of each face; order by size."""
    kept = []
    for face in sorted(faces, key=lambda f: -f.score):
        square = (face.center_x, face.center_y, face.size)
        pairs = [_overlap(square, (k.center_x, k.center_y, k.size)) for k in kept]
        if all(u < OVERLAP_THRESHOLD and i < INCLUSION_THRESHOLD for u, i in pairs):
            kept.append(face)
    return sorted(kept, key=lambda f: -f.size)


def unturned(face: Face, turns: int, height: int, width: int) -> Face:
    """Carry a face found in a turned picture back to the picture.

    Args:
        face: found in `np.rot90(image, turns)`.
        turns: 1, 2 or 3 quarter turns.
        height: of the image, in pixels.
        width: of the image.

    Returns:
        The face in the image's pixels.
    """

    def back(x, y):
        if turns == 1:
            return width - y, x
        if turns == 2:
            return width - x, height - y
        return y, height - x

    center_x, center_y = back(face.center_x, face.center_y)
    x, y = back(face.keypoints[:, 0], face.keypoints[:, 1])
    return dataclasses.replace(
        face,
        center_x=center_x,
        center_y=center_y,
        keypoints=np.stack([x, y], axis=-1).astype(np.float32),
    )
