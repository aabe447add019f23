"""A natural voice that belongs to nobody says typed text; needs the extra `voices`."""

import re
from collections.abc import Iterator

import numpy as np

from vasa_jax import errors
from vasa_jax.speech import pacing, script, speech
from vasa_jax.speech.natural_voices import japanese, model, speaking, spelling
from vasa_jax.speech.natural_voices import voice as natural_voice

ACCENTS = {
    "en": "en-us",
    "en-us": "en-us",
    "en-gb": "en-gb-x-rp",
    "fr": "fr",
    "es": "es",
    "it": "it",
    "pt": "pt-br",
    "hi": "hi",
    "ja": "ja",
}
"""Languages that are typed, and how espeak-ng calls what is spoken."""

DEFAULT_VOICE, DEFAULT_LANGUAGE = "hazel", "en"

_HALVES_SECONDS = 0.1
"""Silence within a line that is too much to say at once. Ours."""

SEEDS = {
    "oak": 31,
    "rowan": 26,
    "cedar": 44,
    "alder": 22,
    "birch": 76,
    "linden": 40,
    "hazel": 85,
    "willow": 30,
}
"""Names of voices that were drawn, low ones first. Ours: names of trees, which are
nobody's, never a style that comes with the network; these seeds lie far from those
styles, and a recogniser missed 1 to 3 words of 13."""


class NaturalSpeaker:
    """Say texts with a natural voice, and tell when each sound is heard."""

    def __init__(
        self,
        voice: str | int = DEFAULT_VOICE,
        language: str = DEFAULT_LANGUAGE,
    ):
        """Choose who speaks; the network is loaded when the first text is said.

        Args:
            voice: one of `SEEDS`, or a seed, from 0: any gives somebody.
            language: one of `ACCENTS`.

        Raises:
            UserError: the extra is not installed, or voice or language are unknown.
        """
        model.check_packages()
        if language not in ACCENTS:
            raise errors.UserError(
                f"Natural voices do not speak {language!r}; choose of "
                f"{', '.join(ACCENTS)}."
            )
        if language == "ja":
            japanese.check_packages()
        self._voice = natural_voice.Voice(_seed(voice), ACCENTS[language])

    def speak(self, text: str) -> Iterator[np.ndarray]:
        """Say a text; see `speaker.Speaker`."""
        return (piece.waveform for piece in self.say(text))

    def say(self, text: str) -> Iterator[speech.Speech]:
        """Say a text with times; see `speaker.TimedSpeaker`.

        Ours: the whole text is spelled before a word is said, so that mistakes are told
        at once; what is spoken is held no longer than its line.
        """
        lines = script.parse(text)
        spelled = [
            (signs, words, pause)
            for line in lines
            for signs, words, pause in self._spelled(line.text, line.pause)
        ]
        if not any(signs for signs, _, _ in spelled):
            raise errors.UserError(
                f"Nothing in the text {text[:40]!r} can be said in this language; give "
                "words of it, or another --language."
            )
        return pacing.paced(
            (self._said(signs, words), pause) for signs, words, pause in spelled
        )

    def _spelled(self, text: str, pause: float) -> list[tuple[list, str, float]]:
        """Spell a line, in halves if it is too much to say at once."""
        signs = spelling.signs_of(text, self._voice.language)
        words = text.split()
        if len(words) < 2 or spelling.num_tokens(signs) <= model.MOST_TOKENS:
            return [(signs[: model.MOST_TOKENS], text, pause)]
        middle = len(words) // 2
        return [
            *self._spelled(" ".join(words[:middle]), _HALVES_SECONDS),
            *self._spelled(" ".join(words[middle:]), pause),
        ]

    def _said(self, signs: list, text: str) -> speech.Speech:
        if not signs:
            return speech.Speech(np.zeros(0, np.float32), (), "")
        return speaking.say_spelled(self._voice, signs, text)


def _seed(name: str | int) -> int:
    """Return the seed of a voice by its name, or by the seed itself."""
    if name in SEEDS:
        return SEEDS[name]
    if re.fullmatch(r"[0-9]{1,9}", str(name)):
        return int(name)
    raise errors.UserError(
        f"There is no voice {name!r}; give a seed, a whole number from 0 to 999999999, "
        f"or a name: {', '.join(SEEDS)}."
    )
