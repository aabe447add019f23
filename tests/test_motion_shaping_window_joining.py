"""Windows that are led out of one another, and heads that do not tremble."""

import numpy as np

from vasa_jax.motion.shaping import window_joining


def windows(seed=0):
    generator = np.random.default_rng(seed)
    walk = generator.normal(size=(2, 40, 10)).cumsum(axis=1)
    return walk[:, 10:].astype(np.float32) + 5.0, walk[:, :10].astype(np.float32)


def test_the_first_frame_follows_the_last_and_later_ones_stay():
    motion, previous = windows()
    joined = window_joining.join(motion, previous)
    expected = 1.5 * previous[:, -1] - 0.5 * previous[:, -2]
    np.testing.assert_allclose(joined[:, 0], expected, rtol=1e-4, atol=1e-4)
    pose, dynamics = slice(0, 6), slice(6, None)
    for channels, length in (
        (pose, window_joining.POSE_FRAMES),
        (dynamics, window_joining.DYNAMICS_FRAMES),
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
    np.testing.assert_allclose(window_joining.join(motion, previous), motion, atol=1e-5)


def test_one_previous_frame_is_enough():
    motion, previous = windows()
    joined = window_joining.join(motion, previous[:, -1:])
    np.testing.assert_allclose(joined[:, 0], previous[:, -1], rtol=1e-4, atol=1e-4)


def test_a_head_that_goes_on_evenly_is_left_as_it_is_and_lips_always_are():
    time = np.arange(1, 31, dtype=np.float32)[None, :, None]
    motion = np.repeat(0.1 * time, 10, axis=2)
    motion[..., 6:] = np.random.default_rng(0).normal(size=(1, 30, 4))
    steadied = np.array(window_joining.steady(motion, np.zeros((1, 1, 10), np.float32)))
    np.testing.assert_array_equal(steadied[..., 6:], motion[..., 6:])
    np.testing.assert_allclose(steadied[:, :-1, :6], motion[:, :-1, :6], atol=1e-6)


def test_trembling_of_the_head_is_quartered_but_slow_turns_stay():
    noise = np.random.default_rng(1).normal(size=(4, 200, 6)).astype(np.float32)
    steadied = np.array(window_joining.steady(noise, noise[:, :1]))
    ratio = np.diff(steadied, 2, axis=1).std() / np.diff(noise, 2, axis=1).std()
    assert 0.2 < ratio < 0.3
    turn = np.sin(2 * np.pi * np.arange(200) / 50)[None, :, None].repeat(6, 2)
    slow = np.array(window_joining.steady(turn.astype(np.float32), turn[:, :1]))
    assert slow[:, 10:-10].std() > 0.99 * turn[:, 10:-10].std()
