"""How loud, how high and how accented a voice is, frame by frame.

Ours: head, brows and mouth follow these three curves, so that what the face does can
be learned from the sound. A voice that tells where its accents are and how high it is
spares the guess.
"""

import dataclasses

import numpy as np

from vasa_jax import types
from vasa_jax.speech import speech

_HOP = types.SAMPLES_PER_FRAME // 4
"""Samples between measurements: 10 ms. Ours: the usual step of speech analysis."""

_QUIETEST_VOICE = 2e-3
"""Root mean square below which nobody speaks. Ours: under the noise of recordings."""

_ACTIVE_LOUDNESS = 0.18
"""Share of a voice's loud parts above which it is heard to speak. Ours: 15 dB below
them, which noise seldom hides."""

_PITCH_FRAMES = 1.5
"""Half width over which pitch is smoothed. Ours: voicing comes and goes faster."""

_ACCENT_FRAMES = 2.0
"""Half width of an accent. Ours: about a syllable."""

_FARTHEST_OCTAVES = 0.8
"""Ours: what is higher or lower was misheard, or breaks."""

_PITCH_WINDOW = 640
_LOWEST_PITCH_HZ, _HIGHEST_PITCH_HZ = 65.0, 420.0


@dataclasses.dataclass(frozen=True)
class Prosody:
    """Curves of a voice at the video's frame rate.

    Attributes:
        energy: float32 `[T]` loudness, about 1 where the voice is loud, 0 in silence.
        pitch: float32 `[T]` log2 of pitch over the clip's median, octaves; 0 where
            unvoiced, smoothed.
        accent: float32 `[T]` in [0, 1], peaks on accented syllables.
        speaking: float32 `[T]` in [0, 1], 1 while somebody speaks, slow.
        active: float32 `[T]` share of the frame in which the voice is well audible.
    """

    energy: np.ndarray
    pitch: np.ndarray
    accent: np.ndarray
    speaking: np.ndarray
    active: np.ndarray


def of_speech(said: speech.Speech) -> Prosody:
    """Return the prosody of a voice: what it tells, and the rest measured.

    Ours: loudness is the waveform's own either way; accents and pitch are guessed only
    where the voice does not tell them.

    Args:
        said: S samples.

    Returns:
        `Prosody` with T = S // 640 frames.
    """
    measured = measure(said.waveform)
    if said.pitch is None:
        return measured
    num_frames = len(measured.energy)
    samples = said.pitch[: num_frames * types.SAMPLES_PER_FRAME]
    octaves = samples.clip(-_FARTHEST_OCTAVES, _FARTHEST_OCTAVES)
    octaves = octaves.reshape(num_frames, types.SAMPLES_PER_FRAME).mean(axis=1)
    return dataclasses.replace(
        measured,
        pitch=smooth(octaves, _PITCH_FRAMES),
        accent=_given_accents(said.phonemes, num_frames),
    )


def measure(waveform: np.ndarray) -> Prosody:
    """Measure the prosody of a clean voice.

    Ours: root mean square of 25 ms, autocorrelation pitch, rises of smoothed energy.

    Args:
        waveform: float32 `[S]` at 16 kHz.

    Returns:
        `Prosody` with T = S // 640 frames.
    """
    num_frames = len(waveform) // types.SAMPLES_PER_FRAME
    energy = _energy(waveform)
    pitch, voiced = _pitch(waveform, energy)
    accent = np.clip(_accents(energy), 0, 1)
    speaking = smooth(np.clip(energy * 8, 0, 1), 12)
    frames = [_to_frames(curve, num_frames) for curve in (energy, pitch * voiced)]
    return Prosody(
        energy=frames[0],
        pitch=smooth(frames[1], _PITCH_FRAMES),
        accent=_to_frames(accent, num_frames),
        speaking=np.clip(_to_frames(speaking, num_frames), 0, 1),
        active=_to_frames(energy > _ACTIVE_LOUDNESS, num_frames),
    )


