"""Refuses pictures and samples that cannot be what they are given as."""

import numpy as np

from vasa_jax.errors import UserError


def check_image(image: np.ndarray) -> np.ndarray:
    """Return an image uint8 `[H, W, 3]`, or refuse it.

    Raises:
        UserError: of another type or shape.
    """
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise UserError(
            f"An image is {image.dtype} {list(image.shape)}; give uint8 [H, W, 3]."
        )
    return image


def check_samples(samples: np.ndarray) -> np.ndarray:
    """Return samples, finite floats `[S]`, or refuse them.

    Raises:
        UserError: of another type or shape, or not finite.
    """
    samples = np.asarray(samples)
    is_float = np.issubdtype(samples.dtype, np.floating)
    if samples.ndim != 1 or not is_float or not np.isfinite(samples).all():
        raise UserError(
            f"Samples are {samples.dtype} {list(samples.shape)}; give finite floats "
            "[S] at 16 kHz, full scale at 1."
        )
    return samples
