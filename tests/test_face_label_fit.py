"""Fits find the maps that made their truth, and say rightly how well they do."""

import dataclasses

import numpy as np
import pytest

from experiments.tools import face_label_fit as fitting
from vasa_jax import arkit, types
from vasa_jax.portrait import gaze, landmark_labels, pose


@pytest.fixture(scope="module")
def frames():
    """Faces of ten people whose truth is linear in what is seen of them."""
    generator = np.random.default_rng(0)
    count = 400
    canonical, _ = pose.canonical_face()
    moves = generator.normal(0, 0.05, (6, *canonical.shape))
    amounts = generator.uniform(0, 1, (count, 6))
    points = canonical + np.einsum("nk,kpc->npc", amounts, moves)
    eyes = generator.normal(0, 0.05, (count, 2, 21, 2))
    identity = np.array([f"person {number % 10}" for number in range(count)])
    weights = np.zeros((count, arkit.NUM_UNITS))
    weights[:, arkit.index("jawOpen")] = amounts[:, 0]
    made = fitting.Frames(
        set_name=np.full(count, "made"),
        identity=identity,
        clip=np.array([f"clip {number // 4}" for number in range(count)]),
        points=(80 * points).astype(np.float32),
        eyes=(80 * eyes).astype(np.float32),
        gaze=np.zeros((count, 2)),
        arkit=weights,
        emotion=np.repeat(generator.integers(8, size=count // 4), 4),
        strength=np.full(count, 0.5),
    )
    known = fitting.tell_gaze(made, np.array([9, 0.8, 0.1]), np.array([0.1, 7, 0.5]))
    return dataclasses.replace(made, gaze=known)


def test_the_numbers_of_gaze_are_found_again(frames):
    yaw_by, pitch_by = fitting.fit_gaze(frames)
    np.testing.assert_allclose(yaw_by, [9, 0.8, 0.1], atol=1e-3)
    np.testing.assert_allclose(pitch_by, [0.1, 7, 0.5], atol=1e-3)
    told = gaze.gaze_between_lids(frames.eyes, frames.fit)
    own = fitting.tell_gaze(frames, np.array(gaze.YAW_BY), np.array(gaze.PITCH_BY))
    np.testing.assert_allclose(told, own, atol=1e-5)


def test_frames_with_shut_eyes_teach_no_gaze(frames):
    shut = frames.arkit.copy()
    shut[:200, list(arkit.BLINKS)] = 1
    wrong = frames.gaze.copy()
    wrong[:200] = 5
    other = dataclasses.replace(frames, arkit=shut, gaze=wrong)
    np.testing.assert_allclose(fitting.fit_gaze(other)[0], [9, 0.8, 0.1], atol=1e-3)


def test_units_are_told_for_people_who_taught_nothing(frames):
    folds = fitting.folds_of(frames)
    for one in np.unique(frames.identity):
        assert len(set(folds[frames.identity == one])) == 1
    fitter = fitting.UnitFitter(frames, folds)
    unseen = fitting.chosen(frames, folds == 0)
    told = fitting.estimate_units(unseen, fitter.solve(without=(0,)))
    found = fitting.correlations(told, unseen.arkit)
    assert found[arkit.index("jawOpen")] > 0.9
    assert np.isnan(found[arkit.index("cheekPuff")])
    assert not np.allclose(fitter.solve()[0], fitter.solve(without=(0,))[0])


def test_a_unit_is_known_where_every_kind_that_shows_it_agrees():
    first = np.full(arkit.NUM_UNITS, np.nan)
    second = first.copy()
    first[:4], second[:4] = [0.5, 0.5, 0.5, 0.2], [0.4, 0.1, np.nan, 0.9]
    known = fitting.known_units([first, second])
    assert known[:5].tolist() == [True, False, True, False, False]


def test_an_emotion_is_read_out_of_the_units_that_show_it():
    generator = np.random.default_rng(1)
    emotion = generator.integers(len(types.EMOTIONS), size=300)
    units = generator.normal(0, 0.05, (300, arkit.NUM_UNITS))
    units[np.arange(300), emotion] += 1
    weights, bias = fitting.fit_emotion(units, emotion)
    told = landmark_labels.softmax(units @ weights + bias)
    share, low, high = fitting.class_accuracy(told, emotion)
    assert share > 0.98 and low <= share <= high
    assert fitting.class_accuracy(told[::-1], emotion)[0] < 0.3


def test_rare_emotions_weigh_as_much_as_common_ones():
    emotion = np.array([0] * 90 + [1] * 10)
    always = np.tile(np.eye(8)[0], (100, 1))
    assert fitting.class_accuracy(always, emotion)[0] == pytest.approx(0.5)


def test_clips_are_averaged_and_untold_emotions_left_out(frames):
    none = frames.emotion.copy()
    none[:4] = fitting.NO_EMOTION
    some = dataclasses.replace(frames, emotion=none)
    values = np.arange(len(none), dtype=float)[:, None]
    means, first = fitting.clip_means(some, values)
    assert len(means) == 99 and 0 not in first
    row = np.flatnonzero(first == 8)[0]
    assert means[row, 0] == pytest.approx(9.5)


def test_angles_are_those_of_directions_on_a_sphere():
    told, truth = np.deg2rad([[10.0, 0], [90, 0]]), np.deg2rad([[0.0, 0], [0, 60]])
    np.testing.assert_allclose(fitting.angles(told, truth), [10, 90], atol=1e-6)
