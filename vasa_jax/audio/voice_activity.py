"""Whether someone speaks: louder than the room's own noise.

Ours: an energy gate of a few lines; networks that know speech from other sounds need a
runtime of their own, and for taking turns in front of one microphone, and for clips
of talking heads, this serves.
"""

import itertools

import einops
import numpy as np

from vasa_jax import types

FRAME_SAMPLES = types.SAMPLE_RATE_HZ // 50
"""Ours: 20 ms, as browsers send."""

ABOVE_NOISE = 10 ** (12 / 20)
"""How far above the noise a voice is. Ours: 12 dB."""

LEAST_LEVEL = 10 ** (-48 / 20)
"""Root mean square that a voice has at least. Ours: 48 dB under full scale."""

NOISE_RISE = 1.004
"""Factor a frame by which the noise is taken to rise. Ours: 10 dB in 5.8 s, so that a
fan which is switched on is soon no voice."""

LONGEST_GAP_FRAMES = 5
"""Frames at 25 Hz without voice that belong to it. Ours: 0.2 s, a stop's closure."""

QUIET_PERCENTILE, LOUD_PERCENTILE = 10.0, 95.0
"""Of the levels of a recording's frames: its room, and its voice. Ours."""

WAY_TO_LOUD = 0.4
"""Where between both, in decibels, a voice begins. Ours: rooms of real recordings are
up to 10 dB louder at times than where they are quietest."""

LEAST_ABOVE_ROOM = 10 ** (6 / 20)
"""How far above the quiet level a voice is at least. Ours: 6 dB, so that steady noise
is none."""

PAUSE_MARGIN_FRAMES = 2
"""Frames about speech that are no pause. Ours: lips part before a sound."""

PAUSE_DECIBELS = 30.0
"""Below the loudest frame, where a recorded voice pauses. Ours: breath lies there."""


class VoiceActivity:
    """Follow a sound, frame by frame."""

    def __init__(self):
        """Begin in a silent room."""
        self._noise = LEAST_LEVEL / ABOVE_NOISE

    def is_voice(self, frame: np.ndarray) -> bool:
        """Tell whether a frame of 20 ms is louder than noise.

        Args:
            frame: float32 `[320]`.
        """
        level = float(np.sqrt(np.mean(np.square(frame)) + 1e-12))
        is_voice = level > max(LEAST_LEVEL, self._noise * ABOVE_NOISE)
        self._noise = max(min(level, self._noise * NOISE_RISE), 1e-5)
        return is_voice


def voiced_frames(waveform: np.ndarray) -> np.ndarray:
    """Tell in which frames of a recording someone speaks.

    Ours: unlike `VoiceActivity`, which must tell at once, this knows how loud room and
    voice are in the whole recording; how often it is right is in `docs/labels.md`.

    Args:
        waveform: float32 `[640 T]` at 16 kHz.

    Returns:
        bool `[T]`, at 25 Hz.
    """
    parts = einops.rearrange(waveform, "(t s) -> t s", s=types.SAMPLES_PER_FRAME)
    if not len(parts):
        return np.zeros(0, bool)
    levels = np.sqrt(np.mean(np.square(parts), axis=1) + 1e-12)
    quiet, loud = np.percentile(levels, [QUIET_PERCENTILE, LOUD_PERCENTILE])
    between = quiet ** (1 - WAY_TO_LOUD) * loud**WAY_TO_LOUD
    voiced = levels > max(LEAST_LEVEL, LEAST_ABOVE_ROOM * quiet, between)
    indices = np.flatnonzero(voiced)
    for first, second in itertools.pairwise(indices):
        if second - first <= LONGEST_GAP_FRAMES + 1:
            voiced[first:second] = True
    return voiced


def silent_frames(waveform: np.ndarray) -> np.ndarray:
    """Tell which whole frames of a sound `[S]` are silent, bool `[S // 640]`."""
    num_samples = len(waveform) - len(waveform) % types.SAMPLES_PER_FRAME
    waveform = waveform[:num_samples]
    if not waveform.any():
        return np.ones(num_samples // types.SAMPLES_PER_FRAME, bool)
    return pauses(quiet_frames(waveform))


def quiet_frames(waveform: np.ndarray, below: float = PAUSE_DECIBELS) -> np.ndarray:
    """Tell which frames of a voice `[640 T]` are far below the loudest, bool `[T]`."""
    frames = einops.rearrange(waveform, "(t s) -> t s", s=types.SAMPLES_PER_FRAME)
    power = (frames.astype(np.float64) ** 2).mean(axis=1)
    return power < power.max() * 10 ** (-below / 10)


def pauses(is_silent: np.ndarray, margin: int = PAUSE_MARGIN_FRAMES) -> np.ndarray:
    """Keep of silent frames, bool `[T]`, those with silence all about them."""
    padded = np.pad(is_silent, margin, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * margin + 1).all(axis=1)
