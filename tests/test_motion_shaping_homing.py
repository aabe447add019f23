"""Heads that come back to where they faced at first."""

import numpy as np
from test_motion_shaping_window_joining import windows

from vasa_jax.motion.shaping import homing


def test_a_head_comes_half_of_its_way_home_in_two_seconds_and_lips_do_not():
    motion, _ = windows()
    motion = np.tile(motion, (1, homing.HOME_FRAMES // motion.shape[1] + 2, 1))
    place, home = motion.mean(axis=1), np.ones_like(motion[:, 0])
    led = np.array(homing.lead_home(motion, homing.WindowMeans(place, home)))
    away = (place - home)[:, None, :6]
    np.testing.assert_allclose(
        motion[:, -1:, :6] - led[:, -1:, :6], 0.5 * away, rtol=1e-4
    )
    middle = homing.HOME_FRAMES // 2 - 1
    np.testing.assert_allclose(
        motion[:, middle, :6] - led[:, middle, :6], 0.25 * away[:, 0], rtol=1e-3
    )
    np.testing.assert_array_equal(led[..., 6:], motion[..., 6:])
    at_home = homing.WindowMeans(home, home)
    np.testing.assert_array_equal(homing.lead_home(motion, at_home), motion)


def test_the_first_window_says_where_home_is_and_each_where_it_was():
    motion, _ = windows()
    means = homing.no_windows(*motion[:, 0].shape)
    means = homing.next_means(motion, means, np.array(True))
    np.testing.assert_allclose(means.first, motion.mean(axis=1), rtol=1e-5)
    later = homing.next_means(motion + 2, means, np.array(False))
    np.testing.assert_array_equal(later.first, means.first)
    np.testing.assert_allclose(later.previous, motion.mean(axis=1) + 2, rtol=1e-5)
