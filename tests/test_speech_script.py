"""Typed text becomes lines: sentences, emphasis, pauses, and never too much at once."""

import time

import pytest

from vasa_jax import errors
from vasa_jax.speech import script


def texts(text):
    return [line.text for line in script.parse(text)]


def test_the_first_clause_is_a_line_of_its_own_and_then_each_sentence():
    assert texts("Good morning everyone, this is it. Now, we begin! Do we?") == [
        "Good morning everyone,",
        "this is it.",
        "Now, we begin!",
        "Do we?",
    ]
    assert texts("Yes, I will go.") == ["Yes, I will go."]


def test_marks_pause_longer_the_more_they_end():
    lines = script.parse("One thing more; so. And here…\n\nA paragraph, at last")
    pauses = {line.text[-1]: line.pause for line in lines}
    assert pauses[";"] < pauses["."] < pauses["…"]
    assert pauses["…"] == 0.8 > pauses["t"] > 0


@pytest.mark.parametrize(
    "text, lines",
    [
        ("Wait. [pause 0.5] Go.", [("Wait.", 0.5), ("Go.", 0.4)]),
        ("Wait [Pause 2] now.", [("Wait,", 2.0), ("now.", 0.4)]),
        ("[pause 1]Go. [pause 0] Now", [("", 1.0), ("Go.", 0.0), ("Now", 0.1)]),
        ("Go. [pause 1] [pause 2]", [("Go.", 3.0)]),
    ],
)
def test_a_written_pause_takes_the_place_of_a_marks(text, lines):
    assert [(line.text, line.pause) for line in script.parse(text)] == lines


@pytest.mark.parametrize(
    "text, line",
    [
        ("I *did* see", "I *did* see"),
        ("I *did see* it", "I *did* *see* it"),
        ("a **bold** one", "a *bold* one"),
        ("*3.14*, no", "*3.14*, no"),
        ("2 * 3 * 4", "2 3 4"),
        ("a lone* one", "a lone one"),
    ],
)
def test_words_between_asterisks_are_emphasised_and_other_asterisks_are_nothing(
    text, line
):
    (found,) = script.parse(text)
    assert found.text == line
    assert "*" not in found.plain


def test_emphasis_goes_on_after_a_mark_and_a_pause():
    assert texts("*Stop. [pause 1] Now* or never.") == ["*Stop*.", "*Now* or never."]


@pytest.mark.parametrize(
    "text",
    [
        "Mr. Smith paid 3.14 dollars to J. K. Jones.",
        "It takes e.g. two.",
        "It is 10:30 and 1,000 people.",
    ],
)
def test_marks_that_end_no_sentence_are_known(text):
    assert len(texts(text)) == 1


def test_other_scripts_marks_end_sentences():
    assert texts("日本語です。いいですね！はい") == [
        "日本語です.",
        "いいですね!",
        "はい",
    ]


@pytest.mark.parametrize(
    "text",
    ["word " * 2000, "a" * 10_000, "one thing, " * 900, "日本" * 5000, "5" * 10_000],
)
def test_a_text_of_any_length_comes_in_short_lines(text):
    lines = script.parse(text)
    assert max(len(line.text) for line in lines) <= script.MOST_LETTERS
    said = "".join(line.plain for line in lines)
    assert said.replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    "text",
    ["*" * 9000 + "a", ".,;" * 4000 + "a", "a[pause" * 1500, "*a" + ".," * 5000 + "b*"]
    + ["a" + " \n" * 5000, "a. " * 3000, "a*" * 5000, "\x00\u200b" * 5000 + "a"],
)
def test_no_text_takes_long_to_read(text):
    # Of the order of a second where it is read in steps as many as its letters, and of
    # minutes where in as many as their square.
    start = time.process_time()
    assert script.parse(text)
    assert time.process_time() - start < 20


@pytest.mark.parametrize(
    "text, told",
    [("", "nothing to say"), (" ?! … *", "nothing to say"), ("😀 ☃", "nothing to say")]
    + [("[pause 1]", "nothing to say"), ("\ud800", "UTF-8")]
    + [("[pause] a", "0 to 30"), ("a [pause x]", "pause x"), ("[pause 99]", "0 to 30")],
)
def test_what_is_no_text_is_refused_in_a_sentence(text, told):
    with pytest.raises(errors.UserError, match=told):
        script.parse(text)
