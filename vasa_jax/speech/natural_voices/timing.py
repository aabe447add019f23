"""When each sound is heard: the network's durations, mended against its own waveform.

Ours: the network says its symbols earlier than its durations have them, counts the
pause after a phrase to the phrase's last sound, and the closure of a stop to the sound
before. Unmended, faces learn to move their lips late and through pauses.
"""

import dataclasses

import numpy as np

from vasa_jax.speech import speech
from vasa_jax.speech.natural_voices import model, spelling

_LEAD_SECONDS = 0.045
"""So much earlier than the durations say is each sound heard. Ours: measured at bursts
and onsets of vowels, 40 to 60 ms."""

_CLOSURE_SECONDS = 0.02
"""So much earlier begin stops, fricatives and nasals of the lips. Ours: measured."""

_CLOSING = tuple("ptkbmfvszʃʒ")

_LONGEST_GAP_SECONDS = 0.13
"""Gaps between words up to this are no silence; both neighbours share them. Ours."""

_LEAST_SECONDS = 0.04
_HEARD_DECIBELS = -30.0
"""The last sound of a phrase lasts until it falls below this level, and so long at
least. Ours: what is 30 dB below the loud parts is the room, or breath."""

_STEP_SECONDS = 0.001
_SMOOTHING = np.exp(-0.5 * (np.arange(-13, 14) / 3) ** 2)
_SMOOTHING /= _SMOOTHING.sum()
"""A Gaussian of 3 ms."""


@dataclasses.dataclass
class _Span:
    sign: spelling.Sign
    start: float
    end: float


def phonemes_of(
    signs: list[spelling.Sign], sound: model.Sound
) -> tuple[speech.Phoneme, ...]:
    """Find when the sounds of a text are heard.

    Args:
        signs: N tokens together.
        sound: what the network made of them.

    Returns:
        Phonemes in order, seconds of the network's waveform; of accents they have
        those of emphasised words only.
    """
    token_ends = np.cumsum(sound.durations) * model.FRAME_SECONDS - _LEAD_SECONDS
    num_tokens = np.cumsum([len(sign.letters) for sign in signs])
    heard = level(sound.waveform)
    spans: list[_Span] = []
    clock = token_ends[0]
    for sign, end in zip(signs, token_ends[num_tokens], strict=True):
        span = _Span(sign, max(clock, 0.0), end)
        clock = end
        if not sign.symbol:
            continue
        if sign.ends_phrase or sign is signs[-1]:
            span.end = _end_of_phrase(span, heard)
        if spans:
            _join(spans[-1], span)
        spans.append(span)
    return tuple(
        speech.Phoneme(
            float(span.start),
            float(span.end),
            span.sign.symbol,
            span.sign.is_stressed,
            accent=float(span.sign.is_emphasized and span.sign.is_stressed),
            ends_word=span.sign.ends_word,
            ends_phrase=span.sign.ends_phrase,
        )
        for span in spans
        if span.end > span.start
    )


def level(waveform: np.ndarray) -> np.ndarray:
    """Return the level of each millisecond, decibels, 0 where loud, `[S // 24]`."""
    step = round(_STEP_SECONDS * model.SAMPLE_RATE_HZ)
    rows = waveform[: len(waveform) // step * step].reshape(-1, step)
    power = np.square(rows).mean(axis=1)
    held = np.pad(power, len(_SMOOTHING) // 2, mode="edge")
    power = np.convolve(held, _SMOOTHING, "valid").astype(np.float32)
    decibels = 10 * np.log10(power + 1e-10)
    return decibels - np.percentile(decibels, 95)


def _end_of_phrase(span: _Span, heard: np.ndarray) -> float:
    """Return when the last sound of a phrase ends, without the pause after it."""
    first, last = int(span.start / _STEP_SECONDS), int(span.end / _STEP_SECONDS) + 100
    loud = np.flatnonzero(heard[first:last] > _HEARD_DECIBELS)
    seconds = loud[-1] * _STEP_SECONDS if len(loud) else 0.0
    return min(span.end, span.start + max(seconds, _LEAST_SECONDS))


def _join(before: _Span, span: _Span) -> None:
    """Begin a closure early; share a short gap."""
    gap = span.start - before.end
    if gap < _LONGEST_GAP_SECONDS / 4 and span.sign.symbol[0] in _CLOSING:
        span.start -= min(_CLOSURE_SECONDS, (span.start - before.start) / 2)
        before.end = min(span.start, before.end)
    elif 0 < gap <= _LONGEST_GAP_SECONDS:
        before.end = span.start = span.start - gap / 2
