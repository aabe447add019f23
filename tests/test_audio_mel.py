"""Mel spectra agree with their definition; levelling keeps silence dark."""

import os
import pathlib

import jax
import numpy as np
import pytest

from vasa_jax.audio import mel, windows


def _hertz_of_mel(value):
    """Return Slaney's scale as its author tells it: 15 mels to 1 kHz, then 27 steps."""
    return value * 200 / 3 if value < 15 else 1000 * 6.4 ** ((value - 15) / 27)


def test_filters_are_triangles_of_unit_area_between_slaney_edges():
    filters = mel.mel_filters()
    top = next(m for m in np.arange(0, 60, 1e-3) if _hertz_of_mel(m) >= 8_000)
    edges = [_hertz_of_mel(m) for m in np.linspace(0, top, 82)]
    bins = np.arange(201) * 40.0
    for band in (0, 10, 40, 79):
        low, middle, high = edges[band : band + 3]
        expected = np.interp(bins, [low, middle, high], [0, 1, 0]) * 2 / (high - low)
        np.testing.assert_allclose(filters[:, band], expected, atol=2e-5)


@pytest.mark.skipif(
    "VASA_FROZEN_WEIGHTS" not in os.environ, reason="needs Whisper's own filters"
)
def test_filters_equal_those_that_whisper_ships():
    folder = pathlib.Path(os.environ["VASA_FROZEN_WEIGHTS"])
    published = np.load(folder / "whisper_tiny_en/mel_filters.npz")["mel_80"]
    np.testing.assert_allclose(mel.mel_filters(), published.T, atol=1e-8)


def test_log_mel_equals_a_direct_transform():
    samples = np.random.default_rng(0).normal(size=1_600) * 0.1
    encoded = np.asarray(mel.log_mel(samples[None].astype(np.float32)))[0]
    assert encoded.shape == (10, 80)
    mirrored = np.concatenate([samples[200:0:-1], samples, samples[-2:-202:-1]])
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    waves = np.exp(-2j * np.pi * np.outer(np.arange(201), np.arange(400)) / 400)
    for step in range(10):
        segment = mirrored[160 * step : 160 * step + 400] * taper
        power = np.abs(waves @ segment) ** 2
        expected = np.log10(power @ mel.mel_filters())
        np.testing.assert_allclose(encoded[step], expected, atol=2e-4)


def test_a_sine_lights_the_band_around_its_frequency():
    sine = np.sin(2 * np.pi * 1_000 * np.arange(3_200) / 16_000).astype(np.float32)
    band = np.asarray(mel.log_mel(sine[None]))[0, 10].argmax()
    edges = mel.mel_filters()[:, band].nonzero()[0] * 40
    assert edges.min() <= 1_000 <= edges.max()


def _features(waveform):
    return mel.MelEncoder().features({}, waveform[None].astype(np.float32))[0]


def _noise(level, num_samples=16_000):
    return level * np.random.default_rng(1).normal(size=num_samples)


def test_gain_changes_the_loudness_channels_alone():
    loud, soft = _features(_noise(0.2)), _features(_noise(0.1))
    np.testing.assert_allclose(loud[:, :-2], soft[:, :-2], atol=1e-4)
    np.testing.assert_allclose(
        loud[:, -2:] - soft[:, -2:], 20 * np.log10(2) / 20, atol=1e-4
    )


def test_silence_stays_dark():
    speech, room, nothing = (_features(_noise(x)) for x in (0.1, 1e-4, 0.0))
    assert speech[:, :-2].max() == pytest.approx((mel.REFERENCE_PEAK + 4) / 4)
    assert room[:, :-2].max() < speech[:, :-2].max() - 0.5
    assert nothing[:, :-2].max() < room[:, :-2].min()
    np.testing.assert_allclose(nothing[:, -2:], -2.0, atol=1e-5)


def test_loudness_follows_its_definition():
    grid = windows.WindowGrid(hop_frames=2, frames_before=1, frames_after=0)
    window = np.zeros((1, 3 * 640), np.float32)
    window[0, 640:1280] = 0.1
    told = np.asarray(mel.loudness(window, grid))
    whole = (10 * np.log10(0.01 / 3) + 40) / 20
    np.testing.assert_allclose(told, [[[1.0, whole], [-2.0, whole]]], atol=1e-5)


def test_features_pass_gradients_to_the_waveform():
    encoder = mel.MelEncoder()
    window = _noise(0.1, encoder.grid.window_samples)[None].astype(np.float32)
    slope = jax.jit(jax.grad(lambda w: encoder.encode_windows({}, w).sum()))(window)
    assert np.isfinite(slope).all()
    assert np.abs(slope).max() > 0
