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


QUIET_PERCENTILE = 10.0
"""Of a recording's levels, which is its noise at first. Ours: pauses and stops are more
of any speech."""


class VoiceActivity:
    """Follow a sound, frame by frame.

    Args:
        noise: root mean square of the room's noise before it; a silent room's at least.
    """

    def __init__(self, noise: float = 0.0):
        self._noise = max(noise, LEAST_LEVEL / ABOVE_NOISE)

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

    Ours: the quietest parts tell the room's noise from the start; how often it is right
    is in `docs/labels.md`.

    Args:
        waveform: float32 `[640 T]` at 16 kHz.

    Returns:
        bool `[T]`, at 25 Hz.
    """
    parts = einops.rearrange(waveform, "(n s) -> n s", s=FRAME_SAMPLES)
    if not len(parts):
        return np.zeros(0, bool)
    levels = np.sqrt(np.mean(np.square(parts), axis=1))
    activity = VoiceActivity(float(np.percentile(levels, QUIET_PERCENTILE)))
    heard = np.array([activity.is_voice(part) for part in parts], bool)
    voiced = einops.reduce(heard, "(t n) -> t", "max", n=2)
    places = np.flatnonzero(voiced)
    for first, second in itertools.pairwise(places):
        if second - first <= LONGEST_GAP_FRAMES + 1:
            voiced[first:second] = True
    return voiced
