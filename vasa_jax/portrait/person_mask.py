"""Tell the person of a picture from the background."""

import numpy as np
from scipy import ndimage

from vasa_jax.portrait import networks, resample

GUIDE_RADIUS, GUIDE_EPSILON = 5, 2e-4
"""Reach in pixels, and noise, of the filter that draws the mask to edges. Ours: hair
ends within a few pixels."""

DOUBT_REACH, DOUBT, EDGE = 0.015, (0.15, 0.35), (0.7, 0.9)
"""Half side of the window in which edges differ from areas of doubt, share of the side;
values there that become 0 and 1; and contrasts in the window at which an area
ends and an edge begins. Ours, by eye."""

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
    mask = _decided(mask)
    return _main_part(_drawn_to_edges(mask, image.astype(np.float32) / 255))


def _decided(mask):
    """Decide for the person where the network is in doubt over a whole area.

    Ours: dark hair before a dark background is neither to it. Background that moves
    along with the head is seen less than hair that stays behind. Edges are left as they
    are: there the mask goes from 0 to 1 within the window.
    """
    size = 2 * round(DOUBT_REACH * len(mask)) + 1
    contrast = ndimage.maximum_filter(mask, size) - ndimage.minimum_filter(mask, size)
    least, most = DOUBT
    decided = np.clip((mask - least) / (most - least), 0, 1)
    first, last = EDGE
    edge = np.clip((contrast - first) / (last - first), 0, 1)
    return (decided + edge * (mask - decided)).astype(np.float32)


def _drawn_to_edges(mask, image):
    """Make the mask a linear function of the colours wherever it is unsure."""

    def mean(plane):
        return ndimage.uniform_filter(plane, 2 * GUIDE_RADIUS + 1)

    colours = [np.ascontiguousarray(image[..., channel]) for channel in range(3)]
    averages, mask_average = [mean(colour) for colour in colours], mean(mask)

    def spread(one, other):
        both = mean(colours[one] * colours[other]) - averages[one] * averages[other]
        return both + GUIDE_EPSILON if one == other else both

    covariance = [
        mean(colour * mask) - average * mask_average
        for colour, average in zip(colours, averages, strict=True)
    ]
    slope = _solved(spread, covariance)
    offset = mask_average - sum(s * a for s, a in zip(slope, averages, strict=True))
    fine = sum(mean(s) * c for s, c in zip(slope, colours, strict=True)) + mean(offset)
    near = ndimage.gaussian_filter(mask, 2)
    fine = np.where(np.abs(near - 0.5) < CERTAIN, fine, mask)
    return np.clip((fine - LOW) / (HIGH - LOW), 0, 1).astype(np.float32)


def _solved(spread, right):
    """Solve a symmetric system of three for every pixel, by Cramer's rule.

    Ours: `numpy.linalg.solve` takes 108 ms for 512 x 512 small ones, and this 6.
    """
    red, green, blue = spread(0, 0), spread(1, 1), spread(2, 2)
    red_green, red_blue, green_blue = spread(0, 1), spread(0, 2), spread(1, 2)
    adjugate = [
        [
            green * blue - green_blue**2,
            red_blue * green_blue - red_green * blue,
            red_green * green_blue - red_blue * green,
        ],
        [None, red * blue - red_blue**2, red_green * red_blue - red * green_blue],
        [None, None, red * green - red_green**2],
    ]
    determinant = (
        red * adjugate[0][0] + red_green * adjugate[0][1] + red_blue * adjugate[0][2]
    )
    return [
        sum(
            adjugate[min(row, column)][max(row, column)] * right[column]
            for column in range(3)
        )
        / determinant
        for row in range(3)
    ]


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
