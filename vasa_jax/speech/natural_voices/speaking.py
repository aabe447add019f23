"""A natural voice says a text: sound, the time of each phoneme, accents and pitch."""

import dataclasses

import numpy as np

from vasa_jax import types
from vasa_jax.audio import resampling
from vasa_jax.speech import speech
from vasa_jax.speech.natural_voices import model, spelling, timing, voice

_EMPHASIS = {"stretch": 1.35, "pitch": 1.25, "loudness": 1.0}
"""How emphasised words are steered. Ours: longer, higher and louder, as far as it still
sounds natural."""

_USUAL_ACCENT = 0.45
_UNEMPHASIZED = 0.6
"""Accent of a stressed vowel that is as prominent as others of its text, and what is
left of it beside an emphasised word. Ours: so that accents are as dense as those that
are measured in fluent speech."""

_MARGIN_SECONDS = 0.1
"""Silence that is left around a text. Ours: so that no onset is lost."""

_LOWEST_PITCH_HZ = 60.0
"""Below it the network means an unvoiced sound. Ours: as its curves show."""


def say(who: voice.Voice, text: str) -> speech.Speech:
    """Speak a text.

    Args:
        who: the voice.
        text: in the voice's language, with emphasised words between asterisks.

    Returns:
        Waveform at 16 kHz, peak at most 1, with its phonemes, their accents and its
        pitch; the text is without asterisks.

    Raises:
        UserError: as of `spelling.spell`, or a package is missing or damaged.
    """
    return say_spelled(who, spelling.spell(text, who.language), text)


def say_spelled(
    who: voice.Voice, signs: list[spelling.Sign], text: str
) -> speech.Speech:
    """Speak a text that is spelled already.

    Args:
        who: the voice.
        signs: from 1 to `model.MOST_TOKENS` tokens.
        text: that they spell.

    Returns:
        As `say`.

    Raises:
        UserError: a package is missing or damaged.
    """
    network = model.load()
    tokens = np.array([model.vocabulary()[t] for sign in signs for t in sign.letters])
    person = voice.person(who.seed)
    sound = network.say(
        tokens,
        person.styles[len(tokens) - 1],
        person.speed * who.pace,
        _steering(signs, who.height),
    )
    octaves = _octaves(sound.pitch)
    phonemes = _accented(timing.phonemes_of(signs, sound), sound, octaves)
    ratio = model.SAMPLE_RATE_HZ * person.playback_rate / types.SAMPLE_RATE_HZ
    waveform = resampling.resample(sound.waveform, ratio)
    # Each value holds for its half frame, as in the network.
    place = (np.arange(len(waveform)) + 0.5) * len(octaves) / len(waveform)
    said = speech.Speech(
        waveform / max(1.0, float(np.abs(waveform).max())),
        speech.stretch(phonemes, 1 / person.playback_rate),
        spelling.without_marks(text),
        octaves[place.astype(int)],
    )
    return _trimmed(said)


def _trimmed(said: speech.Speech) -> speech.Speech:
    """Leave out the silence that the network puts before and after."""
    if not said.phonemes:
        return said
    start = max(said.phonemes[0].start - _MARGIN_SECONDS, 0.0)
    end = min(said.phonemes[-1].end + _MARGIN_SECONDS, said.seconds)
    return speech.cut(said, start, end - start)


def _steering(signs: list[spelling.Sign], height: float) -> model.Steering:
    """Say emphasised words longer, higher and louder."""
    num_tokens = [len(sign.letters) for sign in signs]
    strong = np.repeat([sign.is_emphasized for sign in signs], num_tokens)
    return model.Steering(
        stretch=np.where(strong, _EMPHASIS["stretch"], 1.0),
        pitch=height * np.where(strong, _EMPHASIS["pitch"], 1.0),
        loudness=np.where(strong, _EMPHASIS["loudness"], 0.0),
    )


def _octaves(pitch: np.ndarray) -> np.ndarray:
    """Return octaves over the median of voiced sounds, float32, 0 where unvoiced."""
    voiced = pitch > _LOWEST_PITCH_HZ
    if not voiced.any():
        return np.zeros(len(pitch), np.float32)
    octaves = np.log2(np.maximum(pitch, _LOWEST_PITCH_HZ) / np.median(pitch[voiced]))
    return np.where(voiced, octaves, 0).astype(np.float32)


def _accented(
    phonemes: tuple[speech.Phoneme, ...], sound: model.Sound, octaves: np.ndarray
) -> tuple[speech.Phoneme, ...]:
    """Give stressed vowels their accents.

    Ours: emphasised ones have theirs; of the others the louder and the higher one is
    beside the rest of the text, the larger is its accent, so that accents are heard.
    """
    loudness = 10 ** (timing.level(sound.waveform) / 20)
    prominence = {
        place: _highest(loudness, phoneme, sound) + _highest(octaves, phoneme, sound)
        for place, phoneme in enumerate(phonemes)
        if phoneme.stressed
    }
    if not prominence:
        return phonemes
    usual = np.mean(list(prominence.values()))
    is_emphatic = any(phoneme.accent for phoneme in phonemes)
    share = _UNEMPHASIZED if is_emphatic else 1.0
    accents = {
        place: share * float(np.clip(_USUAL_ACCENT + value - usual, 0, 1))
        for place, value in prominence.items()
    }
    return tuple(
        dataclasses.replace(phoneme, accent=max(phoneme.accent, accents.get(place, 0)))
        for place, phoneme in enumerate(phonemes)
    )


def _highest(curve: np.ndarray, phoneme: speech.Phoneme, sound: model.Sound) -> float:
    """Return the highest value of a curve over the whole sound within a phoneme."""
    steps = len(curve) * model.SAMPLE_RATE_HZ / len(sound.waveform)
    first = min(int(phoneme.start * steps), len(curve) - 1)
    return float(curve[first : max(int(phoneme.end * steps), first + 1)].max())
