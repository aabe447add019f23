"""Where the lips of a portrait meet, from its landmarks."""

import functools

import numpy as np

from vasa_jax.portrait import crop, pose

UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
"""Landmarks of the lips' inner edges, from the image's left to its right. Follows:
MediaPipe's topology of 468 landmarks."""

NUM_UPPER, NUM_LOWER = 13, 11
"""Points along each edge, both corners counted with the upper one."""

NUM_EDGE = NUM_UPPER + NUM_LOWER


def inner_edge(points: np.ndarray, box: crop.CropBox) -> np.ndarray:
    """Return the lips' inner edge.

    Args:
        points: `[468, 2 or more]` landmarks, pixels of the picture.
        box: the portrait's crop.

    Returns:
        float32 `[24, 2]` in [-1, 1] in the crop: along the upper lip from the corner at
        the image's left to the other, then along the lower one back.
    """
    flat = _weights() @ np.asarray(points, np.float64)[:, :2]
    matrix = box.matrix(2)
    in_crop = (flat - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    return (in_crop - 1.0).astype(np.float32)


def open_lips(batch: int) -> np.ndarray:
    """Return open lips float32 `[B, 24, 2]`, where no portrait is at hand."""
    across = np.linspace(-1.0, 1.0, NUM_UPPER)
    across = np.append(across, across[-2:0:-1])
    side = np.repeat([-1.0, 1.0], [NUM_UPPER, NUM_LOWER])
    down = 0.5 * side * np.sqrt(1.0 - np.square(across))
    lips = np.stack([0.16 * across, 0.39 + 0.16 * down], axis=-1)
    return np.stack([lips] * batch).astype(np.float32)


@functools.lru_cache(maxsize=1)
def _weights():
    """Return what each point has of each landmark, `[24, 468]`."""
    face, _ = pose.canonical_face()
    upper = _spread(face, UPPER, NUM_UPPER)
    lower = _spread(face, LOWER, NUM_LOWER + 2)[-2:0:-1]
    return np.concatenate([upper, lower])


def _spread(face, chain, count):
    """Return weights `[count, 468]` of points evenly along a chain of landmarks."""
    steps = np.linalg.norm(np.diff(face[list(chain)], axis=0), axis=1)
    length = np.append(0.0, np.cumsum(steps))
    at = np.linspace(0.0, length[-1], count)
    weights = np.zeros((count, len(face)))
    for index, row in zip(chain, np.eye(len(chain)), strict=True):
        weights[:, index] = np.interp(at, length, row)
    return weights
