"""THEval's definitions that need no network, by closed forms and plain loops."""

import itertools

import numpy as np
import pytest

from vasa_jax.evaluation.metrics import definition, theval
from vasa_jax.portrait import track

NUM_FRAMES = 50


@pytest.fixture
def points():
    """A face that stands still, `[50, 468, 2]`; its outer eye corners 100 apart."""
    face = np.random.default_rng(0).uniform(0, 200, (468, 2))
    face[theval.EYES[0]], face[theval.EYES[1]] = (50.0, 80.0), (150.0, 80.0)
    return np.repeat(face[None], NUM_FRAMES, axis=0)


def test_the_sets_of_landmarks_have_the_sizes_of_mediapipes():
    assert len(set(theval.LIPS)) == 40
    assert [len(set(brow)) for brow in theval.BROWS] == [10, 10]
    assert [len(set(rim)) for rim in theval.EYE_RIMS] == [16, 16]
    assert {*theval.UPPER_LIP, *theval.LOWER_LIP} < set(theval.LIPS)


def test_lips_are_lively_by_the_variance_of_all_their_distances(points):
    assert theval.lip_dynamics(points) == pytest.approx(0, abs=1e-12)
    moved = points.copy()
    moved[:, theval.LOWER_LIP, 1] += 5 * np.sin(np.arange(NUM_FRAMES))[:, None]
    expected = []
    for a, b in itertools.combinations(theval.LIPS, 2):
        apart = [np.hypot(*(frame[a] - frame[b])) / 100 for frame in moved]
        expected.append(np.var(apart))
    found = theval.lip_dynamics(moved)
    assert found == pytest.approx(np.mean(expected))
    # A larger picture of the same face moves alike.
    assert theval.lip_dynamics(3 * moved) == pytest.approx(found)


def test_brows_move_by_their_change_from_frame_to_frame(points):
    eyes = [points[0, rim].mean(axis=0) for rim in theval.EYE_RIMS]
    scale = np.hypot(*(eyes[0] - eyes[1]))
    for brow, eye in zip(theval.BROWS, eyes, strict=True):
        # Straight over its eye, up and down by 4 pixels in turn.
        points[:, brow] = eye - [0, 30]
        points[1::2, brow, 1] -= 4
    assert theval.brow_dynamics(points) == pytest.approx(4 / scale)


def test_heads_move_by_degrees_and_by_pixels(points):
    still = np.zeros((NUM_FRAMES, 3))
    assert theval.head_dynamics(still, points) == pytest.approx(0, abs=1e-9)
    turned = np.random.default_rng(1).normal(size=(NUM_FRAMES, 3))
    speeds = np.mean([np.var(np.diff(curve)) for curve in turned.T])
    spread = np.mean([np.std(curve) for curve in turned.T])
    assert theval.head_dynamics(turned, points) == pytest.approx(
        np.sqrt(spread * speeds)
    )
    away = points + np.array([3.0, 0.0]) * (np.arange(NUM_FRAMES) % 2)[:, None, None]
    # The variance of places is 1.5 squared along x and none along y.
    assert theval.head_dynamics(still, away) == pytest.approx(np.sqrt(1.5**2 / 2))


def test_a_mouth_that_follows_the_loudness_is_as_near_as_can_be():
    volume = np.abs(np.sin(np.arange(40) / 3)) + 0.1
    assert theval.mismatch(0.3 * volume + 0.2, volume) == pytest.approx(0, abs=1e-6)
    ends = np.array([0.0, 1.0])
    assert theval.mismatch(ends, 1 - ends) == pytest.approx(1)
    assert theval.restlessness(np.array([1.0, 1.0, 4.0])) == 1


def test_silence_counts_from_300_ms_on_and_little_speech_is_not_compared(points):
    generator = np.random.default_rng(0)
    waveform = np.zeros(NUM_FRAMES * 640, np.float32)
    waveform[20 * 640 :] = 0.2 * generator.normal(size=30 * 640)
    # The mouth is still where nobody speaks, but for one frame.
    points[20:, theval.LOWER_LIP, 1] += 9 * generator.uniform(size=(30, 1))
    found = track.ClipLandmarks(
        points=points, eyes=np.zeros((NUM_FRAMES, 2, 21, 2)), present=np.ones(50, bool)
    )
    rotation = np.zeros((NUM_FRAMES, 3))
    spoken = theval.scores(found, rotation, waveform)
    assert spoken.keys() == theval.Theval.rows.keys() - {theval.MEAN}
    assert spoken["theval/silence"] == pytest.approx(0, abs=1e-9)
    assert 0 < spoken["theval/sync"] < 1
    quiet = theval.scores(found, rotation, 0 * waveform)
    assert "theval/sync" not in quiet
    short = np.roll(waveform, -13 * 640)[: 37 * 640]
    short[:640] = 0.2
    assert "theval/silence" not in theval.scores(found, rotation, short)


def test_the_mean_is_of_closeness_to_the_originals_means():
    rows = [key for key in theval.Theval.rows if key != theval.MEAN]

    def clips(*pairs):
        return definition.State(
            {
                str(place): definition.Measured(
                    scores={key: definition.Score(value, ceiling=real) for key in rows}
                )
                for place, (value, real) in enumerate(pairs)
            }
        )

    finish = theval.Theval().finish
    assert finish(clips((2.0, 2.0)))[theval.MEAN].mean == 1
    # 1 and 3 beside 4 and 4: means of 2 and 4.
    found = finish(clips((1.0, 4.0), (3.0, 4.0)))
    assert found[theval.MEAN].mean == pytest.approx(0.5)
    assert "not its final score" in found[theval.MEAN].about
    assert finish(clips((1.0, np.nan)))[theval.MEAN].mean is None
