"""Emotions show by their action units, in speech and in silence."""

import numpy as np
import pytest
from performed import lip_gaps, request

from datasets.synthetic_heads.performance import (
    emotions,
    expressions,
    performance,
    visemes,
)
from datasets.synthetic_heads.records import plan
from vasa_jax import arkit as arkit_lib
from vasa_jax import types
from vasa_jax.speech import speech


def test_the_mouth_rests_shut_in_silence_under_every_emotion():
    for seed, emotion in enumerate(types.EMOTIONS):
        generator = np.random.default_rng(seed)
        silence = np.zeros((20, 52), np.float32)
        weights = expressions.combine(
            silence,
            emotions.show(emotion, 1.0, 20, generator),
            np.zeros(20),
            np.zeros(20),
            visemes.rest((), 20, 0.1),
            np.zeros(20),
        )
        assert lip_gaps(weights).max() < 0.06, emotion


def test_a_bared_smile_parts_the_lips_in_silence_and_bilabials_shut_them():
    num_frames = 25
    smiles = [
        emotions.bared_smile(num_frames, np.random.default_rng(seed))
        for seed in range(12)
    ]
    for weights in smiles:
        gaps = lip_gaps(weights[[0, -1]])
        assert gaps.max() > 0.08
    # Some come or go, most stay.
    changes = [np.ptp(weights.max(axis=1)) > 0.5 for weights in smiles]
    assert 0 < sum(changes) < 8
    rest = np.zeros((num_frames, 52), np.float32)
    shut = np.ones(num_frames)
    shown = expressions.combine(rest, smiles[0], shut, 0 * shut, 0 * shut, 0 * shut)
    assert lip_gaps(shown).max() < 0.06


def test_only_some_happy_performances_bare_their_teeth():
    def bared(share):
        settings = plan.Settings(bared_smiles_share=share)
        clips = [c for i in range(60) for c in plan.clips_of(settings, i)]
        happy = [c for c in clips if c.request.emotion == "happiness"]
        assert not any(c.request.bares_teeth for c in clips if c not in happy)
        return np.mean([c.request.bares_teeth for c in happy])

    assert bared(0.0) == 0 and bared(1.0) == 1 and 0.2 < bared(0.5) < 0.8


def test_contempt_is_one_sided_and_happiness_is_not():
    left = arkit_lib.index("mouthSmileLeft")
    right = arkit_lib.index("mouthSmileRight")
    for emotion, low, high in (("happiness", 0, 0.35), ("contempt", 0.9, 1.01)):
        generator = np.random.default_rng(0)
        found = []
        for _ in range(12):
            weights = emotions.show(emotion, 1.0, 5, generator)[0]
            sides = weights[left], weights[right]
            if max(sides) > 0.05:
                found.append(1 - min(sides) / max(sides))
        assert low <= np.median(found) <= high, emotion


def test_a_contrasted_emotion_changes_the_face_and_nothing_else():
    angry = request(3, "anger", 1.0)
    happy = performance.contrast(angry, "happiness", 1.0)
    # A contrast of a contrast has the first one's voice, too.
    again = performance.contrast(happy, "anger", 1.0)
    first, other, back = map(performance.perform, (angry, happy, again))
    kept = ("waveform", "audio", "viseme", "blink", "main_gaze", "energy")
    for name in kept:
        np.testing.assert_array_equal(getattr(first, name), getattr(other, name))
    assert first.phonemes == other.phonemes and first.text == other.text
    for name in (*kept, "arkit", "rotation", "translation", "gaze"):
        np.testing.assert_array_equal(getattr(first, name), getattr(back, name))
    smile = arkit_lib.index("mouthSmileLeft")
    frown = arkit_lib.index("browDownLeft")
    assert np.median(other.arkit[:, smile] - first.arkit[:, smile]) > 0.6
    assert np.median(first.arkit[:, frown] - other.arkit[:, frown]) > 0.6
    shut = first.viseme == visemes.CLOSED_LIPS
    assert shut.any()
    assert max(lip_gaps(one.arkit[shut]).max() for one in (first, other)) < 0.03
    # The head keeps its movements, carried otherwise.
    turns = np.stack([first.rotation[:, 0], other.rotation[:, 0]])
    assert np.corrcoef(turns)[0, 1] > 0.98


def test_a_voice_is_coloured_by_its_own_emotion_only():
    sad = request(5, "sadness", 1.0)
    loud = performance.perform(performance.contrast(sad, "anger", 1.0))
    angry = performance.perform(request(5, "anger", 1.0))
    assert not np.array_equal(loud.waveform, angry.waveform)


PROTOTYPES = {
    "happiness": ("mouthSmileLeft", "mouthSmileRight", "cheekSquintLeft"),
    "sadness": ("browInnerUp", "mouthFrownLeft", "mouthFrownRight"),
    "anger": ("browDownLeft", "browDownRight"),
    "surprise": ("browInnerUp", "browOuterUpLeft", "eyeWideLeft"),
    "disgust": ("noseSneerLeft", "noseSneerRight", "mouthUpperUpLeft"),
    "fear": ("browInnerUp", "eyeWideLeft", "mouthStretchLeft"),
}


@pytest.mark.parametrize("emotion", PROTOTYPES)
def test_emotions_show_their_action_units_at_full_strength_and_hint_at_them(emotion):
    units = [arkit_lib.index(name) for name in PROTOTYPES[emotion]]
    for seed in range(20):
        full, hint = (
            emotions.show(emotion, strength, 25, np.random.default_rng(seed))[:, units]
            for strength in (1.0, 0.3)
        )
        assert full.min() > 0.4
        assert 0.12 < hint.min() and hint.max() < 0.36


def test_a_full_emotion_is_seen_in_speech_too():
    weights = emotions.show("happiness", 1.0, 50, np.random.default_rng(1))
    vowel = visemes.articulate((speech.Phoneme(0, 2, "ɑ"),), 50, np.ones(50))
    nothing = np.zeros(50)
    shown = expressions.combine(vowel, weights, nothing, nothing, nothing, nothing)
    corner = arkit_lib.index("mouthSmileLeft")
    assert shown[10:-10, corner].min() > 0.6
    np.testing.assert_allclose(lip_gaps(shown)[25], lip_gaps(vowel)[25], atol=0.12)


def test_the_mouth_falls_open_in_silent_surprise_and_not_in_sadness():
    for emotion, low, high in (("surprise", 0.6, 1.0), ("sadness", 0.0, 0.01)):
        weights = emotions.show(emotion, 1.0, 5, np.random.default_rng(0))
        parted = emotions.parted_lips(weights)
        assert low <= parted.min() and parted.max() <= high, emotion
