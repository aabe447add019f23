"""A voice at its own rate, given out in step with the face that says it.

Ours: the face hears 16 kHz. A voice that also went out so would lose what lies above
8 kHz, and systems that bring their own voice bring 24 or 48.
"""

import numpy as np

from vasa_jax import types
from vasa_jax.live import performance, voice_queue


class WideVoice:
    """Hold what was not played yet."""

    def __init__(self, sample_rate_hz: int):
        """Begin empty.

        Args:
            sample_rate_hz: of the voice, a multiple of 25.
        """
        self._rate = sample_rate_hz
        self._samples = np.zeros(0, np.float32)
        self._num_gone = 0

    def push(self, samples: np.ndarray) -> None:
        """Append float32 `[S]`."""
        self._samples = np.concatenate([self._samples, samples])

    def settle(self, position: int) -> None:
        """End where a sample of the face's voice lies, by silence or by leaving out.

        Ours: what two resamplings round differently would add up over utterances.

        Args:
            position: of the sample at 16 kHz that comes next.
        """
        length = max(0, self._wide(position) - self._num_gone)
        missing = max(0, length - len(self._samples))
        self._samples = np.pad(self._samples[:length], (0, missing))

    def take(self, tick: performance.Tick) -> np.ndarray:
        """Return what a tick plays, float32 `[rate / 25]`, and forget what was before.

        What is not there yet, a millisecond that a resampler still holds, is silence.
        """
        played = np.zeros(self._wide(types.SAMPLES_PER_FRAME), np.float32)
        (voiced,) = np.nonzero(tick.positions != voice_queue.SILENCE)
        if not len(voiced):
            return played
        begin, end = self._wide(voiced[0]), self._wide(voiced[-1] + 1)
        if voiced[0]:  # A voice begins; it goes on at the next tick's first sample.
            start = self._wide(tick.positions[voiced[-1]] + 1) - (end - begin)
        else:
            start = self._wide(tick.positions[0])
        self._forget(start - self._num_gone)
        found = self._samples[: end - begin]
        played[begin : begin + len(found)] = found
        self._forget(len(found))
        return played

    def _forget(self, count: int) -> None:
        count = min(max(0, count), len(self._samples))
        self._samples = self._samples[count:]
        self._num_gone += count

    def _wide(self, position: int) -> int:
        """Return the sample that one of 16 kHz falls on."""
        return int(position) * self._rate // types.SAMPLE_RATE_HZ
