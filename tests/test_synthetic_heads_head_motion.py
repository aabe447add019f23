"""Heads move with the voice, by as much as it is lively."""

import numpy as np

from datasets.synthetic_heads.performance import gaze, head_motion, prosody


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


def test_accents_nod_the_head():
    """Without drift and gaze, averaged over chances, an accent lowers the face."""
    accent = np.zeros(75, np.float32)
    accent[30:36] = 1
    still = np.zeros(75, np.float32)
    curves = prosody.Prosody(still, still, accent, *np.full((2, 75), 0.9))
    pitches = [
        head_motion.move(
            curves,
            np.zeros(3),
            np.zeros((75, 2)),
            "neutral",
            0.0,
            1.0,
            np.random.default_rng(seed),
        ).rotation[:, 1]
        for seed in range(40)
    ]
    mean = np.mean(pitches, axis=0)
    assert mean[30:38].max() - mean[10:20].mean() > np.deg2rad(2.5)


def accented(num_accents: int) -> prosody.Prosody:
    """Return three seconds of a voice with accents at equal distances."""
    accent = np.zeros(75, np.float32)
    accent[np.linspace(5, 69, num_accents).astype(int)] = 1
    accent = prosody.smooth(accent, 1.5)
    always = np.full((2, 75), 0.66)
    return prosody.Prosody(accent, np.zeros(75, np.float32), accent, *always)


def moved(num_accents: int, liveliness: float) -> float:
    """Return by how many degrees heads deviate in time, over 40 chances."""
    glances = np.random.default_rng(0).normal(0, 0.08, (75, 2))
    curves = accented(num_accents)
    return np.mean(
        [
            head_motion.move(
                curves,
                np.zeros(3),
                glances,
                "neutral",
                0.0,
                liveliness,
                np.random.default_rng(seed),
            ).rotation.std(axis=0)
            for seed in range(40)
        ]
    ) * np.degrees(1)


def test_a_calm_voice_calms_the_head():
    sparse, usual, dense = (moved(count, 1.0) for count in (5, 9, 12))
    assert sparse < 0.6 * usual and usual < 0.8 * dense


def test_a_head_rests_in_pauses():
    silence = np.zeros(75, np.float32)
    accented, always = silence + 0.115, silence + 0.66
    fluent = prosody.Prosody(silence, silence, accented, silence, always)
    halting = prosody.Prosody(silence, silence, accented, silence, 0.7 * always)
    mute = prosody.Prosody(silence, silence, silence, silence, silence)
    np.testing.assert_allclose(head_motion.animation(fluent), 1, rtol=1e-3)
    np.testing.assert_allclose(head_motion.animation(halting), 0.343, rtol=1e-3)
    np.testing.assert_allclose(head_motion.animation(mute), 0.1, rtol=1e-3)


def test_some_people_move_less_than_others():
    generator = np.random.default_rng(0)
    drawn = [head_motion.random_liveliness(generator) for _ in range(300)]
    assert min(drawn) < 0.35 and max(drawn) > 1.05
    assert moved(9, min(drawn)) < 0.5 * moved(9, max(drawn))
