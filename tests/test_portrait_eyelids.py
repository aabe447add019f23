"""Rims of lids, and what lies between them."""

import numpy as np

from vasa_jax.portrait import eyelids


def _almond():
    """A rim of 24 points: the upper lid to the right, then the lower one back."""
    angle = np.pi + np.arange(24) * 2 * np.pi / 24
    return np.stack([0.15 * np.cos(angle), 0.07 * np.sin(angle)], axis=1)


def test_a_rim_is_cut_at_the_corners_and_holds_what_lies_between():
    lids = eyelids.Lids.of_rim(_almond())
    assert (lids.upper[1:-1, 1] < 0).all() and (lids.lower[1:-1, 1] > 0).all()
    np.testing.assert_array_equal(lids.upper[[0, -1]], lids.lower[[0, -1]])
    places = np.array([[0.0, 0.0], [0.1, 0.04], [0.0, 0.08], [-0.16, 0.0]])
    np.testing.assert_array_equal(lids.contain(places), [True, True, False, False])
    np.testing.assert_allclose(lids.below_upper(places[0]), 0.07)


def test_lids_of_a_tilted_head_are_measured_across_the_eye():
    cos, sin = np.cos(0.5), np.sin(0.5)
    tilt = np.array([[cos, -sin], [sin, cos]])
    lids = eyelids.Lids.of_rim(_almond() @ tilt.T)
    np.testing.assert_allclose(lids.above_lower(tilt @ [0.0, 0.05]), 0.02, atol=1e-9)
