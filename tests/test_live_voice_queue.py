"""What the face is still to say, in steps."""

import numpy as np

from vasa_jax.live import voice_queue

STEP = 6400


def _tone(count, start=1):
    return np.arange(start, start + count, dtype=np.float32)


def _taken(queue, count):
    return np.concatenate([queue.take()[0] for _ in range(count)])


def test_an_empty_queue_gives_silence_that_came_from_nobody():
    samples, times, positions = voice_queue.VoiceQueue(STEP).take()
    assert samples.shape == (STEP,) and not samples.any()
    assert times.shape == (10,) and np.isnan(times).all()
    assert positions.shape == (STEP,) and (positions == voice_queue.SILENCE).all()


def test_a_whole_voice_comes_out_unbroken_whatever_its_length():
    for count in (100, 1600, 1700, 5000, STEP, 20_000, 23_456):
        queue = voice_queue.VoiceQueue(STEP)
        queue.push(_tone(count), seconds=0.0)
        taken = _taken(queue, 6)
        (spoken,) = np.nonzero(taken)
        np.testing.assert_array_equal(taken[spoken[0] : spoken[-1] + 1], _tone(count))


def test_a_live_voice_that_comes_unevenly_has_no_hole():
    queue = voice_queue.VoiceQueue(STEP)
    rng = np.random.default_rng(0)
    taken, pushed = [], 1
    for step in range(8):
        # Up to 0.1 s late, and made up for by the next.
        until = 1 + (step + 1) * STEP - rng.integers(0, 1400)
        queue.push(_tone(until - pushed, pushed), seconds=0.4 * step, is_live=True)
        pushed = until
        taken.append(queue.take()[0])
    taken = np.concatenate(taken)
    (spoken,) = np.nonzero(taken)
    taken = taken[spoken[0] :]
    np.testing.assert_array_equal(taken, _tone(len(taken)))


def test_what_a_live_voice_falls_behind_is_left_out():
    queue = voice_queue.VoiceQueue(STEP)
    queue.push(_tone(4 * 16_000), seconds=4.0, is_live=True)
    assert len(queue) == STEP + voice_queue.STORE_SAMPLES
    assert queue.num_left_out == 4 * 16_000 - len(queue)
    assert _taken(queue, 2).max() == 4 * 16_000


def test_pauses_are_left_out_first():
    queue = voice_queue.VoiceQueue(STEP)
    queue.push(np.zeros(9600, np.float32), seconds=0.6, is_live=True)
    queue.push(np.ones(8000, np.float32), seconds=1.1, is_live=True)
    taken = _taken(queue, 4)
    assert taken.sum() == 8000
    assert queue.num_left_out > 0


def test_nothing_of_a_voice_that_is_not_live_is_left_out():
    queue = voice_queue.VoiceQueue(STEP)
    queue.push(_tone(10 * 16_000), seconds=0.0)
    assert queue.num_left_out == 0 and len(queue) == 160_000


def test_clear_forgets_what_waits():
    queue = voice_queue.VoiceQueue(STEP)
    queue.push(_tone(20_000), seconds=0.0)
    queue.take()
    queue.clear()
    assert len(queue) == 0
    assert not queue.take()[0].any()


def test_times_tell_when_samples_came_or_were_due():
    queue = voice_queue.VoiceQueue(STEP)
    queue.push(_tone(12_000), seconds=5.0)
    times = queue.take().came
    np.testing.assert_allclose(times, 5.0 + 0.04 * np.arange(10))
    live = voice_queue.VoiceQueue(STEP)
    live.push(_tone(8000), seconds=5.0, is_live=True)
    times = live.take().came
    np.testing.assert_allclose(times, 4.5 + 0.04 * np.arange(10))


def test_places_tell_which_sample_of_all_that_were_pushed_each_is():
    queue = voice_queue.VoiceQueue(STEP)
    queue.push(_tone(9000), seconds=0.0)
    first = queue.take()
    queue.clear()  # 2600 samples go.
    queue.push(_tone(2000), seconds=1.0)
    second = queue.take()
    queue.take()
    np.testing.assert_array_equal(first.positions, first.samples - 1)
    voiced = second.samples > 0
    np.testing.assert_array_equal(
        second.positions[voiced], 9000 + second.samples[voiced] - 1
    )
    assert (second.positions[~voiced] == voice_queue.SILENCE).all()
