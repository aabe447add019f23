"""Cepstra are those of the published package."""

import math

import numpy as np
import pytest

from vasa_jax.audio import cepstra

# Of `_voice(720)`, by `_slow_mfcc` below, steps 0 and 2, coefficients 0 to 4 and 12.
FIXED = {
    0: (17.60860, -5.49991, 4.07309, -3.99080, 10.63761, -6.78436),
    2: (17.63664, -5.33925, 6.79140, 0.03409, 20.25700, -1.94214),
}


def _voice(num_samples):
    """Return two tones and a hiss, in units of 16-bit samples."""
    time = np.arange(num_samples) / 16_000
    hiss = np.sin(np.arange(num_samples) ** 2 * 0.7)
    return 3_000 * np.sin(2_000 * time) + 900 * np.sin(9_000 * time) + 200 * hiss


def _slow_mfcc(samples):
    """Compute cepstra sum by sum, without Fourier transforms or matrices."""

    def edge(j):
        top = 2595 * math.log10(1 + 8_000 / 700)
        hertz = 700 * (10 ** (top * j / 27 / 2595) - 1)
        return math.floor(513 * hertz / 16_000)

    before = [0, *samples[:-1]]
    emphasised = [s - 0.97 * b for s, b in zip(samples, before, strict=True)]
    emphasised += [0.0] * 400
    steps = max(0, math.ceil((len(samples) - 400) / 160)) + 1
    rows = []
    for step in range(steps):
        frame = np.array(emphasised[160 * step : 160 * step + 400])
        frame = np.pad(frame, (0, 400 - len(frame)))
        power = []
        for k in range(257):
            turns = 2 * np.pi * k * np.arange(400) / 512
            real, imaginary = frame @ np.cos(turns), frame @ np.sin(turns)
            power.append((real**2 + imaginary**2) / 512)
        bands = []
        for j in range(26):
            low, middle, high = edge(j), edge(j + 1), edge(j + 2)
            rising = [power[i] * (i - low) / (middle - low) for i in range(low, middle)]
            falling = [
                power[i] * (high - i) / (high - middle) for i in range(middle, high)
            ]
            bands.append(math.log(sum(rising) + sum(falling)))
        row = [math.log(sum(power))]
        for order in range(1, 13):
            wave = [
                band * math.cos(math.pi * order * (2 * j + 1) / 52)
                for j, band in enumerate(bands)
            ]
            lift = 1 + 11 * math.sin(math.pi * order / 22)
            row.append(lift * math.sqrt(2 / 26) * sum(wave))
        rows.append(row)
    return np.array(rows)


def test_cepstra_equal_sums_written_out():
    samples = _voice(720)
    found = cepstra.mfcc(samples)
    assert found.shape == (3, 13)
    np.testing.assert_allclose(found, _slow_mfcc(samples), atol=1e-8)


def test_cepstra_have_their_fixed_values():
    found = cepstra.mfcc(_voice(720))
    for step, values in FIXED.items():
        np.testing.assert_allclose(
            found[step, [0, 1, 2, 3, 4, 12]], values, atol=1e-5, err_msg=f"{step}"
        )


def test_cepstra_equal_those_of_the_published_package():
    package = pytest.importorskip("python_speech_features")
    samples = np.rint(_voice(16_000 + 77)).astype(np.int16)
    for part in (samples, samples[:100], 0 * samples[:1_000]):
        expected = package.mfcc(part, 16_000)
        found = cepstra.mfcc(part)
        assert found.shape == expected.shape
        print(f"largest difference {np.abs(found - expected).max():.2e}")
        np.testing.assert_allclose(found, expected, atol=1e-8)


def test_a_hundred_steps_last_a_second_and_silence_is_finite():
    assert len(cepstra.mfcc(np.zeros(16_000))) == 99
    assert len(cepstra.mfcc(np.zeros(10))) == 1
    assert np.isfinite(cepstra.mfcc(np.zeros(16_000))).all()


def test_each_filter_peaks_at_one_and_ends_where_its_neighbours_peak():
    filters = cepstra.mel_filters()
    assert filters.shape == (257, 26)
    np.testing.assert_array_equal(filters.max(axis=0), 1)
    peaks = filters.argmax(axis=0)
    assert (np.diff(peaks) > 0).all()
    for j in range(1, 25):
        assert filters[peaks[j - 1], j] == filters[peaks[j + 1], j] == 0
