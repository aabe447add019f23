"""Who says typed text: the voices and languages that a page may choose among."""

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from vasa_jax.errors import UserError
from vasa_jax.speech import natural_speaker, speaker
from vasa_jax.speech.natural_voices import japanese

MISSING = (
    "Typed text needs natural voices, which are not installed; run `pip install "
    '"vasa_jax[live,voices]"` where the server runs, and start it again.'
)
"""What the page says in place of its text field."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Voices:
    """Voices of any kind.

    Attributes:
        make: makes who speaks, of a voice and a language; raises `UserError` for what
            is unknown. It is called for every text, in a thread.
        voice, language: where none is asked for.
        names, languages: that the page offers; `make` may know more.
    """

    make: Callable[[str, str], speaker.Speaker]
    voice: str
    language: str
    names: Sequence[str]
    languages: Sequence[str]

    def speaker(self, voice: str | None, language: str | None) -> speaker.Speaker:
        """Return who says a text.

        Raises:
            UserError: voice or language are unknown.
        """
        return self.make(voice or self.voice, language or self.language)

    def listing(self) -> dict[str, Any]:
        """Return what the page needs to know."""
        return {
            "voice": self.voice,
            "language": self.language,
            "names": list(self.names),
            "languages": list(self.languages),
        }


def natural(voice: str | None = None, language: str | None = None) -> Voices:
    """Return the natural voices, which belong to nobody.

    Args:
        voice: of who asks for none; None is `natural_speaker.DEFAULT_VOICE`.
        language: likewise.

    Raises:
        UserError: the extra `voices` is missing, or voice or language are unknown.
    """
    voice = voice or natural_speaker.DEFAULT_VOICE
    language = language or natural_speaker.DEFAULT_LANGUAGE
    natural_speaker.NaturalSpeaker(voice, language)
    known = dict.fromkeys([voice, *natural_speaker.SEEDS])
    return Voices(
        make=natural_speaker.NaturalSpeaker,
        voice=voice,
        language=language,
        names=list(known),
        languages=_languages(),
    )


def _languages() -> list[str]:
    """Return each accent once, and Japanese where it can be read."""
    first = {accent: name for name, accent in reversed(natural_speaker.ACCENTS.items())}
    names = [name for name in natural_speaker.ACCENTS if name in first.values()]
    with contextlib.suppress(UserError):
        japanese.check_packages()
        return names
    return [name for name in names if name != "ja"]
