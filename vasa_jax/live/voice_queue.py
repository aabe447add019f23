"""What the face is still to say, handed out in steps, with silence where there is none.

Sound arrives in small pieces and unevenly, and leaves in steps of one length. A queue
that is empty when a step is due would tear a hole into a word, so a voice begins only
when some of it lies in store.
"""

from typing import NamedTuple

import numpy as np

from vasa_jax import types

STORE_SAMPLES = types.SAMPLE_RATE_HZ // 10
"""Held back at the beginning of a voice. Ours: 0.1 s, what a browser's microphone comes
late by at most on a loopback."""

MAX_LATE_SAMPLES = types.SAMPLE_RATE_HZ
"""How far a voice that comes live may fall behind before its oldest part is left out.
Ours: a second; who speaks along cannot bear more."""

QUIET = 10 ** (-50 / 20)
"""Root mean square under which sound may be left out to catch up. Ours: 50 dB under
full scale, a pause between words."""

_FRAME = types.SAMPLES_PER_FRAME

SILENCE = -1
"""The position of a sample that is no voice."""


class Step(NamedTuple):
    """A step of the voice, with silence where there is none.

    Attributes:
        samples: float32 `[step_samples]`, 16 kHz.
        came: for each frame, when its first sample came or was due; NaN in silence of
            our own.
        positions: int64 `[step_samples]`, which sample of all that were pushed each is,
            or `SILENCE`.
    """

    samples: np.ndarray
    came: np.ndarray
    positions: np.ndarray


class VoiceQueue:
    """Samples with the time each came, first in, first out.

    Attributes:
        step_samples: of each step that is taken.
        num_left_out: samples of live voices that were left out to catch up.
    """

    def __init__(self, step_samples: int):
        """Begin empty.

        Args:
            step_samples: samples of a step, whole frames.
        """
        self.num_left_out = 0
        self.step_samples = step_samples
        self._samples = np.zeros(0, np.float32)
        self._times = np.zeros(0)
        self._num_gone = 0  # Samples that were taken or left out.
        self._is_speaking = False
        self._is_growing = False

    def __len__(self) -> int:
        """Return how many samples wait."""
        return len(self._samples)

    def push(self, samples: np.ndarray, seconds: float, is_live: bool = False) -> None:
        """Append samples.

        Args:
            samples: float32 `[S]`, 16 kHz.
            seconds: the time now, by the session's clock.
            is_live: whether they come at the pace of speech, the last just now: then
                what falls behind is left out, pauses first. Otherwise they come all at
                once, and the first is due now, or after what waits already.
        """
        since = np.arange(len(samples)) / types.SAMPLE_RATE_HZ
        if is_live:
            since -= len(samples) / types.SAMPLE_RATE_HZ
        elif len(self):
            seconds = max(seconds, self._times[-1] + 1 / types.SAMPLE_RATE_HZ)
        self._samples = np.concatenate([self._samples, samples], dtype=np.float32)
        self._times = np.concatenate([self._times, seconds + since])
        self._is_growing = True
        if is_live:
            self._catch_up()

    def take(self) -> Step:
        """Take the next step."""
        held, is_growing, self._is_growing = len(self), self._is_growing, False
        if self._is_speaking:
            # What runs out is a voice that has ended.
            self._is_speaking = held >= self.step_samples
            return self._pop(min(held, self.step_samples), silence_before=0)
        if not is_growing:
            count = min(held, self.step_samples)  # A sound shorter than the store.
        else:
            count = min(max(held - STORE_SAMPLES, 0), self.step_samples)
        self._is_speaking = count > 0 and is_growing
        return self._pop(count, silence_before=self.step_samples - count)

    def clear(self) -> None:
        """Forget all that waits."""
        self._drop(len(self))
        self._is_speaking = False

    def _pop(self, count: int, silence_before: int) -> Step:
        around = silence_before, self.step_samples - count - silence_before
        samples = np.pad(self._samples[:count], around)
        times = np.pad(self._times[:count], around, constant_values=np.nan)
        positions = np.pad(
            self._num_gone + np.arange(count), around, constant_values=SILENCE
        )
        self._drop(count)
        return Step(samples, times[::_FRAME], positions)

    def _drop(self, count: int) -> None:
        self._samples, self._times = self._samples[count:], self._times[count:]
        self._num_gone += count

    def _catch_up(self) -> None:
        """Leave the oldest out, where it is quiet or far too late."""
        late = len(self) - self.step_samples - STORE_SAMPLES
        if late > MAX_LATE_SAMPLES:
            self._leave_out(late)
            return
        while late > STORE_SAMPLES and is_quiet(self._samples[:_FRAME]):
            self._leave_out(_FRAME)
            late -= _FRAME

    def _leave_out(self, count: int) -> None:
        self._drop(count)
        self.num_left_out += count


def is_quiet(samples: np.ndarray) -> bool:
    """Tell whether samples may be left out."""
    return bool(np.sqrt(np.mean(np.square(samples))) < QUIET)
