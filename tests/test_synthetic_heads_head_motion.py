"""Heads move as in conversation, with the voice, by as much as it is lively.

The bands hold medians of filmed interviews and speeches: standard deviations of 4.6,
4.0 and 3.5 degrees, ranges of 22, 16 and 13 within 10 s.
"""

import numpy as np
import pytest

from datasets.synthetic_heads.performance import (
    gaze,
    head_motion,
    phrasing,
    prosody,
    visemes,
)
from tests import synthetic_talks


def moved(talk, seed, liveliness=1.0, emotion="neutral", strength=0.0, base=(0, 0, 0)):
    """Return degrees `[T, 3]` of a head that moves with a talk."""
    generator = np.random.default_rng([seed, 3])
    num_frames = len(talk.curves.energy)
    wanted = gaze.look(np.zeros(2), num_frames, talk.phrases, generator)
    rotation = head_motion.move(
        talk.curves,
        talk.phrases,
        np.deg2rad(base),
        wanted,
        emotion,
        strength,
        liveliness,
        generator,
    ).rotation
    return np.degrees(rotation.astype(np.float64))


@pytest.fixture(scope="module")
def talks():
    return [synthetic_talks.draw(seed) for seed in range(40)]


@pytest.fixture(scope="module")
def heads(talks):
    return np.stack([moved(talk, seed) for seed, talk in enumerate(talks)])


def shares_of_power(degrees):
    """Return shares below 0.5 Hz, from 0.5 to 1, from 1 to 2, and above 2 Hz."""
    window = np.hanning(len(degrees))[:, None]
    spectrum = np.fft.rfft((degrees - degrees.mean(axis=0)) * window, axis=0)
    power = (np.abs(spectrum) ** 2).sum(axis=1)
    hertz = np.fft.rfftfreq(len(degrees), 0.04)
    edges = ((0, 0.5), (0.5, 1), (1, 2), (2, 13))
    return [power[(a <= hertz) & (hertz < b)].sum() / power.sum() for a, b in edges]


def test_heads_spread_as_in_filmed_conversation(heads):
    spread = np.median(heads.std(axis=1), axis=0)
    np.testing.assert_array_less((3.7, 3.2, 2.8), spread)
    np.testing.assert_array_less(spread, (5.9, 4.8, 4.2))
    halves = heads.reshape(80, 250, 3)
    reach = np.median(np.ptp(halves, axis=1), axis=0)
    np.testing.assert_array_less((15, 12, 10), reach)
    np.testing.assert_array_less(reach, (26, 20, 17))


def test_heads_move_slowly_and_do_not_shake(heads):
    slow, phrases, accents, fast = np.median([shares_of_power(h) for h in heads], 0)
    assert 0.6 < slow < 0.82 and 0.1 < phrases < 0.27
    assert 0.04 < accents < 0.14 and 0.002 < fast < 0.04
    steps = np.abs(np.diff(heads, axis=1))
    assert 0.3 < np.median(steps.mean(axis=(1, 2))) < 0.6
    assert steps.max() < 5


def test_roll_goes_with_yaw_in_most_people(heads):
    coupled = [np.corrcoef(head.T)[0, 2] for head in heads]
    assert np.median(np.abs(coupled)) > 0.3
    assert 0.6 < np.mean(np.array(coupled) < 0) < 0.97


def test_heads_come_home_and_keep_from_their_limits(heads):
    means = heads.mean(axis=1)
    assert np.abs(means).max() < 9
    limits = np.degrees(head_motion._FARTHEST_OFFSET_RADIANS)
    assert (np.abs(heads) < limits).all()
    assert np.mean(np.abs(heads) > 0.8 * limits) < 0.03


def test_heads_far_from_the_camera_turn_no_farther(talks):
    head = moved(talks[0], 0, liveliness=1.6, base=(35, 14, 11))
    assert (np.abs(head) <= (45, 25, 20)).all()


def test_a_calm_reader_moves_by_four_tenths(talks, heads):
    calm = [moved(talk, seed, 0.4) for seed, talk in enumerate(talks[:20])]
    ratio = np.median(np.std(calm, axis=1) / heads[:20].std(axis=1), axis=0)
    np.testing.assert_allclose(ratio, 0.42, atol=0.08)


def test_heads_that_listen_move_less():
    talks = [synthetic_talks.draw(seed, listens=True) for seed in range(20)]
    heads = np.stack([moved(talk, seed) for seed, talk in enumerate(talks)])
    speed = np.abs(np.diff(heads, axis=1)).mean(axis=(0, 2))
    assert speed[:230].mean() < 0.6 * speed[280:].mean()


def test_nods_have_their_apex_at_accents():
    times = visemes.frame_times(75)
    one = phrasing.Phrasing(*map(np.array, ([0.2], [2.8], [1.5], [1.0])))
    lags, sizes = [], []
    for seed in range(60):
        nod = head_motion._accents(times, one, np.random.default_rng(seed))
        largest = np.abs(nod).max(axis=1)
        if largest.max() > 0:
            lags.append(times[largest.argmax()] - 1.5)
            sizes.append(np.degrees(nod[largest.argmax(), 1]))
    assert len(lags) > 45 and np.abs(lags).max() < 0.2
    assert np.abs(np.mean(lags)) < 0.04
    down = np.mean(np.array(sizes) > 0.5)
    assert 0.5 < down < 0.8 and np.mean(np.array(sizes) < -0.5) > 0.05


def test_a_lively_voice_stirs_the_head():
    def stirred(accents, pitch, active):
        curves = (np.zeros(250), pitch, accents, active, active)
        curve = prosody.Prosody(*(np.full(250, c, np.float32) for c in curves))
        return head_motion.animation(curve)

    usual = stirred(0.105, 0.12, 0.62)
    np.testing.assert_allclose(usual, 1, rtol=1e-3)
    assert stirred(0.05, 0.05, 0.62).max() < 0.8
    assert stirred(0.16, 0.2, 0.7).min() > 1.2
    np.testing.assert_allclose(stirred(0, 0, 0), 0.35, rtol=1e-3)


def test_some_people_move_less_than_others():
    generator = np.random.default_rng(0)
    drawn = [head_motion.random_liveliness(generator) for _ in range(300)]
    assert 0.95 < np.median(drawn) < 1.05
    assert min(drawn) >= 0.4 and np.mean(np.array(drawn) < 0.7) > 0.08
    assert np.mean(np.array(drawn) > 1.4) > 0.08


def test_an_emotion_changes_no_chance(talks):
    calm, sad = (
        moved(talks[1], 1, emotion=emotion, strength=strength)
        for emotion, strength in (("neutral", 0.0), ("sadness", 1.0))
    )
    assert np.corrcoef(calm[:, 0], sad[:, 0])[0, 1] > 0.97
    assert (sad - calm)[:, 1].mean() > 4
    assert sad[:, 0].std() < 0.75 * calm[:, 0].std()


def test_some_heads_turn_far_and_none_turns_too_far():
    generator = np.random.default_rng(1)
    turns = np.array(
        [
            head_motion.random_base_turn(gaze.random_main_gaze(generator), generator)
            for _ in range(400)
        ]
    )
    yaw = np.rad2deg(np.abs(turns[:, 0]))
    assert 30 < yaw.max() <= 35
    assert 0.5 < np.mean(yaw < 12) < 0.85
