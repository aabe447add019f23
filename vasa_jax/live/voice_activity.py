"""Whether someone speaks: louder than the room's own noise.

Ours: an energy gate of a few lines; networks that know speech from other sounds need a
runtime of their own, and for taking turns in front of one microphone this serves.
"""

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
