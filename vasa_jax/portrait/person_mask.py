"""Tell the person of a picture from the background."""

import numpy as np
from scipy import ndimage

from vasa_jax.portrait import networks, resample

GUIDE_RADIUS, GUIDE_EPSILON = 5, 2e-4
"""Reach in pixels, and noise, of the filter that draws the mask to edges. Ours: hair
ends within a few pixels."""

CERTAIN = 0.497
"""How far from 0.5 the smoothed mask is where the network is believed. Ours: away from
edges the filter only adds noise."""

LOW, HIGH = 0.15, 0.85
"""Values that become 0 and 1. Ours: the network is seldom sure."""

FAINT = 0.15
"""Opacity from which two parts count as joined."""

SOLID_MARGIN = 0.015
"""How far inside the person's outline everything is opaque, share of the side. Ours:
the network makes holes into clothes."""


def person_mask(image: np.ndarray) -> np.ndarray:
    """Find the person in a picture of one head.

    Follows: MediaPipe's selfie segmentation; a guided filter (He et al. 2010) draws its
    mask to the picture's edges, and its largest part counts.

    Args:
        image: uint8 `[H, W, 3]`.

    Returns:
        float32 `[H, W]` in [0, 1], 1 is the person.
    """
    network = networks.load("selfie_segmentation")
    height, width = image.shape[:2]
    size = network.size
    view = resample.sample_window(image, 0, 0, width, height, size, size) / 255
    mask = network(view)[0][..., :1]
    mask = resample.sample_window(mask, 0, 0, size, size, height, width)[..., 0]
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
    fine = np.where(np.abs(near - 0.5) < CERTAIN, fine, mask)
    return np.clip((fine - LOW) / (HIGH - LOW), 0, 1).astype(np.float32)


def _main_part(person):
    """Drop what was found beside the person, and fill its holes."""
    labels, count = ndimage.label(person > FAINT)
    if count == 0:
        return person
    sizes = ndimage.sum_labels(person, labels, np.arange(1, count + 1))
    main = ndimage.binary_dilation(labels == 1 + np.argmax(sizes), iterations=4)
    person = person * main
    solid = ndimage.binary_fill_holes(ndimage.gaussian_filter(person, 2) > 0.5)
    margin = round(SOLID_MARGIN * len(person))
    solid = ndimage.binary_erosion(solid, iterations=margin)
    return np.where(solid, 1, person).astype(np.float32)
