"""How often a frame is rendered, on a clock of its own."""

import clocked
import numpy as np
import pytest

from experiments.tools import flashing_face
from vasa_jax.animate import controls
from vasa_jax.live import pace, performance, voice_queue

STEP_SECONDS = 0.2


def _played(seconds, frame_seconds, step_seconds=STEP_SECONDS):
    """Return the ticks, and the stride at each."""
    face = flashing_face.FlashingFace(image_size=4)
    portrait = face.locate(np.zeros((4, 4, 3), np.uint8))
    one = performance.Performance(
        face.stream(portrait, controls.Controls()),
        portrait.image,
        voice_queue.VoiceQueue(6400),
    )
    strides = []

    def take(at):
        strides.append((at, one.stride))
        return frame_seconds(at) if callable(frame_seconds) else frame_seconds

    ticks = clocked.play(one, round(25 * seconds), step_seconds, take)
    return ticks, strides


def _gaps(ticks, since=0.0):
    """Return the ticks from each new picture to the next, from a time on."""
    return np.diff(
        [i for i, tick in enumerate(ticks) if tick.is_new and i > 25 * since]
    )


@pytest.mark.parametrize(
    "frame_seconds, stride",
    [(0.01, 1), (0.034, 1), (0.05, 2), (0.068, 2), (0.075, 2), (0.1, 3), (0.3, 8)],
)
def test_frames_come_evenly_and_as_often_as_they_can(frame_seconds, stride):
    ticks, _ = _played(30, frame_seconds)
    assert set(_gaps(ticks, since=8)) == {stride}
    assert not any(tick.is_held for tick in ticks[200:])


def test_frames_that_take_a_little_too_long_are_left_out_now_and_then():
    ticks, strides = _played(60, 0.084)
    assert {stride for at, stride in strides if at > 5} == {2}
    gaps = _gaps(ticks, since=8)
    assert np.mean(gaps == 2) > 0.8 and gaps.max() <= 4


def test_a_machine_that_falls_behind_for_two_seconds_comes_back_to_its_stride():
    ticks, strides = _played(40, lambda at: 0.35 if 10 <= at < 12 else 0.06)
    assert {stride for at, stride in strides if 3 < at < 10} == {2}
    assert max(stride for at, stride in strides if 10 < at < 16) >= 4
    assert {stride for at, stride in strides if at > 17} == {2}
    assert set(_gaps(ticks, since=17)) == {2}


def test_a_stall_of_two_seconds_changes_no_stride():
    has_stalled = []

    def take(at):
        if at < 10 or has_stalled:
            return 0.06
        has_stalled.append(at)
        return 2.0

    ticks, strides = _played(30, take)
    assert has_stalled and {stride for at, stride in strides if at > 3} == {2}
    assert set(_gaps(ticks, since=12.5)) == {2}


def test_a_step_that_stalls_delays_the_sound_for_no_longer_than_it_must():
    has_stalled = []

    def step(at):
        if at < 10 or has_stalled:
            return STEP_SECONDS
        has_stalled.append(at)
        return 2.0

    ticks, _ = _played(60, 0.06, step)
    assert 25 < sum(tick.is_held for tick in ticks[75:]) < 50
    assert not any(tick.is_held for tick in ticks[25 * 13 :])
    assert set(_gaps(ticks, since=13)) == {2}


@pytest.mark.parametrize("seed", range(4))
def test_times_that_differ_from_frame_to_frame_let_the_stride_rest(seed):
    rng = np.random.default_rng(seed)
    ticks, strides = _played(300, lambda at: rng.uniform(0.05, 0.085))
    since = [stride for at, stride in strides if at > 30]
    assert np.count_nonzero(np.diff(since)) <= 4
    assert np.mean(_gaps(ticks, since=30) == 2) > 0.9


def test_a_machine_that_is_slower_the_more_it_renders_tries_ever_less_often():
    one, times, now = pace.Pace(), [], 0.0
    while now < 600:
        before = one.stride
        one.note_frame(0.09 if before <= 2 else 0.06)
        now += before / 25
        if one.stride > before:
            times.append(now)
    assert len(times) < 20
    assert times[-1] - times[-2] > 30


def test_steps_are_begun_as_late_as_they_can_be():
    one = pace.Pace()
    for _ in range(20):
        for seconds in (0.15, 0.2, 0.25):
            one.note_step(seconds)
        one.note_frame(0.055)
    assert one.lead_frames == 7  # 0.25 s, and a frame after 0.2 s is as long.
    one.note_step(5.0)  # One that was held up.
    assert one.lead_frames == 7
