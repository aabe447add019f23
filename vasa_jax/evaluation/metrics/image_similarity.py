"""How near two images are: PSNR of the whole and of the mouth, and SSIM."""

import numpy as np

from vasa_jax.portrait import crop

MOUTH_HALF_SIZE = 0.35
"""Half the side of the mouth's square, head units (of 10 cm). Ours: 7 cm hold an open
mouth and its corners, and little else."""

NUM_TAPS, SIGMA = 11, 1.5
"""Of the Gaussian window, pixels. Follows: Wang et al. 2004."""

STABILITY = (0.01 * 255) ** 2, (0.03 * 255) ** 2
"""C1 and C2. Follows: Wang et al. 2004."""

LUMA = np.array([0.299, 0.587, 0.114])
"""From RGB. Follows: BT.601, as Wang et al.'s code for colour pictures."""


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


def ssim(image: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the mean structural similarity of luma.

    Follows: Wang et al. 2004, at full resolution, over places where the window fits.

    Args:
        image, truth: uint8 `[..., H, W, 3]`, of 11 pixels a side or more.

    Returns:
        float64 `[...]`, 1 where both are the same.
    """
    result = np.empty(image.shape[:-3])
    for place in np.ndindex(*result.shape):
        result[place] = _one(image[place] @ LUMA, truth[place] @ LUMA)
    return result


def _one(x: np.ndarray, y: np.ndarray) -> float:
    mean_x, mean_y = _blur(x), _blur(y)
    var_x = _blur(x * x) - mean_x**2
    var_y = _blur(y * y) - mean_y**2
    both = _blur(x * y) - mean_x * mean_y
    c1, c2 = STABILITY
    light = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return float((light * (2 * both + c2) / (var_x + var_y + c2)).mean())


def _blur(values: np.ndarray) -> np.ndarray:
    """Weight by the window, `[H, W]` to `[H - 10, W - 10]`."""
    taps = np.exp(-0.5 * ((np.arange(NUM_TAPS) - NUM_TAPS // 2) / SIGMA) ** 2)
    taps /= taps.sum()
    for axis in (0, 1):
        size = values.shape[axis] - NUM_TAPS + 1
        rows = (slice(k, k + size) for k in range(NUM_TAPS))
        parts = (values[(slice(None),) * axis + (row,)] for row in rows)
        values = sum(tap * part for tap, part in zip(taps, parts, strict=True))
    return values
