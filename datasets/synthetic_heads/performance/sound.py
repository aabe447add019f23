"""Vary the sound of a voice: room, noise, loudness."""

import numpy as np

from vasa_jax import types
from vasa_jax.audio import degradations

_CLEAN_SHARE = 0.25
"""Clips whose sound stays clean but for its loudness. Ours: studio voices exist."""

_ROOM_SECONDS = (0.15, 0.7)
"""In which a room's sound dies away. Ours: from carpets to bare walls."""


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
            decay = generator.uniform(*_ROOM_SECONDS)
            heard = degradations.reverberate(heard, decay, generator)
        level = np.sqrt(np.mean(np.square(heard)) + 1e-10)
        decibels = generator.uniform(12, 45)
        colour = generator.uniform(0, 1.6)
        noise = degradations.coloured_noise(len(heard), colour, generator)
        heard = heard + noise * max(level, 1e-3) * 10 ** (-decibels / 20)
    peak = np.abs(heard).max() + 1e-6
    loudness = 10 ** (generator.uniform(-18, -1) / 20)
    return np.round(heard / max(peak, 1e-3) * loudness * 32767).astype(np.int16)


def tilt(waveform: np.ndarray, decibels_per_octave: float) -> np.ndarray:
    """Tilt the spectrum about 1 kHz, as microphones do.

    Ours: at most 12 dB either way.
    """
    spectrum = np.fft.rfft(waveform)
    frequency = np.fft.rfftfreq(len(waveform), 1 / types.SAMPLE_RATE_HZ)
    octaves = np.log2(np.maximum(frequency, 60.0) / 1000.0)
    gain = np.clip(decibels_per_octave * octaves, -12, 12)
    return np.fft.irfft(spectrum * 10 ** (gain / 20), len(waveform))
