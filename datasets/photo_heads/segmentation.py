"""Tell the person of a picture from the background."""

import numpy as np
from scipy import ndimage

from vasa_jax.portrait import networks, resample

GUIDE_RADIUS, GUIDE_EPSILON = 5, 2e-4
"""Reach in pixels, and noise, of the filter that draws the mask to edges. Follows: He
et al. 2010 (guided filter)."""

LEAST_PERSON = 0.15
"""Share of a person from which a pixel belongs to some part. Ours."""

RIM = 0.015
"""Width of a part's soft rim, share of the side; within it the person is solid. Ours:
the network doubts collars and dark hair."""


def person(image: np.ndarray) -> np.ndarray:
    """Return the share of the largest person in each pixel, float32 `[H, W]`.

    Follows: MediaPipe's selfie segmentation. Ours: its 256 cells are drawn to edges of
    the picture, and what it sees beside the person is dropped.

    Args:
        image: uint8 `[H, W, 3]`.
    """
    network = networks.load("selfie_segmentation")
    height, width = image.shape[:2]
    side = network.size
    view = resample.sample_window(image, 0, 0, width, height, side, side) / 255
    mask = network(view)[0][..., :1]
    mask = resample.sample_window(mask, 0, 0, side, side, height, width)[..., 0]
    return _main_part(_drawn_to_edges(mask, image.astype(np.float32) / 255))


def _drawn_to_edges(mask, image):
    """Make the mask a linear function of the colours wherever it is unsure."""
    size = 2 * GUIDE_RADIUS + 1

    def mean(values):
        return ndimage.uniform_filter(values, (size, size) + (0,) * (values.ndim - 2))

    average, mask_average = mean(image), mean(mask)
    covariance = mean(image * mask[..., None]) - average * mask_average[..., None]
    second = mean(image[..., :, None] * image[..., None, :])
    spread = second - average[..., :, None] * average[..., None, :]
    spread = spread + GUIDE_EPSILON * np.eye(3)
    slope = np.linalg.solve(spread, covariance[..., None])[..., 0]
    offset = mask_average - (slope * average).sum(-1)
    fine = (mean(slope) * image).sum(-1) + mean(offset)
    near = ndimage.gaussian_filter(mask, 2)
    fine = np.where(np.abs(near - 0.5) < 0.497, fine, mask)
    return np.clip((fine - 0.15) / 0.7, 0, 1).astype(np.float32)


def _main_part(mask):
    labels, count = ndimage.label(mask > LEAST_PERSON)
    if count == 0:
        return mask
    sizes = ndimage.sum_labels(mask, labels, np.arange(1, count + 1))
    main = ndimage.binary_dilation(labels == 1 + np.argmax(sizes), iterations=4)
    mask = mask * main
    solid = ndimage.binary_fill_holes(ndimage.gaussian_filter(mask, 2) > 0.5)
    solid = ndimage.binary_erosion(solid, iterations=round(RIM * len(mask)))
    return np.where(solid, 1, mask).astype(np.float32)
