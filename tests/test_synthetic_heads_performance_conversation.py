"""Brows, smiles, lids and eyes do in a talk what people's do in conversation."""

import itertools

import numpy as np
import pytest

from datasets.synthetic_heads.performance import (
    blinks,
    expressions,
    gaze,
    phrasing,
    visemes,
)
from tests import synthetic_talks
from vasa_jax import arkit

TIMES = visemes.frame_times(synthetic_talks.NUM_FRAMES)
ONE_ACCENT = phrasing.Phrasing(*map(np.array, ([5.0], [9.0], [7.0], [1.0])))
SILENCE = phrasing.Phrasing(*np.zeros((4, 0)))


def unit(name):
    return arkit.index(name)


@pytest.fixture(scope="module")
def talks():
    return [synthetic_talks.draw(seed).phrases for seed in range(40)]


def looked(phrases, seed):
    """Return degrees `[T, 2]` from the listener."""
    generator = np.random.default_rng([seed, 3])
    wanted = gaze.look(np.zeros(2), len(TIMES), phrases, generator)
    return np.degrees(wanted)


def blinked(phrases, seed):
    wanted = np.radians(looked(phrases, seed))
    return blinks.blink(wanted, phrases, np.random.default_rng([seed, 2]))


def starts_of(lids):
    return TIMES[1:][(lids[1:] > 0.3) & (lids[:-1] <= 0.3)]


def test_brows_rise_within_a_fifth_of_a_second_of_accents():
    lags = []
    for seed in range(40):
        generator = np.random.default_rng(seed)
        rise = expressions.brows(TIMES, ONE_ACCENT, 1.0, generator)
        rise = rise[:, unit("browInnerUp")]
        # What comes on top of brows that stay up through the phrase.
        top = rise > rise.max() - 1e-3
        if rise.max() > 0.2 and top.mean() < 0.05:
            lags.append(np.abs(TIMES[top] - 7.0).min())
    assert len(lags) > 12 and max(lags) < 0.2


def test_brows_vary_and_one_side_leads(talks):
    shown = np.stack(
        [
            expressions.brows(TIMES, phrases, 1.0, np.random.default_rng(seed))
            for seed, phrases in enumerate(talks)
        ]
    )
    inner = shown[..., unit("browInnerUp")]
    sides = shown[..., unit("browOuterUpLeft")] - shown[..., unit("browOuterUpRight")]
    assert 0.2 < np.median(inner.std(axis=1)) < 0.45
    assert 0.05 < np.median(sides.std(axis=1)) < 0.3
    assert shown.max() < 1
    assert 0.6 < np.mean(inner < 0.1) < 0.9
    calm = expressions.brows(TIMES, talks[0], 0.4, np.random.default_rng(0))
    assert calm.std() < 0.6 * shown[0].std()


def test_brows_rest_in_silence():
    assert not expressions.brows(TIMES, SILENCE, 1.0, np.random.default_rng(0)).any()


def test_smiles_come_and_go():
    smiles = np.stack(
        [
            expressions.smiles(TIMES, 1.0, np.random.default_rng(seed))
            for seed in range(40)
        ]
    )[..., unit("mouthSmileLeft")]
    share = np.mean(smiles > 0.1, axis=1)
    assert 0.1 < np.mean(share) < 0.35
    onsets = np.sum((smiles[:, 1:] > 0.1) & (smiles[:, :-1] <= 0.1), axis=1)
    assert 1 <= np.mean(onsets) <= 3 and smiles.max() > 0.9
    assert np.abs(np.diff(smiles, axis=1)).max() < 0.3


def test_people_blink_thirty_times_a_minute(talks):
    lids = [blinked(phrases, seed) for seed, phrases in enumerate(talks)]
    rates = np.array([3 * len(starts_of(lid)) for lid in lids])
    assert 26 < rates.mean() < 38 and rates.std() > 5
    runs = [
        len(list(run))
        for lid in lids
        for shut, run in itertools.groupby(lid > 0.5)
        if shut
    ]
    assert 2.5 < np.mean(runs) < 4.2
    assert all(0 <= lid.min() and lid.max() <= 1 for lid in lids)


def test_blinks_cluster_at_the_ends_of_phrases_and_at_shifts_of_gaze(talks):
    near_end, near_shift, all_blinks = 0, 0, 0
    end_frames, shift_frames = [], []
    for seed, phrases in enumerate(talks):
        blinks_at = starts_of(blinked(phrases, seed))
        jumps = np.linalg.norm(np.diff(looked(phrases, seed), axis=0), axis=1) > 8
        at_end = np.abs(TIMES[:, None] - phrases.ends - 0.1).min(axis=1) < 0.25
        at_shift = np.convolve(jumps, np.ones(5), "same")[: len(TIMES) - 1] > 0
        frames = np.round(blinks_at * 25 - 0.5).astype(int).clip(0, len(TIMES) - 2)
        near_end += at_end[frames].sum()
        near_shift += at_shift[frames].sum()
        all_blinks += len(frames)
        end_frames.append(at_end.mean())
        shift_frames.append(at_shift.mean())
    assert near_end / all_blinks > 1.4 * np.mean(end_frames)
    assert near_shift / all_blinks > 1.4 * np.mean(shift_frames)


def test_speakers_look_away_at_the_start_of_long_phrases_and_back_at_their_end(talks):
    first, last = [], []
    for seed, phrases in enumerate(talks):
        off = np.linalg.norm(looked(phrases, seed), axis=1) > 7
        for start, end in zip(phrases.starts, phrases.ends, strict=True):
            if end - start > 2:
                first.append(off[(TIMES > start + 0.2) & (TIMES < start + 0.6)].mean())
                last.append(off[(TIMES > end - 0.2) & (TIMES < end)].mean())
    assert np.mean(first) > 0.4 and np.mean(first) > 2 * np.mean(last)


def test_the_listener_stays_what_is_looked_at_most(talks):
    looks = np.stack([looked(phrases, seed) for seed, phrases in enumerate(talks)])
    off = np.linalg.norm(looks, axis=-1)
    assert np.median(off) < 4 and 0.12 < np.mean(off > 7) < 0.4
    silent = np.stack([looked(SILENCE, seed) for seed in range(40)])
    assert np.mean(np.linalg.norm(silent, axis=-1) > 7) < 0.5 * np.mean(off > 7)
    assert (np.abs(looks) <= (36.001, 22.001)).all()


def test_fixations_last_a_fifth_of_a_second_and_longer(talks):
    path = looked(SILENCE, 1)
    changes = np.flatnonzero(np.any(np.diff(path, axis=0) != 0, axis=1))
    assert np.median(np.diff(changes)) >= 8
