"""Moving eyes of photographs: where irises go, and what the eye then shows."""

import numpy as np

from datasets.photo_heads.parts import eyes
from vasa_jax.portrait import pose

RADIUS = 0.06


def test_mirrored_discs_keep_heights_and_swap_sides():
    layers, _ = _layers()
    swapped = layers.disc[eyes.MIRRORED_DISC]
    np.testing.assert_allclose(swapped, layers.disc * [-1, 1], atol=1e-12)


def test_lids_follow_the_eyes_down_a_little_and_up_less():
    open_eyes = np.zeros(2)
    down = eyes.lid_closing(open_eyes, np.array([0.0, 0.25]))
    up = eyes.lid_closing(open_eyes, np.array([0.0, -0.25]))
    assert (down > 0.1).all() and (down < 0.3).all()
    np.testing.assert_allclose(up, -eyes.LARGEST_LIFT)
    np.testing.assert_array_equal(eyes.lid_closing(open_eyes, np.array([0.3, 0.0])), 0)


def test_shut_lids_stay_shut_wherever_the_eyes_look():
    for pitch in (-0.25, 0.25):
        closing = eyes.lid_closing(np.ones(2), np.array([0.0, pitch]))
        np.testing.assert_array_equal(closing, 1)


def _almond():
    """A rim of 24 points: the upper lid to the right, then the lower one back."""
    angle = np.pi + np.arange(24) * 2 * np.pi / 24
    return np.stack([0.15 * np.cos(angle), 0.07 * np.sin(angle)], axis=1)


def _layers():
    rim = _almond()
    depth = -1 + 0.2 * rim[:, 0]
    return eyes.eye_layers(rim, depth, np.zeros(2), np.eye(2) * RADIUS), rim


def test_layers_lie_behind_the_rims_on_one_plane():
    layers, rim = _layers()
    points = layers.on_surface(rim)
    np.testing.assert_allclose(points[:, 2], -1 + 0.2 * rim[:, 0] + eyes.SET_BACK)
    seen = points[:, :2] / (1 + points[:, 2:] / pose.CAMERA_DISTANCE)
    np.testing.assert_allclose(seen, rim, atol=1e-12)


def test_all_triangles_of_the_layers_are_wound_like_the_screen():
    layers, _ = _layers()
    for points, triangles in (
        (layers.white, layers.white_triangles),
        (layers.disc, layers.disc_triangles),
    ):
        a, b, c = (points[triangles[:, k]] for k in range(3))
        area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1])
        area -= (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
        assert (area > 0).all()


def test_what_iris_or_lids_hid_is_not_genuine():
    layers, _ = _layers()
    middle = layers.white[layers.white_triangles].mean(axis=1)
    behind_iris = np.linalg.norm(middle, axis=1) < RADIUS - eyes.TOLERANCE
    behind_lids = np.abs(middle) > np.array([0.15, 0.07]) + eyes.TOLERANCE
    behind_lids = behind_lids[:, 1]
    assert not layers.is_white_photographed[behind_iris | behind_lids].any()
    assert layers.is_white_photographed.any()
    assert layers.is_disc_photographed.all()
