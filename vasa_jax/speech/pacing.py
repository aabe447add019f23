"""Lines said one after another, with silence between them as long as it is asked for.

Ours: whoever speaks leaves some silence around each line, so that a pause is counted
from the last sound that is heard to the first.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from vasa_jax import types
from vasa_jax.speech import speech

_MARGIN_SECONDS = 0.1
"""Silence that is kept around what is heard. Ours: so that no onset is lost."""

_HEARD_DECIBELS = -40.0
"""Beside the loud parts, what is heard. Ours: above the room, below soft onsets."""

_SMOOTHING = types.SAMPLE_RATE_HZ // 200
_SILENT_POWER = 1e-8
"""Ours: 80 dB below full scale nobody speaks."""


def paced(said: Iterable[tuple[speech.Speech, float]]) -> Iterator[speech.Speech]:
    """Let lines follow one another.

    Args:
        said: each line as it was spoken, maybe of no samples, and the silence to hear
            after it, seconds.

    Yields:
        Each line with the silence before it, and at last the silence after all.
    """
    pause, kept = _MARGIN_SECONDS, 0.0
    for line, next_pause in said:
        heard = _heard(line)
        if heard is None:
            pause += line.seconds + next_pause
            continue
        start, end = heard
        before = min(_MARGIN_SECONDS, start, pause / 2 if kept else pause)
        after = min(_MARGIN_SECONDS, line.seconds - end, next_pause / 2)
        part = speech.cut(line, start - before, before + end - start + after)
        yield speech.join([part], [max(pause - kept - before, 0.0), 0.0])
        pause, kept = next_pause, after
    yield _silence(max(pause - kept, 0.0))


def _silence(seconds: float) -> speech.Speech:
    samples = np.zeros(round(seconds * types.SAMPLE_RATE_HZ), np.float32)
    return speech.Speech(samples, (), "")


def _heard(line: speech.Speech) -> tuple[float, float] | None:
    """Return when a line is first and last heard, seconds; None if it is silent."""
    if len(line.waveform) < _SMOOTHING:
        return None
    power = np.convolve(
        np.square(line.waveform), np.ones(_SMOOTHING) / _SMOOTHING, "same"
    )
    loud = np.percentile(power, 95)
    heard = np.flatnonzero(power > loud * 10 ** (_HEARD_DECIBELS / 10))
    if loud < _SILENT_POWER or not len(heard):
        return None
    return heard[0] / types.SAMPLE_RATE_HZ, (heard[-1] + 1) / types.SAMPLE_RATE_HZ
