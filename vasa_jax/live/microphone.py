"""A microphone's sound as the rest of the package takes it: 16 kHz mono, in its place.

Browsers send 48 kHz stereo, and nothing where they take it for silence, so each piece
is placed by its stamp and never by counting. One slow gain brings voices to a usual
level, since the browser's own automatic gain is off: it lifts pauses and bends words.
"""

import av
import numpy as np

from vasa_jax import types
from vasa_jax.live import voice_queue

MAX_HOLE_SECONDS = 1.0
"""Holes are filled up to this. Ours: more is a pause of unknown length."""

USUAL_LEVEL = 10 ** (-23 / 20)
"""Root mean square of a voice. Ours: 23 dB under full scale, as broadcast speech."""

MAX_GAIN = 10 ** (12 / 20)
"""Ours: 12 dB either way; more would lift a room into a voice."""

GAIN_SECONDS = 3.0
"""Of voice that the gain follows. Ours: slower than words."""


class Microphone:
    """Follow one incoming track."""

    def __init__(self):
        """Begin with the first piece."""
        self._resampler = av.AudioResampler(
            format="flt", layout="mono", rate=types.SAMPLE_RATE_HZ
        )
        self._due: float | None = None
        self._gain = SlowGain()

    def take(self, frame: av.AudioFrame) -> np.ndarray:
        """Return what a frame adds, with silence where one was left out.

        Args:
            frame: of any rate and layout, with its stamp.

        Returns:
            float32 `[S]`, 16 kHz; empty for a frame that came too late.
        """
        start = float(frame.pts * frame.time_base)
        hole = 0.0 if self._due is None else start - self._due
        duration = frame.samples / frame.sample_rate
        if hole < -duration / 2:
            return np.zeros(0, np.float32)
        self._due = start + duration
        frame.pts = None
        pieces = [one.to_ndarray()[0] for one in self._resampler.resample(frame)]
        samples = self._gain.level(np.concatenate([np.zeros(0, np.float32), *pieces]))
        missing = round(min(max(hole, 0.0), MAX_HOLE_SECONDS) * types.SAMPLE_RATE_HZ)
        return np.concatenate([np.zeros(missing, np.float32), samples])


class SlowGain:
    """Bring a voice slowly to the usual level."""

    def __init__(self):
        """Begin at no gain."""
        self._power = USUAL_LEVEL**2

    def level(self, samples: np.ndarray) -> np.ndarray:
        """Return samples float32 `[S]` under the gain, within full scale."""
        if len(samples) and not voice_queue.is_quiet(samples):
            seconds = len(samples) / types.SAMPLE_RATE_HZ
            share = 1.0 - np.exp(-seconds / GAIN_SECONDS)
            self._power += share * (float(np.mean(np.square(samples))) - self._power)
        gain = np.clip(USUAL_LEVEL / np.sqrt(self._power), 1 / MAX_GAIN, MAX_GAIN)
        return np.clip(samples * np.float32(gain), -1.0, 1.0)
