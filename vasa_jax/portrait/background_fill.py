"""Fill the background behind the person by what lies around, and the other way."""

import einops
import numpy as np
from scipy import ndimage

MARGIN = 0.034
"""How far around the person the background counts as touched, share of the side. Ours:
hair that the mask misses, and blur, reach so far."""

SOLID = 0.95
"""Share of a pixel from which its colour is the person's own. Ours: below, the
background shines through."""

DOUBLED = (0.04, 0.24, 0.44, 0.24, 0.04)
"""Kernel that smooths what is grown by repeating. Ours: about as linear interpolation
and then a Gaussian of one pixel."""


def fill_background(
    image: np.ndarray, mask: np.ndarray, own: np.ndarray, margin: float = MARGIN
) -> tuple[np.ndarray, np.ndarray]:
    """Spread the background over the person by a pyramid of averages.

    Follows: pull-push (Gortler et al. 1996).

    Args:
        image: uint8 `[H, W, 3]`.
        mask: float32 `[H, W]` the person.
        own: bool `[H, W]` where the image is a picture at all.
        margin: how far around the person the background counts as touched, share of
            the side.

    Returns:
        float32 `[H, W, 3]` and bool `[H, W]`, where it is the picture's own.
    """
    side = int(np.ceil(margin * len(mask)))
    touched = ndimage.grey_dilation(mask, (2 * side + 1,) * 2) > 0.04
    touched |= ~own
    known = (~touched).astype(np.float32)
    filled = _pull_push(image.astype(np.float32), known)
    soft = ndimage.gaussian_filter(touched.astype(np.float32), side / 3)[..., None]
    soft = np.where(touched[..., None], np.maximum(soft, (mask > 0.02)[..., None]), 0)
    return (filled * soft + image * (1 - soft)).astype(np.float32), ~touched


def spread_person(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Let the person's colours go on beyond it, so that none of the background stays.

    Ours: the nearest pixel that is all person. Edges and strands of hair are then drawn
    by the mask alone.

    Args:
        image: uint8 `[H, W, 3]`.
        mask: float32 `[H, W]` the person.

    Returns:
        uint8 `[H, W, 3]`; the image itself where nothing is all person.
    """
    solid = mask > SOLID
    if not solid.any():
        return image
    nearest = ndimage.distance_transform_edt(
        ~solid, return_distances=False, return_indices=True
    )
    return image[tuple(nearest)]


def _pull_push(image, known):
    height, width = known.shape
    if min(height, width) < 3:
        weight = known.sum()
        mean = (image * known[..., None]).sum((0, 1)) / max(weight, 1e-6)
        return np.where(known[..., None] > 0, image, mean)
    pad = ((0, height % 2), (0, width % 2))
    colour = np.pad(image * known[..., None], (*pad, (0, 0)))
    weight = np.pad(known, pad)
    small = einops.reduce(colour, "(h i) (w j) c -> h w c", "mean", i=2, j=2)
    total = einops.reduce(weight, "(h i) (w j) -> h w", "mean", i=2, j=2)
    small = small / np.maximum(total, 1e-6)[..., None]
    small = _pull_push(small, np.minimum(total * 2, 1))
    large = np.repeat(np.repeat(small, 2, axis=0), 2, axis=1)
    for axis in (0, 1):
        large = ndimage.correlate1d(large, DOUBLED, axis, mode="nearest")
    large = large[:height, :width]
    share = known[..., None]
    return image * share + large * (1 - share)
