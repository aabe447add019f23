"""Fill the background behind a person from what is seen around."""

import numpy as np
from scipy import ndimage

MARGIN = 0.034
"""How far around the person the background counts as touched, share of the side. Ours:
hair and shade reach so far beyond the mask."""


def fill(
    image: np.ndarray, person: np.ndarray, is_inside: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Spread the background over the person by a pyramid of averages.

    Follows: Gortler et al. 1996 (push-pull).

    Args:
        image: uint8 `[H, W, 3]`.
        person: float32 `[H, W]` share of the person.
        is_inside: bool `[H, W]` where the image is a picture at all.

    Returns:
        float32 `[H, W, 3]`, and bool `[H, W]` where it is the picture's own.
    """
    side = int(np.ceil(MARGIN * len(person)))
    touched = ndimage.grey_dilation(person, (2 * side + 1,) * 2) > 0.04
    touched |= ~is_inside
    filled = _pull_push(image.astype(np.float32), (~touched).astype(np.float32))
    soft = ndimage.gaussian_filter(touched.astype(np.float32), side / 3)
    soft = np.where(touched, np.maximum(soft, person > 0.02), 0)[..., None]
    return (filled * soft + image * (1 - soft)).astype(np.float32), ~touched


def _pull_push(image, known):
    height, width = known.shape
    if min(height, width) < 3:
        mean = (image * known[..., None]).sum((0, 1)) / max(known.sum(), 1e-6)
        return np.where(known[..., None] > 0, image, mean)
    pad = ((0, height % 2), (0, width % 2))
    colour = np.pad(image * known[..., None], (*pad, (0, 0)))
    weight = np.pad(known, pad)

    def halve(values):
        return 0.25 * (
            values[::2, ::2]
            + values[1::2, ::2]
            + values[::2, 1::2]
            + values[1::2, 1::2]
        )

    small, total = halve(colour), halve(weight)
    small = small / np.maximum(total, 1e-6)[..., None]
    small = _pull_push(small, np.minimum(total * 2, 1))
    large = ndimage.zoom(small, [2, 2, 1], order=1, mode="nearest", grid_mode=True)
    large = ndimage.gaussian_filter(large, (1, 1, 0))[:height, :width]
    share = known[..., None]
    return image * share + large * (1 - share)
