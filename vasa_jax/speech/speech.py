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
        accent: 0 to 1, how much this vowel stands out of its sentence, as far as the
            voice tells it: 1 in an emphasised word.
        ends_word, ends_phrase: whether one ends here, as far as the voice tells it.
    """

    start: float
    end: float
    symbol: str
    stressed: bool = False
    accent: float = 0.0
    ends_word: bool = False
    ends_phrase: bool = False


@dataclasses.dataclass(frozen=True)
class Speech:
    """A waveform and what is said in it.

    Attributes:
        waveform: float32 `[S]` in [-1, 1] at 16 kHz.
        phonemes: in order of time, seconds from the start of the waveform; gaps
            between them are silence.
        text: the words, as far as they are known.
        pitch: float32 `[S]` octaves over the voice's median, 0 where unvoiced, from a
            voice that tells its prosody: its phonemes then have their accents. None if
            both must be guessed from the waveform.
    """

    waveform: np.ndarray
    phonemes: tuple[Phoneme, ...]
    text: str
    pitch: np.ndarray | None = None

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

    def part(samples: np.ndarray) -> np.ndarray:
        kept = samples[round(start * rate) :][: round(seconds * rate)]
        return np.pad(kept, (0, round(seconds * rate) - len(kept))).astype(np.float32)

    phonemes = tuple(
        dataclasses.replace(p, start=max(p.start, 0.0), end=min(p.end, seconds))
        for p in shift(speech.phonemes, -start)
        if p.end > 0 and p.start < seconds
    )
    pitch = None if speech.pitch is None else part(speech.pitch)
    return Speech(part(speech.waveform), phonemes, speech.text, pitch)


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
    silences = [np.zeros(round(pause * rate), np.float32) for pause in pauses]

    def joined(pieces: list[np.ndarray]) -> np.ndarray:
        rest = [row for pair in zip(pieces, silences[1:], strict=True) for row in pair]
        return np.concatenate([silences[0], *rest])

    phonemes, offset = [], len(silences[0])
    for part, silence in zip(parts, silences[1:], strict=True):
        phonemes.extend(shift(part.phonemes, offset / rate))
        offset += len(part.waveform) + len(silence)
    text = " ".join(part.text for part in parts if part.text)
    tell_pitch = all(part.pitch is not None for part in parts)
    return Speech(
        joined([part.waveform for part in parts]),
        tuple(phonemes),
        text,
        joined([part.pitch for part in parts]) if tell_pitch else None,
    )
