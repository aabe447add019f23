"""Samples of pictures between their pixels."""

import numpy as np

from vasa_jax.portrait import sampling


def test_samples_between_pixels_are_linear_and_the_edge_goes_on():
    y, x = np.mgrid[0:5, 0:7].astype(np.float64)
    places = np.array([[2.25, 1.5], [-3.0, 2.0], [6.0, 9.0]])
    found = sampling.bilinear(3 * x + 10 * y, places)
    np.testing.assert_allclose(found, [21.75, 20.0, 58.0])
    found = sampling.bilinear(np.stack([x, y], axis=-1), places)
    np.testing.assert_allclose(found[0], [2.25, 1.5])
