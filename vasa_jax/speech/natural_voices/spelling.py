"""Text to the sounds that the network says: espeak-ng's IPA in its own letters."""

import contextlib
import dataclasses
import re
from collections.abc import Callable, Iterator

from vasa_jax import errors
from vasa_jax.speech import espeak
from vasa_jax.speech.natural_voices import japanese, model

LANGUAGES = {
    "en-us": "en",
    "en-gb-x-rp": "en",
    "fr": "fr",
    "es": "es",
    "it": "it",
    "pt-br": "pt",
    "hi": "hi",
    "ja": "ja",
}
"""espeak-ng's accents and the language that each reads. Ours: those that the network
was taught, as far as espeak-ng spells them; Japanese is read by `japanese`."""

_SEPARATOR = "_"
_STRESS = "ˈˌ"

_VOWELS = "aeiouyæøœɐɑɒɔəɚɛɜɨɪɵɤʉʊʌᵻ"

_OPENING = str.maketrans("¡¿", "  ")
_CLAUSE = re.compile(r"(.+?)([.,;:!?…—]+(?=[\s*\"'”’»)\]]|$)|—|$)", re.DOTALL)
_WORD = re.compile(r"\S*[^\s.,;:!?…—]")
"""Ours: a mark within a word, as in 3.14, ends nothing."""
_EMPHASIZED = re.compile(r"\*([^*]+)\*")

_PAIRS = {
    **{"eɪ": "A", "aɪ": "I", "aʊ": "W", "ɔɪ": "Y", "oʊ": "O", "əʊ": "Q"},
    **{"tʃ": "ʧ", "dʒ": "ʤ", "ts": "ʦ", "dz": "ʣ"},
}
_ENGLISH = {"ɐ": "ə", "əl": "ᵊl", "r": "ɹ"}
_AMERICAN = {"ɚ": "əɹ", "ɜː": "ɜɹ", "ɾ": "T", "oːɹ": "ɔɹ"}
"""Follows: misaki, the network's own spelling of English: one letter for a diphthong
or an affricate, and no long vowels in American."""


@dataclasses.dataclass(frozen=True)
class Sign:
    """A sound, or a mark between sounds.

    Attributes:
        symbol: IPA without stress marks, or "" for a space or a mark of punctuation.
        letters: as the network reads it, one token each.
        is_stressed: whether it carries its word's main stress.
        is_emphasized: whether its word is emphasised.
        word: number of its word in the text.
        ends_word, ends_phrase: whether a word or a phrase ends with it.
    """

    symbol: str
    letters: str
    is_stressed: bool = False
    is_emphasized: bool = False
    word: int = 0
    ends_word: bool = False
    ends_phrase: bool = False


def spell(text: str, language: str) -> list[Sign]:
    """Spell a text.

    Ours: each clause by itself; an emphasised word has a stressed vowel even if it
    would have none.

    Args:
        text: words; those between asterisks are emphasised, such as "a *blue* boat".
        language: one of `LANGUAGES`.

    Returns:
        Signs in order, of at least one sound.

    Raises:
        UserError: the language is unknown, or nothing in the text can be said, or it
            has more tokens than the network can say at once.
    """
    signs = signs_of(text, language)
    if not signs:
        raise errors.UserError(
            f"Nothing in {text[:40]!r} can be said; give words of the voice's language."
        )
    if num_tokens(signs) > model.MOST_TOKENS:
        raise errors.UserError(
            f"The text beginning {text[:40]!r} has {num_tokens(signs)} sounds and "
            f"marks; at most {model.MOST_TOKENS} can be said at once, so give it in "
            "sentences."
        )
    return signs


def signs_of(text: str, language: str) -> list[Sign]:
    """Spell a text as `spell` does, however many signs it has, none among them.

    Args:
        text, language: as of `spell`.

    Returns:
        Signs in order.

    Raises:
        UserError: the language is unknown.
    """
    if language not in LANGUAGES:
        raise errors.UserError(
            f"Natural voices do not speak {language!r}; choose of "
            f"{', '.join(LANGUAGES)}."
        )
    signs: list[Sign] = []
    with _reader(language) as read:
        for clause, mark in _clauses(text):
            said = _said(read, clause)
            for sounds, is_emphasized in said:
                word = signs[-1].word + 1 if signs else 0
                spelled = _signs(sounds, language, is_emphasized, word)
                signs += [Sign("", " ", word=word)] if signs and spelled else []
                signs += spelled
            if signs and signs[-1].symbol and said:
                signs[-1] = dataclasses.replace(signs[-1], ends_phrase=True)
                signs += [Sign("", mark, word=signs[-1].word)] if mark else []
    return signs


