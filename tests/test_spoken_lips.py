"""Lips of denoisers against those of people who spoke."""

import numpy as np

from experiments.tools import spoken_lips
from vasa_jax.speech import speech


def test_mouths_shut_for_p_and_in_silence_and_open_for_vowels():
    said = (
        speech.Phoneme(0.4, 0.8, "ɑ"),
        speech.Phoneme(0.8, 0.92, "p"),
        speech.Phoneme(0.92, 1.3, "ɑ"),
    )
    aperture = spoken_lips.said_aperture(said, num_frames=50)
    assert aperture[15] > 0.3 and aperture[28] > 0.3
    assert abs(aperture[21]) < 0.05 and np.abs(aperture[45:]).max() < 0.05


def test_checkpoints_are_compared_voice_by_voice():
    first = [{"correlation": c, "lag": 0.0} for c in (0.1, 0.5, 0.9)]
    better = [{"correlation": c + 0.05, "lag": 1.0} for c in (0.1, 0.5, 0.9)]
    assert spoken_lips.compare(better, first) == (
        "0.550, +0.050 [+0.050 to +0.050], lags 1, 1, 1"
    )
