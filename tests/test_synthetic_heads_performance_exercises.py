"""Exercises: every expression weight is moved by itself."""

import dataclasses

import numpy as np
from performed import request

from datasets.synthetic_heads.performance import exercises, performance, visemes
from vasa_jax import arkit

TIMES = np.arange(4000) / 40


def exercised(seed=0):
    return exercises.exercise(TIMES, np.random.default_rng(seed))


def test_every_weight_is_exercised_but_gaze_lids_and_what_shuts_lips():
    moved = set(np.array(arkit.NAMES)[exercised().max(axis=0) > 0.5])
    left = {name for name in arkit.NAMES if name.startswith(("eyeLook", "eyeBlink"))}
    assert set(arkit.NAMES) - moved == left | {"mouthClose", "tongueOut"}
    known = visemes.expand(dict.fromkeys(exercises.UNITS, 1.0))
    assert known.max() == 1.0
    assert known.sum() == len(moved)


def test_weights_that_go_together_in_speech_are_told_apart():
    upper, lower, wide = (
        exercised()[:, arkit.index(name)]
        for name in ("mouthUpperUpLeft", "mouthLowerDownLeft", "mouthStretchLeft")
    )
    for one, other in ((upper, lower), (upper, wide), (lower, wide)):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.3


def test_weights_stay_in_their_range_and_move_smoothly():
    weights = exercised()
    assert weights.min() == 0.0
    assert weights.max() <= 1.0
    assert np.abs(np.diff(weights, axis=0)).max() < 0.6
    assert 0.5 < (weights > 0.2).any(axis=1).mean()


def test_exercises_leave_the_voice_and_hold_the_head():
    plain = performance.perform(request(7))
    other = performance.perform(dataclasses.replace(request(7), exercises=True))
    for name in ("audio", "main_gaze", "blink"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(other, name))
    assert not other.rotation.any()
    assert not other.translation.any()
    added = other.arkit - plain.arkit
    assert added.min() >= 0
    assert added.max() > 0.3