def num_tokens(signs: list[Sign]) -> int:
    """Return how many tokens signs are to the network."""
    return sum(len(sign.letters) for sign in signs)


def without_marks(text: str) -> str:
    """Return a text without the asterisks of emphasis."""
    return _EMPHASIZED.sub(r"\1", text)


def _clauses(text: str):
    """Yield words of each clause and the mark after it, "" if there is none."""
    # Each emphasised word between asterisks of its own, so that no mark parts a pair.
    text = _EMPHASIZED.sub(lambda found: _WORD.sub(r"*\g<0>*", found[1]), text)
    for words, marks in _CLAUSE.findall(text.translate(_OPENING)):
        if words.strip():
            yield words, marks[:1]


@contextlib.contextmanager
def _reader(language: str) -> Iterator[Callable[[str], list[str]]]:
    """Yield what spells words of a clause, their sounds parted by `_SEPARATOR`."""
    if language == "ja":
        yield lambda text: [
            _SEPARATOR.join(japanese.sounds(word)) for word in japanese.words(text)
        ]
        return
    with espeak.loaded(language) as (library, _):
        yield lambda text: _words(espeak.spell(library, text, _SEPARATOR))


def _said(read: Callable[[str], list[str]], clause: str) -> list[tuple[str, bool]]:
    """Return IPA of each word of a clause and whether the word is emphasised.

    The clause as a whole tells how its words are said ("a" in full only if alone), its
    pieces how many words are said before an emphasised one.
    """
    pieces = list(_pieces(clause))
    apart = [read(piece) for piece, _ in pieces]
    flags = [
        is_emphasized
        for (_, is_emphasized), words in zip(pieces, apart, strict=True)
        for _ in words
    ]
    joined = " ".join(piece for piece, _ in pieces)
    whole = read(joined)
    if len(whole) != len(flags):
        whole = [word for words in apart for word in words]
    return list(zip(whole, flags, strict=True))


def _pieces(clause: str):
    """Yield parts of a clause and whether each is emphasised."""
    # Split by a pattern with one group: every other part is what the group held.
    for place, words in enumerate(_EMPHASIZED.split(clause)):
        if words.strip():
            yield words.replace("*", " "), place % 2 == 1


def _words(ipa: str) -> list[str]:
    """Split IPA into words, without the marks of foreign ones, such as "(en)"."""
    return re.sub(r"\([a-z-]+\)", "", ipa).split()


def _signs(sounds: str, language: str, is_emphasized: bool, word: int) -> list[Sign]:
    """Return the sounds of a word that the network can say."""
    signs = []
    for sound in sounds.split(_SEPARATOR):
        symbol = sound.strip(_STRESS + "-")
        letters = _letters(sound, language)
        if symbol and letters:
            signs.append(Sign(symbol, letters, "ˈ" in sound, is_emphasized, word))
    if is_emphasized and not any(sign.is_stressed for sign in signs):
        _stress(signs)
    if signs:
        signs[-1] = dataclasses.replace(signs[-1], ends_word=True)
    return signs


def _stress(signs: list[Sign]) -> None:
    """Stress the first vowel of a word that has no main stress of its own."""
    for place, sign in enumerate(signs):
        if sign.symbol[0] in _VOWELS:
            letters = "ˈ" + sign.letters.strip(_STRESS)
            signs[place] = dataclasses.replace(sign, letters=letters, is_stressed=True)
            return


def _letters(sound: str, language: str) -> str:
    """Return a sound in the letters of the network, stress first."""
    stress = "".join(letter for letter in sound if letter in _STRESS)
    plain = sound.strip(_STRESS)
    if language.startswith("en"):
        plain = _ENGLISH.get(plain, plain)
    if language == "en-us":
        plain = _AMERICAN.get(plain, plain).replace("ː", "")
    for pair, letter in _PAIRS.items():
        plain = plain.replace(pair, letter)
    known = "".join(letter for letter in plain if letter in model.vocabulary())
    return stress + known if known else ""
