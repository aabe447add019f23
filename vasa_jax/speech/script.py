"""Typed text as lines to say: sentences, emphasised words, and the pauses between."""

import dataclasses
import itertools
import re

from vasa_jax import errors

MOST_LETTERS = 200
"""Of a line. Ours: speaking networks are best at up to so many sounds, and what is said
at once is waited for at once."""

_LEAST_LETTERS = 12
"""Of the clause that is said first. Ours: shorter ones sound hurried alone."""

_LONGEST_WORD = 30
"""Ours: no word of the languages is longer; what is, such as a row of digits, is broken
so that it can be said at all."""

_PAUSE_SECONDS = {
    **{".": 0.4, "!": 0.4, "?": 0.4, "…": 0.6},
    **{",": 0.2, ";": 0.3, ":": 0.3, "—": 0.3, "": 0.1},
}
"""Silence after a line by the mark that ends it. Ours: as the natural voices pause
within a line."""

_PARAGRAPH_SECONDS = 0.8
_MOST_PAUSE_SECONDS = 30.0

_MARKS = ".,;:!?…—"
_CLOSING = "\"'”’»)]"
_CONTINUED = ","
"""Put after words that a pause parts from the rest of their sentence, so that the voice
does not fall."""

_OTHER_MARKS = str.maketrans(
    {"。": ". ", "、": ", ", "，": ", ", "！": "! ", "？": "? ", "：": ": ", "；": "; "}
    | {"।": ". ", "–": "—", "\u00a0": " "}
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\ufeff]")
_ABBREVIATED = re.compile(
    r"\b(Mr|Mrs|Ms|Dr|Prof|St|Jr|Mme|Mlle|Sr|Sra|Sig|Dott|[A-HJ-Z])\.(?=\s+\w)"
)
_INITIALS = re.compile(r"(\.\w)\.(?=\s+[a-z])")
"""Their dot ends no sentence. Ours: titles before names, initials, and e.g."""

_PAUSE = re.compile(r"\[\s*pause\b\s*([^\]]*)\]", re.IGNORECASE)
_EMPHASIS = re.compile(r"\*(?=\S)([^*]+)(?<=\S)\*")
_WORD_OR_PAUSE = re.compile(
    rf"(\[\s*pause\b[^\]]*\])|(\S*[^\s{_MARKS}])", re.IGNORECASE
)
_EMPHATIC = "\ue000"
"""Stands for an asterisk that is meant. Ours: of Unicode's private use."""

_LONG_WORD = re.compile(rf"[^\s\u2e80-\uffef]{{{_LONGEST_WORD + 1},}}")
"""Ours: Japanese and Chinese have no spaces between words."""

_PARAGRAPH = re.compile(r"\n\s*\n")
_SENTENCE = re.compile(rf".+?(?:[.!?…][{re.escape(_CLOSING)}*]*(?=\s)|$)", re.DOTALL)
_CLAUSE = re.compile(
    rf".+?(?:[{_MARKS}][{re.escape(_CLOSING)}*]*(?=\s)|—|$)", re.DOTALL
)


@dataclasses.dataclass(frozen=True)
class Line:
    """What is said at once.

    Attributes:
        text: words and marks, each emphasised word between asterisks of its own; ""
            where nothing is said.
        pause: seconds of silence after it.
    """

    text: str
    pause: float

    @property
    def plain(self) -> str:
        """Return the text without the asterisks of emphasis."""
        return self.text.replace("*", "")


def parse(text: str) -> list[Line]:
    """Read typed text.

    Ours: sentences are said one by one, the first clause first of all, so that a face
    can begin to speak; a sentence that is too long is said by clauses, and a clause by
    words.

    Args:
        text: words; `*words*` are emphasised, marks pause, an empty line pauses longer,
            and `[pause 0.5]` pauses so many seconds.

    Returns:
        Lines in order, at least one of them with words.

    Raises:
        UserError: there are no words, a pause has no length, or the text is no text.
    """
    _check(text)
    text = _tidied(text)
    lines: list[Line] = []
    paused = 0.0
    # Split by a pattern with one group: every other part is what the group held.
    for place, part in enumerate(_PAUSE.split(_mark_emphasis(text))):
        if place % 2:
            paused += _seconds(part)
            lines = _paused(lines, paused)
        elif said := _lines(part, is_first=not lines):
            lines += said
            paused = 0.0
    if not any(line.text for line in lines):
        raise errors.UserError(
            f"There is nothing to say in the text {text[:40]!r}; give words."
        )
    return lines


