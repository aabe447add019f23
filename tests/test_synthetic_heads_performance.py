"""Performances: voices, lips, eyes and heads do what people's do."""

import numpy as np
import pytest
from performed import lip_gaps, request

from datasets.synthetic_heads.performance import (
    gaze,
    performance,
    phrasing,
    prosody,
    visemes,
)
from datasets.synthetic_heads.rendering import scene
from vasa_jax import types
from vasa_jax.speech import speech


@pytest.fixture(scope="module")
def performances():
    emotions = ("neutral", "happiness", "surprise", "disgust", "fear", "sadness")
    return [
        performance.perform(request(seed, emotion, 0.8 * (emotion != "neutral")))
        for seed, emotion in enumerate(emotions)
    ]


def test_the_same_request_gives_equal_arrays_whatever_was_performed_before():
    first = performance.perform(request(7))
    performance.perform(request(8, "anger", 1.0))
    again = performance.perform(request(7))
    for name in ("waveform", "audio", "arkit", "rotation", "translation", "gaze"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert first.phonemes == again.phonemes


def test_a_performance_has_a_value_for_each_frame(performances):
    one = performances[0]
    assert one.audio.shape == (75 * types.SAMPLES_PER_FRAME,)
    assert one.audio.dtype == np.int16
    shapes = dict(viseme=(), arkit=(52,), blink=(), rotation=(3,), gaze=(2,))
    for name, shape in shapes.items():
        assert getattr(one, name).shape == (75, *shape), name


@pytest.mark.parametrize(
    "symbol, expected",
    [("p", ["PP"]), ("aɪ", ["aa", "ih"]), ("tʃ", ["CH"]), ("uː", ["ou"]), ("", ["sil"])]
    + [("ɑ̃", ["aa"]), ("ð", ["TH"]), ("ŋ", ["kk"]), ("ʘ", ["ax"])],
)
def test_phonemes_have_the_visemes_of_their_lips(symbol, expected):
    assert [visemes.VISEMES[index] for index in visemes.of_phoneme(symbol)] == expected


def test_segments_cover_the_time_without_gaps():
    phonemes = (speech.Phoneme(0.2, 0.3, "aɪ"), speech.Phoneme(0.5, 0.6, "m"))
    starts, ends, shapes = visemes.segments(phonemes, 1.0)
    np.testing.assert_allclose(starts[1:], ends[:-1])
    assert (starts[0], ends[-1]) == (0.0, 1.0)
    spelled = [visemes.VISEMES[shape] for shape in shapes]
    assert spelled == ["sil", "aa", "ih", "sil", "PP", "sil"]


def test_a_held_vowel_reaches_its_own_weights():
    phonemes = (speech.Phoneme(0.0, 4.0, "ɑ"),)
    weights = visemes.articulate(phonemes, 100, np.ones(100))
    expected = visemes.VISEME_WEIGHTS[visemes.VISEMES.index("aa")]
    np.testing.assert_allclose(weights[50], expected, atol=1e-3)


def test_lips_are_shut_in_bilabials_and_apart_in_open_vowels(performances):
    for one in performances:
        gaps = lip_gaps(one.arkit)
        shut = one.viseme == visemes.CLOSED_LIPS
        loud_vowel = (one.viseme == visemes.VISEMES.index("aa")) & (one.energy > 0.5)
        assert gaps[shut].max(initial=0) < 0.03, one.emotion
        if loud_vowel.any():
            assert gaps[loud_vowel].max() > 0.12, one.emotion


def test_every_bilabial_shuts_the_lips_in_some_frame(performances):
    for one in performances:
        held = visemes.closures(one.phonemes, 75, visemes.CLOSED_LIPS)
        for phoneme in one.phonemes:
            if phoneme.symbol in ("p", "b", "m") and 0.1 < phoneme.start < 2.8:
                middle = 0.5 * (phoneme.start + phoneme.end) * types.FRAME_RATE_HZ
                around = held[int(middle - 0.5) : int(middle + 1.5)]
                assert around.max() > 0.95, phoneme


def test_mouth_opening_goes_with_the_energy_of_the_voice(performances):
    at_lag = []
    for one in performances:
        gaps, energy = lip_gaps(one.arkit), one.energy
        at_lag.append(
            [
                np.corrcoef(gaps[8 + lag : 67 + lag], energy[8:67])[0, 1]
                for lag in (-6, -4, -2, 0, 2, 4, 6)
            ]
        )
    means = np.mean(at_lag, axis=0)
    assert means[3] > 0.4
    assert means.argmax() == 3


def test_main_gaze_fills_its_range_and_stays_in_it():
    generator = np.random.default_rng(0)
    draws = np.array([gaze.random_main_gaze(generator) for _ in range(600)])
    farthest = np.rad2deg(np.abs(draws).max(axis=0))
    assert 23 < farthest[0] <= 25 and 13.5 < farthest[1] <= 15


def test_gaze_stays_around_its_main_direction(performances):
    off = np.rad2deg([np.abs(one.gaze - one.main_gaze) for one in performances])
    usual = np.median(off, axis=1)
    assert (np.median(usual, axis=0) < (4, 3)).all()
    assert np.mean(off[..., 0] < 6) > 0.6
    for one in performances:
        assert np.rad2deg(np.abs(one.gaze)).max() < 38


def test_eyes_hold_the_gaze_while_the_head_turns():
    turn = np.linspace(-0.25, 0.25, 20)
    rotation = np.stack([turn, 0.3 * turn, -0.2 * turn], axis=1)
    wanted = np.tile([0.1, -0.05], (20, 1))
    camera = scene.camera(yaw=0.08, pitch=-0.05).axes.T
    eyes = gaze.in_head(wanted, rotation, camera)
    np.testing.assert_allclose(
        gaze.in_camera(eyes, rotation, camera), wanted, atol=1e-5
    )
    assert eyes[0, 0] > eyes[-1, 0] + 0.4


def test_eyes_stop_at_their_limits():
    wanted = np.tile([0.8, 0.5], (3, 1))
    eyes = gaze.in_head(wanted, np.zeros((3, 3)), np.eye(3))
    np.testing.assert_allclose(eyes[:, 0], gaze.EYE_YAW_RADIANS, rtol=1e-6)
    np.testing.assert_allclose(eyes[:, 1], gaze.EYE_PITCH_RADIANS, rtol=1e-6)


def test_heads_keep_within_a_natural_range(performances):
    for one in performances:
        assert np.rad2deg(np.abs(one.rotation)).max() < 46
        steps = np.rad2deg(np.abs(np.diff(one.rotation, axis=0)))
        assert 0.02 < steps.mean() < 1.0 and steps.max() < 5


def test_phrases_end_at_pauses_and_where_the_voice_says_so():
    times = ((0.2, 0.5), (0.5, 0.9), (1.0, 1.2), (1.5, 1.9), (1.9, 2.4))
    phonemes = tuple(
        speech.Phoneme(start, end, "a", ends_phrase=start == 1.5)
        for start, end in times
    )
    said = speech.Speech(np.zeros(48_000, np.float32), phonemes, "")
    accent = np.zeros(75, np.float32)
    accent[[12, 14, 40]] = 0.5, 0.9, 0.3
    silence = np.zeros(75, np.float32)
    curves = prosody.Prosody(silence, silence, accent, silence, silence)
    found = phrasing.of_speech(said, curves)
    np.testing.assert_allclose(found.starts, (0.2, 1.5, 1.9))
    np.testing.assert_allclose(found.ends, (1.2, 1.9, 2.4))
    np.testing.assert_allclose(found.accents, (0.58, 1.62))
    np.testing.assert_allclose(found.accent_sizes, (0.9, 0.3))


def test_a_silent_clip_has_no_phrases():
    silence = speech.Speech(np.zeros(48_000, np.float32), (), "")
    found = phrasing.of_speech(silence, prosody.measure(silence.waveform))
    assert not len(found.starts) and not len(found.accents)
