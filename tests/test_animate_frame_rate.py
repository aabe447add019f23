"""Motion at other frame rates, in time with the sound."""

import numpy as np
import pytest

from vasa_jax.animate import frame_rate
from vasa_jax.errors import UserError

RATES = [24, 25, 30, 50, 60]


def some_motion(num_frames, seed=0):
    generator = np.random.default_rng(seed)
    return generator.normal(size=(num_frames, 8)).astype(np.float32)


def resampled(pieces, rate):
    return np.concatenate(list(frame_rate.resample(pieces, rate)))


@pytest.mark.parametrize("rate", RATES)
def test_every_frame_shows_the_motion_of_the_middle_of_its_own_time(rate):
    num_frames = 40
    seconds = (np.arange(num_frames) + 0.5) / 25
    # Angles and dynamics that say what time it is.
    motion = np.float32(seconds[:, None] * [1.0, -2.0, 0.5])
    found = resampled([motion], rate)
    assert len(found) == num_frames * rate // 25
    middles = np.clip((np.arange(len(found)) + 0.5) / rate, seconds[0], seconds[-1])
    np.testing.assert_allclose(found, middles[:, None] * [1.0, -2.0, 0.5], atol=1e-5)


@pytest.mark.parametrize("rate", RATES)
def test_pieces_of_any_length_give_what_the_whole_gives(rate):
    motion = some_motion(53)
    whole = resampled([motion], rate)
    for lengths in ([1] * 53, [50, 3], [7, 1, 20, 25]):
        pieces = np.split(motion, np.cumsum(lengths)[:-1])
        np.testing.assert_array_equal(resampled(pieces, rate), whole)


@pytest.mark.parametrize("rate", [24, 30, 60])
def test_values_are_those_of_numpys_straight_lines(rate):
    motion = some_motion(30)
    found = resampled([motion[:13], motion[13:]], rate)
    times = (np.arange(len(found)) + 0.5) / rate * 25 - 0.5
    for channel in range(motion.shape[1]):
        expected = np.interp(times, np.arange(30), motion[:, channel])
        np.testing.assert_allclose(found[:, channel], expected, atol=1e-5)


def test_one_frame_and_no_motion_are_no_special_cases():
    motion = some_motion(1)
    np.testing.assert_array_equal(resampled([motion], 50), motion.repeat(2, axis=0))
    assert list(frame_rate.resample([], 50)) == []


@pytest.mark.parametrize("rate", [0, 23, 61, 29.97])
def test_other_rates_are_refused(rate):
    with pytest.raises(UserError, match="24 to 60"):
        frame_rate.check(rate)
