"""Speech with the time of every phoneme: what voices give and faces perform."""

import dataclasses

import numpy as np

from vasa_jax import types


@dataclasses.dataclass(frozen=True)
class Phoneme:
    """One spoken sound.

    Attributes:
        start: first second of the sound.
        end: first second after it.
        symbol: IPA without stress marks, or "" for silence.
        stressed: whether the syllable of this vowel is stressed.
    """

    start: float
    end: float
    symbol: str
    stressed: bool = False


@dataclasses.dataclass(frozen=True)
class Speech:
    """A waveform and what is said in it.

    Attributes:
        waveform: float32 `[S]` in [-1, 1] at 16 kHz.
        phonemes: in order of time, seconds from the start of the waveform; gaps
            between them are silence.
        text: the words, as far as they are known.
    """

    waveform: np.ndarray
    phonemes: tuple[Phoneme, ...]
    text: str

    @property
    def seconds(self) -> float:
        """Return the length of the waveform."""
        return len(self.waveform) / types.SAMPLE_RATE_HZ


def shift(phonemes: tuple[Phoneme, ...], seconds: float) -> tuple[Phoneme, ...]:
    """Move phonemes later by some seconds.

    Ours: utterances are joined with pauses between them.
    """
    return tuple(
        dataclasses.replace(p, start=p.start + seconds, end=p.end + seconds)
        for p in phonemes
    )


def stretch(phonemes: tuple[Phoneme, ...], factor: float) -> tuple[Phoneme, ...]:
    """Multiply all times by a factor.

    Ours: a waveform played slower or faster keeps its phonemes in place.
    """
    return tuple(
        dataclasses.replace(p, start=p.start * factor, end=p.end * factor)
        for p in phonemes
    )


def cut(speech: Speech, start: float, seconds: float) -> Speech:
    """Take a part of the speech; silence follows where it ends too early.

    Ours: clips have one length, sentences have theirs.

    Args:
        speech: what to cut.
        start: first second of the part.
        seconds: its length.

    Returns:
        Speech of exactly `seconds`, with the phonemes that overlap the part.
    """
    rate = types.SAMPLE_RATE_HZ
    num_samples = round(seconds * rate)
    part = speech.waveform[round(start * rate) :][:num_samples]
    waveform = np.zeros(num_samples, np.float32)
    waveform[: len(part)] = part
    phonemes = tuple(
        dataclasses.replace(p, start=max(p.start, 0.0), end=min(p.end, seconds))
        for p in shift(speech.phonemes, -start)
        if p.end > 0 and p.start < seconds
    )
    return Speech(waveform, phonemes, speech.text)


def join(parts: list[Speech], pauses: list[float]) -> Speech:
    """Say parts one after another.

    Ours: silence between utterances, in which the mouth must learn to rest.

    Args:
        parts: N utterances.
        pauses: N + 1 lengths of silence in seconds: before, between and after.

    Returns:
        One speech.
    """
    rate = types.SAMPLE_RATE_HZ
    pieces = [np.zeros(round(pauses[0] * rate), np.float32)]
    phonemes = []
    for part, pause in zip(parts, pauses[1:], strict=True):
        offset = sum(len(piece) for piece in pieces) / rate
        phonemes.extend(shift(part.phonemes, offset))
        pieces += [part.waveform, np.zeros(round(pause * rate), np.float32)]
    text = " ".join(part.text for part in parts if part.text)
    return Speech(np.concatenate(pieces), tuple(phonemes), text)
