"""Smooth random fields: the one source of noise for skins, hair and backgrounds."""

import numpy as np
from PIL import Image


def smooth_noise(
    generator: np.random.Generator,
    height: int,
    width: int,
    num_octaves: int = 4,
    cells: tuple[float, float] = (4.0, 4.0),
) -> np.ndarray:
    """Draw value noise of zero mean and unit deviation.

    Ours: octaves of bicubically grown white noise, each 0.55 of the one before.

    Args:
        generator: source of randomness.
        height, width: size of the result.
        num_octaves: how many fields are summed, each twice as fine.
        cells: cells of the coarsest field along height and width.

    Returns:
        float32 `[height, width]`.
    """
    total = np.zeros((height, width), np.float32)
    weight = 1.0
    for octave in range(num_octaves):
        rows = min(height, max(2, int(cells[0] * 2**octave)))
        columns = min(width, max(2, int(cells[1] * 2**octave)))
        field = generator.standard_normal((rows, columns), np.float32)
        total += weight * resized(field, height, width)
        weight *= 0.55
    return (total - total.mean()) / (total.std() + 1e-6)


def resized(field: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize a float32 field `[h, w]` bicubically."""
    grown = Image.fromarray(field).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(grown)
