"""A voice is told from the room's noise, frame by frame."""

import pathlib

import numpy as np

from vasa_jax import audio
from vasa_jax.audio import voice_activity

VOICE = audio.load_waveform(
    pathlib.Path(__file__).parent.parent / "examples" / "voice.wav"
)


def _room(seconds, level=3e-4, seed=0):
    count = round(seconds * 25) * 640
    noise = np.random.default_rng(seed).normal(0, level, count)
    return noise.astype(np.float32)


def _spoken(level=3e-4):
    """Return a room, three seconds of speech in it, and the room again."""
    said = VOICE[: 3 * 16000]
    whole = np.concatenate([_room(1), said, _room(2)])
    return whole + _room(6, level, seed=1)


def test_speech_is_voice_and_the_room_is_not():
    for level in (3e-4, 3e-3):
        heard = voice_activity.voiced_frames(_spoken(level))
        assert heard.shape == (150,) and heard.dtype == bool
        assert not heard[:24].any() and not heard[108:].any()
        assert heard[30:98].mean() > 0.8


def test_a_fan_all_along_is_no_voice():
    assert voice_activity.voiced_frames(_room(6, level=0.02)).mean() < 0.1
    assert not voice_activity.voiced_frames(np.zeros(25 * 640, np.float32)).any()
    assert voice_activity.voiced_frames(np.zeros(0, np.float32)).shape == (0,)


def test_short_gaps_belong_to_the_voice_and_long_ones_do_not():
    tone = np.sin(np.arange(25 * 640) * 0.2).astype(np.float32) * 0.3
    for gap_frames, is_filled in ((5, True), (7, False)):
        sound = np.concatenate([_room(1), tone, _room(gap_frames / 25), tone, _room(1)])
        heard = voice_activity.voiced_frames(sound)
        assert heard[50 : 50 + gap_frames].all() == is_filled
        assert heard[25:50].all() and heard[50 + gap_frames :][:25].all()


def test_pauses_keep_away_from_speech():
    is_silent = np.ones(12, bool)
    is_silent[6] = False
    kept = np.flatnonzero(voice_activity.pauses(is_silent, margin=2))
    np.testing.assert_array_equal(kept, [0, 1, 2, 3, 9, 10, 11])


def test_quiet_frames_are_far_below_the_loudest():
    levels = np.repeat([1.0, 0.1, 0.01, 0.0], 640)
    quiet = voice_activity.quiet_frames(levels.astype(np.float32))
    np.testing.assert_array_equal(quiet, [False, False, True, True])
