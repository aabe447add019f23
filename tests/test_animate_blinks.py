"""Blinks at a rate: as many as asked for, whatever the windows."""

import numpy as np
import pytest

from vasa_jax.animate import blinks


def _count(lids):
    return int(np.sum((lids[1:] == 1) & (lids[:-1] < 1)))


@pytest.mark.parametrize("rate", [6.0, 30.0, 60.0])
def test_lids_close_as_often_as_asked(rate):
    minutes = 20
    rates = np.full(minutes * 60 * 25, rate)
    _, lids = blinks.blink(blinks.BlinkClock(seed=3), rates)
    assert _count(lids) == pytest.approx(minutes * rate, rel=0.12)


def test_at_rate_zero_nothing_blinks_and_lids_stay_within_zero_and_one():
    clock, lids = blinks.blink(blinks.BlinkClock(seed=3), np.zeros(1000))
    assert not lids.any()
    _, lids = blinks.blink(clock, np.full(5000, 60.0))
    assert lids.min() == 0 and lids.max() == 1


def test_windows_of_any_length_blink_alike_and_seeds_differ():
    rates = np.linspace(0, 60, 1500)
    _, whole = blinks.blink(blinks.BlinkClock(seed=3), rates)
    clock, pieces = blinks.BlinkClock(seed=3), []
    for piece in np.split(rates, [1, 2, 9, 300, 301, 1200]):
        clock, lids = blinks.blink(clock, piece)
        pieces.append(lids)
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    _, other = blinks.blink(blinks.BlinkClock(seed=4), rates)
    assert np.any(other != whole)


def test_a_blink_is_over_before_the_next_begins():
    _, lids = blinks.blink(blinks.BlinkClock(seed=0), np.full(20_000, 60.0))
    starts = np.flatnonzero((lids[1:] > 0) & (lids[:-1] == 0))
    assert np.diff(starts).min() >= len(blinks.BLINK)
