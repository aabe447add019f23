"""Between lines it is silent for as long as is asked, whatever silence lines have."""

import numpy as np
import pytest

from vasa_jax import types
from vasa_jax.speech import pacing, speech

RATE = types.SAMPLE_RATE_HZ


def line(before, after, seconds=0.5, noise=0.0):
    """Return a hum within some silence, and its phoneme."""
    num = [round(part * RATE) for part in (before, seconds, after)]
    hum = 0.3 * np.sin(2 * np.pi * 200 * np.arange(num[1]) / RATE)
    waveform = np.concatenate([np.zeros(num[0]), hum, np.zeros(num[2])])
    waveform += noise * np.random.default_rng(0).normal(size=len(waveform))
    phoneme = speech.Phoneme(before, before + seconds, "m")
    return speech.Speech(waveform.astype(np.float32), (phoneme,), "hum")


def gaps(pieces):
    """Return seconds of silence before, between and after the hums."""
    waveform = np.concatenate([piece.waveform for piece in pieces])
    loud = np.flatnonzero(np.abs(waveform) > 0.01)
    inner = np.diff(loud)
    steps = [loud[0], *inner[inner > RATE // 100], len(waveform) - loud[-1]]
    return np.array(steps) / RATE


@pytest.mark.parametrize("around", [0.0, 0.03, 0.1, 0.7])
@pytest.mark.parametrize("pause", [0.02, 0.1, 0.5, 3.0])
def test_pauses_are_as_long_as_asked_whatever_silence_lines_have(around, pause):
    said = [(line(around, around), pause), (line(around, 2 * around), 0.25)]
    before, between, after = gaps(list(pacing.paced(said)))
    assert before <= 0.11
    np.testing.assert_allclose([between, after], [pause, 0.25], atol=0.01)


def test_noise_below_the_voice_is_not_heard():
    said = [(line(0.4, 0.4, noise=1e-3), 0.5), (line(0.4, 0.4, noise=1e-3), 0.5)]
    np.testing.assert_allclose(gaps(list(pacing.paced(said)))[1:], 0.5, atol=0.01)


def test_phonemes_stay_where_they_are_heard():
    for piece in pacing.paced([(line(0.3, 0.2), 0.5), (line(0.05, 0.4), 0.0)]):
        for phoneme in piece.phonemes:
            inside = piece.waveform[
                round(phoneme.start * RATE) : round(phoneme.end * RATE)
            ]
            assert len(inside) == pytest.approx(0.5 * RATE, abs=200)
            assert np.std(inside) > 0.2


def test_silent_and_empty_lines_only_pause():
    nothing = speech.Speech(np.zeros(0, np.float32), (), "")
    silent = speech.Speech(np.zeros(RATE // 2, np.float32), (), "")
    said = [(nothing, 1.0), (line(0.1, 0.1), 0.2), (silent, 0.3), (line(0, 0), 0.0)]
    before, between, _ = gaps(list(pacing.paced(said)))
    assert before == pytest.approx(1.1, abs=0.01)
    assert between == pytest.approx(1.0, abs=0.01)


def test_lines_are_said_when_their_pieces_are_asked_for():
    asked = []

    def said():
        for number in range(3):
            asked.append(number)
            yield line(0.1, 0.1), 0.2

    pieces = pacing.paced(said())
    assert not asked
    next(pieces)
    assert asked == [0]
    assert len(list(pieces)) == 3
