"""A microphone's sound in its place, at a usual level."""

import fractions

import av
import numpy as np
import pytest

from vasa_jax.live import microphone


def _frames(sound, rate=48_000, skipped=()):
    """Yield stereo frames of 20 ms, as aiortc does."""
    size = rate // 50
    for index in range(len(sound) // size):
        if index in skipped:
            continue
        piece = np.round(sound[index * size :][:size] * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(
            np.repeat(piece, 2)[None], format="s16", layout="stereo"
        )
        frame.sample_rate, frame.pts = rate, index * size
        frame.time_base = fractions.Fraction(1, rate)
        yield frame


def _heard(frames):
    one = microphone.Microphone()
    return np.concatenate([one.take(frame) for frame in frames])


def test_a_tone_comes_through_at_16_khz():
    time = np.arange(48_000) / 48_000
    heard = _heard(_frames(0.1 * np.sin(2 * np.pi * 440 * time)))
    assert len(heard) == pytest.approx(16_000, abs=40)
    spectrum = np.abs(np.fft.rfft(heard[:16_000] * np.hanning(len(heard[:16_000]))))
    assert spectrum.argmax() == pytest.approx(440, abs=1.1)


def test_a_hole_is_filled_with_silence_so_that_what_follows_is_in_time():
    sound = np.zeros(96_000)
    sound[80_000:80_048] = 0.5
    whole = _heard(_frames(sound))
    holed = _heard(_frames(sound, skipped=range(10, 30)))
    assert len(holed) == len(whole)
    assert abs(int(np.abs(whole).argmax()) - int(np.abs(holed).argmax())) <= 1


def test_a_hole_of_unknown_length_is_no_minute_of_silence():
    frames = list(_frames(np.zeros(48_000 * 5), skipped=range(1, 240)))
    assert len(_heard(frames)) < 16_000 * 1.4


def test_what_comes_again_is_left_out():
    first, second, *_ = _frames(np.zeros(48_000))
    one = microphone.Microphone()
    one.take(first)
    length = len(one.take(second))
    again, *_ = _frames(np.zeros(48_000))
    assert length > 0 and len(one.take(again)) == 0


@pytest.mark.parametrize("level_db", [-40, -23, -12])
def test_voices_are_brought_slowly_to_the_usual_level(level_db):
    rng = np.random.default_rng(0)
    voice = 10 ** (level_db / 20) * rng.normal(size=(1500, 320)).astype(np.float32)
    gain = microphone.SlowGain()
    out = np.stack([gain.level(piece) for piece in voice])
    level = 20 * np.log10(np.sqrt(np.mean(out[-100:] ** 2)))
    wanted = np.clip(-23, level_db - 12, level_db + 12)
    assert level == pytest.approx(wanted, abs=1.0)
    first = 20 * np.log10(np.sqrt(np.mean(out[0] ** 2)))
    assert first == pytest.approx(level_db, abs=1.0)


def test_pauses_do_not_lift_the_gain():
    gain = microphone.SlowGain()
    room = np.full(320, 1e-4, np.float32)
    for _ in range(2000):
        out = gain.level(room)
    np.testing.assert_allclose(out, room, rtol=1e-5)
