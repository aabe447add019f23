"""Cepstra of speech, a hundred a second.

Follows: the defaults of the package python_speech_features: 16 kHz, pre-emphasis 0.97,
frames of 25 ms every 10 ms without a taper, 512 points, 26 triangles from 0 to 8 kHz,
13 coefficients lifted by 22, the first one replaced by the logarithm of the frame's
energy.
"""

import functools

import numpy as np

from vasa_jax import types

NUM_COEFFICIENTS = 13

STEP_SAMPLES = 160
"""Follows: a step of 10 ms."""

_FRAME_SAMPLES = 400

_FFT_SIZE = 512

_NUM_FILTERS = 26

_PREEMPHASIS = 0.97

_LIFTER = 22

_LEAST = np.finfo(np.float64).eps


@functools.cache
def mel_filters() -> np.ndarray:
    """Return the triangles that sum power spectra into mel bands.

    Follows: python_speech_features: edges even on the scale 2595 log10(1 + f / 700),
    rounded down to bins of the spectrum; unit height.

    Returns:
        float64 `[257, 26]`.
    """
    top = 2595 * np.log10(1 + types.SAMPLE_RATE_HZ / 2 / 700)
    edges_hz = 700 * (10 ** (np.linspace(0, top, _NUM_FILTERS + 2) / 2595) - 1)
    edges = np.floor((_FFT_SIZE + 1) * edges_hz / types.SAMPLE_RATE_HZ)
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    bins = np.arange(_FFT_SIZE // 2 + 1)[:, None]
    rising = (bins - low) / (middle - low)
    falling = (high - bins) / (high - middle)
    return np.maximum(0, np.where(bins < middle, rising, falling))


@functools.cache
def _cosines() -> np.ndarray:
    """Return the orthonormal cosines and the lifter, float64 `[26, 13]`."""
    order = np.arange(NUM_COEFFICIENTS)
    centres = np.arange(_NUM_FILTERS)[:, None] + 0.5
    cosines = np.cos(np.pi * centres * order / _NUM_FILTERS)
    scale = np.sqrt(np.where(order == 0, 1, 2) / _NUM_FILTERS)
    lifter = 1 + _LIFTER / 2 * np.sin(np.pi * order / _LIFTER)
    return cosines * scale * lifter


def mfcc(samples: np.ndarray) -> np.ndarray:
    """Return cepstra, a hundred a second.

    Ours: in float64 on the host; a minute of speech takes some hundredths of a second.

    Args:
        samples: `[S]`, 16 kHz, in units of 16-bit samples (full scale at 32768).

    Returns:
        float64 `[L, 13]`, L = 1 + ceil((S - 400) / 160), at least 1; the last frame is
        filled with zeros.
    """
    samples = np.asarray(samples, np.float64)
    num_frames = 1 + max(0, -(-(len(samples) - _FRAME_SAMPLES) // STEP_SAMPLES))
    emphasised = samples.copy()
    emphasised[1:] -= _PREEMPHASIS * samples[:-1]
    length = (num_frames - 1) * STEP_SAMPLES + _FRAME_SAMPLES
    padded = np.pad(emphasised, (0, length - len(samples)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME_SAMPLES)
    spectrum = np.fft.rfft(frames[::STEP_SAMPLES], _FFT_SIZE)
    power = (spectrum.real**2 + spectrum.imag**2) / _FFT_SIZE
    bands = np.log(_above_zero(power @ mel_filters()))
    cepstra = bands @ _cosines()
    cepstra[:, 0] = np.log(_above_zero(power.sum(axis=1)))
    return cepstra


def _above_zero(values: np.ndarray) -> np.ndarray:
    return np.where(values == 0, _LEAST, values)