def smooth(curve: np.ndarray, width: float) -> np.ndarray:
    """Smooth along the first axis by a Gaussian of `width` steps; edges are held.

    Ours: everything a body does is smooth.
    """
    radius = int(4 * width) + 1
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / width) ** 2)
    kernel /= kernel.sum()
    flat = curve.reshape(len(curve), -1)
    padded = np.pad(flat, ((radius, radius), (0, 0)), mode="edge")
    columns = [np.convolve(column, kernel, "valid") for column in padded.T]
    return np.stack(columns, axis=1).reshape(curve.shape).astype(np.float32)


def _given_accents(phonemes: tuple[speech.Phoneme, ...], num_frames: int) -> np.ndarray:
    """Return a bump at each accented vowel, as high as its accent, float32 `[T]`."""
    frames = np.arange(num_frames) + 0.5
    curve = np.zeros(num_frames)
    for phoneme in phonemes:
        if phoneme.accent:
            middle = 0.5 * (phoneme.start + phoneme.end) * types.FRAME_RATE_HZ
            bump = np.exp(-0.5 * ((frames - middle) / _ACCENT_FRAMES) ** 2)
            curve = np.maximum(curve, phoneme.accent * bump)
    return curve.astype(np.float32)


def _energy(waveform: np.ndarray) -> np.ndarray:
    """Return loudness every 10 ms, 0 for the room's noise, 1 for the loud parts."""
    num = len(waveform) // _HOP
    squares = np.square(waveform[: num * _HOP].astype(np.float64))
    power = squares.reshape(num, _HOP).mean(axis=1)
    loudness = np.sqrt(smooth(power, 1.2).clip(0))
    loud = np.percentile(loudness[loudness >= 0.15 * loudness.max()], 90)
    loud = max(loud, _QUIETEST_VOICE)
    floor = min(np.percentile(loudness, 5), 0.15 * loud)
    return ((loudness - floor) / (loud - floor)).astype(np.float32).clip(0, 1.5)


def _pitch(waveform: np.ndarray, energy: np.ndarray):
    """Return octaves above the median pitch and voicing, every 10 ms."""
    num = len(energy)
    padded = np.pad(waveform, (_PITCH_WINDOW // 2, _PITCH_WINDOW))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _PITCH_WINDOW)[::_HOP]
    frames = frames[:num] * np.hanning(_PITCH_WINDOW)
    spectrum = np.abs(np.fft.rfft(frames, 2 * _PITCH_WINDOW, axis=1)) ** 2
    correlation = np.fft.irfft(spectrum, axis=1)[:, :_PITCH_WINDOW]
    correlation = correlation / (correlation[:, :1] + 1e-6)
    window = np.fft.irfft(
        np.abs(np.fft.rfft(np.hanning(_PITCH_WINDOW), 2 * _PITCH_WINDOW)) ** 2
    )[:_PITCH_WINDOW]
    correlation = correlation / (window / window[0] + 0.05)
    shortest = int(types.SAMPLE_RATE_HZ / _HIGHEST_PITCH_HZ)
    longest = int(types.SAMPLE_RATE_HZ / _LOWEST_PITCH_HZ)
    lag = shortest + correlation[:, shortest:longest].argmax(axis=1)
    peak = correlation[np.arange(num), lag]
    voiced = (peak > 0.5) & (energy > 0.08)
    octaves = np.log2(types.SAMPLE_RATE_HZ / lag)
    median = np.median(octaves[voiced]) if voiced.any() else 0.0
    octaves = (octaves - median).clip(-_FARTHEST_OCTAVES, _FARTHEST_OCTAVES)
    return octaves, voiced.astype(np.float32)


def _accents(energy: np.ndarray) -> np.ndarray:
    """Return peaks of syllable energy that rise above their surroundings."""
    syllable = smooth(energy, 5)
    around = smooth(energy, 30)
    return smooth(np.clip((syllable - around - 0.12) * 4, 0, 1), 3)


def _to_frames(curve: np.ndarray, num_frames: int) -> np.ndarray:
    """Average the 10 ms steps of each frame."""
    return curve[: num_frames * 4].reshape(num_frames, 4).mean(axis=1).astype("f4")
