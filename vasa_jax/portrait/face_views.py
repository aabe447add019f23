"""Faces as published networks want to see them: cut upright, resized, normalised."""

import numpy as np

from vasa_jax.portrait import landmarks, resample

_MEAN = np.float32([0.485, 0.456, 0.406])
_DEVIATION = np.float32([0.229, 0.224, 0.225])
"""Of red, green and blue in ImageNet. Follows: torchvision's networks."""


def cut(image: np.ndarray, found: landmarks.Landmarks, size: int) -> np.ndarray:
    """Cut the box of a face out of a picture; its proportions are not kept.

    Ours: the box of the landmarks, from forehead to chin and from ear to ear, in place
    of the detectors' that the networks were published with.

    Args:
        image: uint8 `[H, W, 3]`.
        found: landmarks of the face in it.
        size: pixels of a side of the result.

    Returns:
        float32 `[size, size, 3]`, 0 to 255.
    """
    low, high = (f(found.points[:, :2], axis=0) for f in (np.min, np.max))
    width, height = np.maximum(high - low, 1.0)
    return resample.sample_window(image, *low, width, height, size, size)


def resized(face: np.ndarray, size: int) -> np.ndarray:
    """Resize `[H, H, 3]` to `[size, size, 3]`, float32."""
    side = len(face)
    return resample.sample_window(face, 0, 0, side, side, size, size)


def normalised(face: np.ndarray) -> np.ndarray:
    """Bring colours from 0 to 255 to ImageNet's mean 0 and deviation 1, float32."""
    return (np.float32(face) / 255 - _MEAN) / _DEVIATION
