"""One endless performance, driven job by job and tick by tick."""

import clocked
import numpy as np
import pytest

from experiments.tools import flashing_face
from vasa_jax.animate import controls
from vasa_jax.live import performance, voice_queue

STEP = 6400
LOUD = 0.8


class _Stage:
    """A performance whose jobs take as long as they are told, in ticks."""

    def __init__(self):
        face = flashing_face.FlashingFace(image_size=4)
        portrait = face.locate(np.zeros((4, 4, 3), np.uint8))
        self.stream = face.stream(portrait, controls.Controls())
        self.voice = voice_queue.VoiceQueue(STEP)
        self.performance = performance.Performance(
            self.stream, portrait.image, self.voice
        )

    def compute(self, seconds=0.01):
        """Do all that is to be done now; a frame is said to take so long."""
        for next_job in (self.performance.next_step, self.performance.next_frame):
            while (job := next_job()) is not None:
                job.done(job.run(), seconds)

    def play(self, count, seconds=0.01):
        ticks = []
        for _ in range(count):
            self.compute(seconds)
            ticks.append(self.performance.tick())
        return ticks


def _brightness(ticks):
    return np.array([tick.frame.mean() / 255 for tick in ticks])


def _loudness(ticks):
    return np.array([np.abs(tick.samples).max() for tick in ticks])


def test_without_a_voice_every_tick_has_a_frame_and_silence():
    ticks = _Stage().play(60)
    assert all(tick.is_new and not tick.is_held for tick in ticks)
    assert not _loudness(ticks).any()
    assert np.isnan([tick.came for tick in ticks]).all()


def test_sound_and_picture_are_of_one_time():
    stage = _Stage()
    stage.play(7)
    stage.voice.push(LOUD * (np.arange(24_000) % 8000 < 3000).astype(np.float32), 0.0)
    ticks = stage.play(90)
    assert _loudness(ticks).max() == pytest.approx(LOUD)
    np.testing.assert_allclose(_brightness(ticks), _loudness(ticks), atol=0.01)


def test_nothing_of_a_voice_is_lost_or_moved():
    stage = _Stage()
    voice = np.linspace(0.1, 0.9, 20_000, dtype=np.float32)
    stage.voice.push(voice, 0.0)
    played = np.concatenate([tick.samples for tick in stage.play(80)])
    (spoken,) = np.nonzero(played)
    np.testing.assert_array_equal(played[spoken[0] : spoken[-1] + 1], voice)


def test_frames_that_take_too_long_are_shown_longer_and_stay_with_the_sound():
    stage = _Stage()
    stage.play(40, seconds=0.1)
    assert stage.performance.stride == 3
    stage.voice.push(np.full(16_000, LOUD, np.float32), 0.0)
    ticks = stage.play(90, seconds=0.1)
    share_new = np.mean([tick.is_new for tick in ticks])
    assert 0.25 < share_new < 0.45
    assert not any(tick.is_held for tick in ticks)
    difference = np.flatnonzero(np.abs(_brightness(ticks) - _loudness(ticks)) > 0.01)
    assert len(difference) <= 2 * stage.performance.stride  # About either edge.


def test_without_motion_time_stands_still_in_silence_and_goes_on_later():
    stage = _Stage()
    voice = np.linspace(0.1, 0.9, 12_000, dtype=np.float32)
    stage.voice.push(voice, 0.0)
    ticks = stage.play(12)
    lead = stage.performance.lead_frames
    stalled = [stage.performance.tick() for _ in range(40)]  # The device hangs.
    assert sum(tick.is_held for tick in stalled) > 5
    assert all(not tick.samples.any() for tick in stalled if tick.is_held)
    assert stage.performance.lead_frames > lead
    ticks += stalled + stage.play(60)
    played = np.concatenate([tick.samples for tick in ticks if not tick.is_held])
    (spoken,) = np.nonzero(played)
    np.testing.assert_array_equal(played[spoken[0] : spoken[-1] + 1], voice)


@pytest.mark.parametrize("step_seconds, frame_seconds", [(0.48, 0.05), (0.1, 1.5)])
def test_where_either_takes_all_the_time_the_face_does_not_freeze(
    step_seconds, frame_seconds
):
    stage = _Stage()
    stage.voice.push(np.full(160_000, LOUD, np.float32), 0.0)
    ticks = clocked.play(stage.performance, 500, step_seconds, frame_seconds)
    assert sum(tick.is_new for tick in ticks) >= 10
    if step_seconds > 0.4:
        assert sum(tick.is_held for tick in ticks) > 50


def test_frames_that_take_half_a_step_longer_than_time_come_evenly():
    stage = _Stage()
    stage.voice.push(np.full(480_000, LOUD, np.float32), 0.0)
    ticks = clocked.play(stage.performance, 750, step_seconds=0.23, frame_seconds=0.07)
    new = np.flatnonzero([tick.is_new for tick in ticks])
    assert set(np.diff(new[new > 100])) == {2}
    assert not any(tick.is_held for tick in ticks[100:])


def test_peace_lets_steps_begin_later_again():
    stage = _Stage()
    stage.play(20)
    for _ in range(40):
        stage.performance.tick()
    lead = stage.performance.lead_frames
    stage.play(600)
    assert stage.performance.lead_frames < lead


