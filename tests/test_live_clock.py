"""Twenty-five ticks a second, later after a stall."""

import asyncio

import numpy as np
import pytest

from vasa_jax.live import clock


class _Ended(Exception):
    pass


def _run(num_ticks, stalls):
    """Return the times of ticks in a time of our own; `stalls` are by tick number."""
    time, ticks = [100.0], []

    async def sleep(seconds):
        time[0] += seconds

    one = clock.Clock(lambda: time[0], sleep)

    def tick():
        ticks.append(time[0])
        time[0] += stalls.get(len(ticks), 0.0)
        if len(ticks) == num_ticks:
            raise _Ended

    with pytest.raises(_Ended):
        asyncio.run(one.run(tick))
    return one, np.diff(ticks)


def test_ticks_are_a_twenty_fifth_of_a_second_apart():
    one, steps = _run(50, {})
    np.testing.assert_allclose(steps, 0.04, atol=1e-9)
    assert one.num_stalls == 0


def test_small_lateness_is_made_up_for_and_does_not_add_up():
    one, steps = _run(51, {10: 0.05, 30: 0.03})
    assert steps.sum() == pytest.approx(2.0)
    assert one.num_stalls == 0


def test_after_a_stall_time_runs_later_and_no_backlog_is_sent():
    one, steps = _run(50, {10: 1.0})
    assert one.num_stalls == 1
    assert one.stalled_seconds == pytest.approx(0.96)
    assert steps.max() == pytest.approx(1.0)
    np.testing.assert_allclose(np.delete(steps, steps.argmax()), 0.04, atol=1e-9)
