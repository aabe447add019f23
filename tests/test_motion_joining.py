"""Windows that are led out of one another."""

import numpy as np

from vasa_jax.motion import joining


def windows(seed=0):
    generator = np.random.default_rng(seed)
    walk = generator.normal(size=(2, 40, 10)).cumsum(axis=1)
    return walk[:, 10:].astype(np.float32) + 5.0, walk[:, :10].astype(np.float32)


def test_the_first_frame_follows_the_last_and_later_ones_stay():
    motion, previous = windows()
    joined = joining.join(motion, previous)
    expected = 1.5 * previous[:, -1] - 0.5 * previous[:, -2]
    np.testing.assert_allclose(joined[:, 0], expected, rtol=1e-4, atol=1e-4)
    pose, dynamics = slice(0, 6), slice(6, None)
    for channels, length in (
        (pose, joining.POSE_FRAMES),
        (dynamics, joining.DYNAMICS_FRAMES),
    ):
        np.testing.assert_array_equal(
            joined[:, length:, channels], motion[:, length:, channels]
        )
        assert (
            joined[:, length - 1, channels] != motion[:, length - 1, channels]
        ).all()


def test_a_window_that_goes_on_as_expected_is_left_as_it_is():
    motion, previous = windows()
    motion[:, 0] = 1.5 * previous[:, -1] - 0.5 * previous[:, -2]
    np.testing.assert_allclose(joining.join(motion, previous), motion, atol=1e-5)


def test_one_previous_frame_is_enough():
    motion, previous = windows()
    joined = joining.join(motion, previous[:, -1:])
    np.testing.assert_allclose(joined[:, 0], previous[:, -1], rtol=1e-4, atol=1e-4)
