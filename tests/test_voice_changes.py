"""Lips of a changed voice are compared with those of the clean one, by each change."""

import numpy as np

from experiments.tools import voice_changes
from vasa_jax.audio import degradations
from vasa_jax.evaluation.benchmark import driven_videos


def test_every_change_is_asked_of_the_checkpoint(tiny_models, voice):
    performer = driven_videos.Performer(tiny_models)
    asked = voice_changes.apertures(performer, voice, seed=0)
    assert set(asked) == {"clean", voice_changes.ANOTHER_SEED, *degradations.CHANGES}
    assert {len(one) for one in asked.values()} == {len(voice) // 640}
    again = voice_changes.apertures(performer, voice, seed=0)
    np.testing.assert_array_equal(asked["music"], again["music"])


def test_the_table_has_correlation_and_lag_of_each_change():
    times = np.arange(100) / 25
    clean = np.sin(7 * times)
    late, other = np.roll(clean, 2), np.cos(7 * times)
    asked = [{"clean": clean, "opus": clean, "room": late}] * 2
    asked[1] = {"clean": clean, "opus": other, "room": late}
    _, _, opus, room = voice_changes.table(asked).splitlines()
    _, name, mean, least, lag, _ = (cell.strip() for cell in opus.split("|"))
    expected = np.corrcoef(other, clean)[0, 1]
    assert name == "opus" and abs(float(least) - expected) < 1e-3
    assert abs(float(mean) - (1 + expected) / 2) < 1e-3
    assert room.split("|")[4].strip() == "2"