def test_clear_silences_the_voice_at_once_and_the_face_soon_without_a_jump():
    stage = _Stage()
    stage.voice.push(np.full(160_000, LOUD, np.float32), 0.0)
    before = stage.play(60)
    assert before[-1].samples.max() == pytest.approx(LOUD)
    stage.performance.clear()
    assert not stage.performance.is_speaking
    after = stage.play(60)
    assert not after[0].samples[performance.FADE_SAMPLES :].any()
    assert not _loudness(after[1:]).any()
    brightness = _brightness(before[-1:] + after)
    assert not brightness[12:].any()  # Before a step's length has passed.
    assert np.abs(np.diff(brightness)).max() < LOUD / 3  # Blended over.
    assert all(tick.is_new for tick in after[10:])


def test_a_voice_after_clear_is_whole_and_in_time():
    stage = _Stage()
    stage.voice.push(np.full(50_000, 0.1, np.float32), 0.0)
    stage.play(41)
    stage.performance.clear()
    stage.play(3)
    stage.voice.push(np.full(9000, LOUD, np.float32), 0.0)
    ticks = stage.play(60)
    assert np.concatenate([tick.samples for tick in ticks]).sum() == pytest.approx(
        9000 * LOUD, rel=1e-3
    )
    np.testing.assert_allclose(_brightness(ticks[8:]), _loudness(ticks[8:]), atol=0.01)


@pytest.mark.parametrize("num_before", [55, 57, 59, 60])
@pytest.mark.parametrize("num_ticks", [0, 1, 5, 8, 11, 14, 17, 25, 40])
def test_clear_may_come_again_at_any_time_after_a_clear(num_before, num_ticks):
    stage = _Stage()
    stage.voice.push(np.full(160_000, LOUD, np.float32), 0.0)
    stage.play(num_before)
    stage.performance.clear()
    stage.play(num_ticks)
    stage.voice.push(np.full(9000, LOUD, np.float32), 0.0)
    stage.play(3)
    stage.performance.clear()
    after = stage.play(60)
    assert not _loudness(after[1:]).any()
    assert not _brightness(after[12:]).any()
    stage.voice.push(np.full(9000, LOUD, np.float32), 0.0)
    ticks = stage.play(60)
    assert _brightness(ticks).max() == pytest.approx(LOUD, abs=0.01)


def test_a_frame_that_was_being_rendered_at_a_clear_is_not_shown_after_it():
    stage = _Stage()
    stage.voice.push(np.full(160_000, LOUD, np.float32), 0.0)
    stage.play(50)
    while (step := stage.performance.next_step()) is None:
        stage.performance.tick()
    step.done(step.run(), 0.01)
    late = stage.performance.next_frame()
    frame = late.run()
    assert frame.mean() == pytest.approx(LOUD * 255, abs=1)
    stage.performance.clear()
    again = stage.performance.next_step()
    again.done(again.run(), 0.01)
    late.done(frame, 0.01)
    after = [stage.performance.tick() for _ in range(30)]
    assert not any(tick.is_new for tick in after[1:])


def test_clear_before_anything_was_made_does_nothing():
    stage = _Stage()
    stage.performance.clear()
    assert all(tick.is_new for tick in stage.play(20))


def test_clear_while_time_stands_still_goes_on_afterwards():
    stage = _Stage()
    stage.voice.push(np.full(50_000, LOUD, np.float32), 0.0)
    stage.play(30)
    for _ in range(40):
        stage.performance.tick()
    stage.performance.clear()
    after = stage.play(40)
    assert not _loudness(after[1:]).any()
    assert not _brightness(after[20:]).any()


def test_controls_reach_the_stream_with_the_next_step():
    stage = _Stage()
    stage.play(10)
    asked = controls.Controls(gaze=(10.0, 0.0))
    stage.performance.set_controls(asked)
    stage.play(12)
    assert stage.stream.motion.controls == asked


@pytest.mark.parametrize("num_ticks", range(12))
def test_controls_outlive_a_clear(num_ticks):
    stage = _Stage()
    stage.voice.push(np.full(64_000, LOUD, np.float32), 0.0)
    stage.play(20)
    asked = controls.Controls(liveliness=2.0)
    stage.performance.set_controls(asked)
    stage.play(num_ticks)
    stage.performance.clear()
    stage.play(40)
    assert stage.performance._stream.controls == asked


@pytest.mark.parametrize("seed", range(8))
def test_whatever_comes_in_whatever_order_frames_and_sound_go_on(seed):
    stage, rng = _Stage(), np.random.default_rng(seed)
    slowness = rng.choice([0.02, 0.1, 0.3, 0.6])
    lanes, said = clocked.Lanes(stage.performance), 0
    for _ in range(1500):
        event = rng.random()
        if event < 0.02:
            stage.performance.clear()
        elif event < 0.06:
            count = int(rng.integers(1, 30_000))
            stage.voice.push(np.full(count, 0.5, np.float32), 0.0, bool(seed % 2))
            said += count
        lanes.advance(lambda: slowness * rng.random() * 2 + 1e-3)
        tick = stage.performance.tick()
        assert tick.samples.shape == (640,) and tick.frame.shape == (4, 4, 3)
    stage.performance.clear()
    lanes.finish()
    stage.voice.push(np.full(8000, LOUD, np.float32), 0.0)
    ticks = stage.play(120)
    played = np.concatenate([tick.samples for tick in ticks])
    assert np.sum(played == np.float32(LOUD)) == 8000