def _check(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise errors.UserError(
            "The text holds bytes that are no letters; give it as UTF-8."
        ) from error


def _tidied(text: str) -> str:
    """Write every text the same way: marks, repeated marks, dots that end nothing."""
    text = _CONTROL.sub(" ", text.translate(_OTHER_MARKS))
    for pattern, replacement in (
        (r"\.{2,}", "…"),
        (r"\s--?\s", " — "),
        (r"([^\w\s])\1+", r"\1"),
        (rf"([{_MARKS}])[{_MARKS}]+", r"\1"),
        (r"[^\S\n]+", " "),
        (_ABBREVIATED, r"\1"),
        (_INITIALS, r"\1"),
    ):
        text = re.sub(pattern, replacement, text)
    return text


def _mark_emphasis(text: str) -> str:
    """Put each emphasised word between asterisks of its own, and drop all others."""

    def marked(found: re.Match) -> str:
        return found[1] or f"{_EMPHATIC}{found[2]}{_EMPHATIC}"

    text = _EMPHASIS.sub(lambda found: _WORD_OR_PAUSE.sub(marked, found[1]), text)
    return text.replace("*", " ").replace(_EMPHATIC, "*")


def _seconds(written: str) -> float:
    """Return the length of a pause."""
    try:
        seconds = float(written)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= _MOST_PAUSE_SECONDS:
        raise errors.UserError(
            f"'[pause {written.strip()}]' holds no number of seconds from 0 to "
            f"{_MOST_PAUSE_SECONDS:g}; write such as [pause 0.5]."
        )
    return seconds


def _paused(lines: list[Line], seconds: float) -> list[Line]:
    """Put a pause in the place of the one that the last line has by its mark."""
    if not lines or not lines[-1].text:
        return [Line("", seconds)]
    text = lines[-1].text
    text += "" if _mark(text) else _CONTINUED
    return [*lines[:-1], Line(text, seconds)]


def _lines(text: str, is_first: bool) -> list[Line]:
    """Cut a text without pauses into lines."""
    lines = []
    for paragraph in _PARAGRAPH.split(text):
        for sentence in _SENTENCE.findall(paragraph):
            for words in _pieces(" ".join(sentence.split()), is_first):
                lines.append(Line(words, _PAUSE_SECONDS[_mark(words)]))
                is_first = False
        if lines:
            longer = max(lines[-1].pause, _PARAGRAPH_SECONDS)
            lines[-1] = dataclasses.replace(lines[-1], pause=longer)
    if lines:
        pause = _PAUSE_SECONDS[_mark(lines[-1].text)]
        lines[-1] = dataclasses.replace(lines[-1], pause=pause)
    return lines


def _pieces(sentence: str, is_first: bool) -> list[str]:
    """Cut a sentence where it is too long, or after the clause that is said first."""
    sentence = _LONG_WORD.sub(lambda found: _broken(found[0]), sentence)
    clauses = _CLAUSE.findall(sentence)
    num_first = len(clauses)
    if is_first:
        lengths = itertools.accumulate(map(len, clauses))
        num_first = 1 + sum(length < _LEAST_LETTERS for length in lengths)
    parts = ["".join(clauses[:num_first]), "".join(clauses[num_first:])]
    pieces = [piece.strip() for part in parts for piece in _short(part)]
    return [piece for piece in pieces if any(map(str.isalnum, piece))]


def _broken(word: str) -> str:
    return " ".join(re.findall(f".{{1,{_LONGEST_WORD}}}", word))


def _short(text: str) -> list[str]:
    """Cut a text into pieces of at most `MOST_LETTERS`, by clauses or else by words."""
    if len(text) <= MOST_LETTERS:
        return [text]
    clauses = _CLAUSE.findall(text)
    if len(clauses) > 1:
        return [piece for part in _packed(clauses) for piece in _short(part)]
    return _packed(re.findall(rf"\s*\S{{1,{MOST_LETTERS - 1}}}", text))


def _packed(parts: list[str]) -> list[str]:
    """Join neighbours as far as they are short enough together."""
    packed = [""]
    for part in parts:
        if len(packed[-1]) + len(part) > MOST_LETTERS:
            packed.append("")
        packed[-1] += part
    return packed


def _mark(text: str) -> str:
    """Return the mark that ends a text, "" if none does."""
    last = text.rstrip(_CLOSING + "* ")[-1:]
    return last if last in _MARKS else ""
