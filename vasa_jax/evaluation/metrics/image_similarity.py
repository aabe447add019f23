"""How near two images are, pixel by pixel: PSNR of the whole and of the mouth."""

import numpy as np

from vasa_jax.portrait import crop

MOUTH_HALF_SIZE = 0.35
"""Half the side of the mouth's square, head units (of 10 cm). Ours: 7 cm hold an open
mouth and its corners, and little else."""


def psnr(image: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the peak signal-to-noise ratio in dB.

    Args:
        image, truth: uint8 `[..., H, W, 3]`.

    Returns:
        float64 `[...]`, infinite where both are the same.
    """
    away = image.astype(np.float64) - truth.astype(np.float64)
    mean = (away**2).mean(axis=(-3, -2, -1))
    with np.errstate(divide="ignore"):
        return 10 * np.log10(255.0**2 / mean)


def mouth_psnr(
    image: np.ndarray, truth: np.ndarray, mouth: np.ndarray, scale: np.ndarray
) -> np.ndarray:
    """Return the PSNR of a square about the true place of the mouth.

    Args:
        image, truth: uint8 `[n, H, W, 3]`.
        mouth: `[n, 2]` centre of the mouth in `truth`, image units in [-1, 1].
        scale: `[n]` apparent size of the head, as of a `HeadPose`.

    Returns:
        float64 `[n]`, dB.
    """
    return np.array(
        [
            psnr(_square(one, centre, size), _square(true, centre, size))
            for one, true, centre, size in zip(image, truth, mouth, scale, strict=True)
        ]
    )


def _square(image: np.ndarray, centre: np.ndarray, scale: float) -> np.ndarray:
    size = image.shape[0]
    half = MOUTH_HALF_SIZE / crop.HALF_IMAGE_HEAD_UNITS * float(scale)
    first = np.floor((centre - half + 1) / 2 * size).astype(int)
    last = np.ceil((centre + half + 1) / 2 * size).astype(int)
    # At least two pixels, wherever the mouth may be.
    x, y = np.clip(first, 0, size - 2)
    x_end, y_end = np.clip(last, 2, size)
    return image[y : max(y_end, y + 2), x : max(x_end, x + 2)]
