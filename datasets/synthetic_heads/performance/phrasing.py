"""When somebody speaks: phrases between pauses, and the accents within them.

Ours: heads, brows, lids and gaze act at these times, so that what they do can be
learned from the sound.
"""

import dataclasses

import numpy as np
from scipy import signal

from datasets.synthetic_heads.performance import prosody
from vasa_jax import types
from vasa_jax.speech import speech

_PAUSE_SECONDS = 0.2
"""Silence that ends a phrase. Follows: Goldman-Eisler 1968 (shorter gaps belong to
articulation), rounded down to 5 frames."""

_LEAST_ACCENT = 0.12
"""Height from which a peak of `Prosody.accent` counts. Ours: lower ones are hardly
heard."""

_LEAST_SECONDS_BETWEEN_ACCENTS = 0.28
"""Of two nearer accents the larger one counts. Ours: about a syllable and a half."""


@dataclasses.dataclass(frozen=True)
class Phrasing:
    """Times of a voice, in seconds.

    Attributes:
        starts, ends: `[P]` of phrases, in order, without overlap.
        accents: `[A]` apexes of accents, rising.
        accent_sizes: `[A]` in (0, 1].
    """

    starts: np.ndarray
    ends: np.ndarray
    accents: np.ndarray
    accent_sizes: np.ndarray


def of_speech(said: speech.Speech, curves: prosody.Prosody) -> Phrasing:
    """Find phrases and accents.

    Ours: phrases end at pauses, and where the voice tells that they do.

    Args:
        said: with phonemes.
        curves: its prosody.
    """
    frames, _ = signal.find_peaks(
        curves.accent,
        height=_LEAST_ACCENT,
        distance=round(_LEAST_SECONDS_BETWEEN_ACCENTS * types.FRAME_RATE_HZ),
    )
    starts, ends = _phrases(said.phonemes)
    return Phrasing(
        starts=starts,
        ends=ends,
        accents=(frames + 0.5) / types.FRAME_RATE_HZ,
        accent_sizes=curves.accent[frames].clip(0, 1),
    )


def _phrases(phonemes: tuple[speech.Phoneme, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Join sounds that follow on one another."""
    spans: list[list[float]] = []
    is_open = False
    for phoneme in phonemes:
        if not phoneme.symbol:
            continue
        if is_open and phoneme.start - spans[-1][1] < _PAUSE_SECONDS:
            spans[-1][1] = phoneme.end
        else:
            spans.append([phoneme.start, phoneme.end])
        is_open = not phoneme.ends_phrase
    starts, ends = np.reshape(spans, (-1, 2)).T
    return starts, ends
