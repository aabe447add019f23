"""Vary the sound of a voice: room, noise, loudness."""

import numpy as np

from vasa_jax import types

_CLEAN_SHARE = 0.25
"""Clips whose sound stays clean but for its loudness. Ours: studio voices exist."""


def vary(waveform: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Record a clean voice in some room, through some microphone, with some noise.

    Ours: real voices come so; the face is made from the clean voice, so that a model
    learns to hear through it.

    Args:
        waveform: float32 `[S]` in [-1, 1].
        generator: source of chance.

    Returns:
        int16 `[S]`.
    """
    clean = generator.random() < _CLEAN_SHARE
    heard = waveform.astype(np.float64)
    if not clean:
        heard = tilt(heard, generator.uniform(-4, 4))
        if generator.random() < 0.5:
            heard = reverberate(heard, generator)
        level = np.sqrt(np.mean(np.square(heard)) + 1e-10)
        decibels = generator.uniform(12, 45)
        colour = generator.uniform(0, 1.6)
        noise = coloured_noise(len(heard), colour, generator)
        heard = heard + noise * max(level, 1e-3) * 10 ** (-decibels / 20)
    peak = np.abs(heard).max() + 1e-6
    loudness = 10 ** (generator.uniform(-18, -1) / 20)
    return np.round(heard / max(peak, 1e-3) * loudness * 32767).astype(np.int16)


def coloured_noise(
    num_samples: int, colour: float, generator: np.random.Generator
) -> np.ndarray:
    """Make noise of unit level whose power falls as frequency to the power `colour`.

    Ours: 0 is white, 1 is pink, as rooms and fans are.
    """
    spectrum = np.fft.rfft(generator.normal(size=num_samples))
    frequency = np.fft.rfftfreq(num_samples, 1 / types.SAMPLE_RATE_HZ)
    spectrum *= np.maximum(frequency, 40.0) ** (-colour / 2)
    noise = np.fft.irfft(spectrum, num_samples)
    return noise / (noise.std() + 1e-9)


def tilt(waveform: np.ndarray, decibels_per_octave: float) -> np.ndarray:
    """Tilt the spectrum about 1 kHz, as microphones do.

    Ours: at most 12 dB either way.
    """
    spectrum = np.fft.rfft(waveform)
    frequency = np.fft.rfftfreq(len(waveform), 1 / types.SAMPLE_RATE_HZ)
    octaves = np.log2(np.maximum(frequency, 60.0) / 1000.0)
    gain = np.clip(decibels_per_octave * octaves, -12, 12)
    return np.fft.irfft(spectrum * 10 ** (gain / 20), len(waveform))


def reverberate(waveform: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Put a voice into a room.

    Ours: a synthetic impulse response: the direct sound, a few early echoes and a
    decaying noise tail; nothing is delayed, so that lips and voice stay together.

    Args:
        waveform: float `[S]`.
        generator: source of chance.

    Returns:
        float64 `[S]`.
    """
    rate = types.SAMPLE_RATE_HZ
    decay_seconds = generator.uniform(0.15, 0.7)
    length = int(decay_seconds * rate)
    times = np.arange(length) / rate
    tail = generator.normal(size=length) * np.exp(-6.9 * times / decay_seconds)
    tail *= np.clip(times / 0.01, 0, 1)
    response = tail / np.sqrt(np.sum(np.square(tail))) * generator.uniform(0.1, 0.6)
    for _ in range(4):
        place = int(generator.uniform(0.002, 0.03) * rate)
        response[place] += generator.uniform(-0.35, 0.35)
    response[0] = 1.0
    size = len(waveform) + length
    heard = np.fft.irfft(
        np.fft.rfft(waveform, size) * np.fft.rfft(response, size), size
    )
    return heard[: len(waveform)]
