"""Voices say the same each time, and phonemes lie where their sound is."""

import numpy as np
import pytest

from datasets.synthetic_heads.performance import (
    performance,
    prosody,
    sound,
    texts,
    voices,
)
from vasa_jax import errors, types
from vasa_jax.audio import resampling
from vasa_jax.speech import speech

TEXT = "Maybe my brother Peter never forgot five purple plums."


@pytest.mark.parametrize("variants", [voices.TRAIN_VARIANTS, voices.TEST_VARIANTS])
def test_voices_say_the_same_samples_again_and_again(variants):
    for variant in sorted(set(variants))[:8]:
        voice = voices.Voice(variant=variant)
        first, again = voices.say(voice, TEXT), voices.say(voice, TEXT)
        np.testing.assert_array_equal(first.waveform, again.waveform)
        assert np.abs(first.waveform).max() > 0.05, variant


def test_every_accent_speaks_its_own_sentences():
    generator = np.random.default_rng(0)
    for language, spoken in voices.LANGUAGES.items():
        text = texts.sentence(spoken, generator)
        said = voices.say(voices.Voice(language=language), text)
        assert said.seconds > 0.7, (language, text)
        assert len(said.phonemes) > 6, (language, text)


def test_an_unknown_voice_is_named_in_the_error():
    with pytest.raises(errors.UserError, match="nowhere"):
        voices.say(voices.Voice(language="nowhere"), TEXT)


def test_phonemes_lie_where_the_voice_makes_their_sound():
    said = voices.say(voices.Voice(), TEXT)
    power = np.square(said.waveform)

    def level(symbols):
        rate = types.SAMPLE_RATE_HZ
        parts = [
            power[int(p.start * rate) : int(p.end * rate)].mean()
            for p in said.phonemes
            if p.symbol in symbols
        ]
        return np.mean(parts)

    assert level(("eɪ", "ʌ", "iː", "aɪ")) > 4 * level(("p", "t", "f"))


def test_a_played_back_voice_keeps_its_phonemes_in_place():
    slow = voices.say(voices.Voice(playback_rate=0.8), TEXT)
    usual = voices.say(voices.Voice(), TEXT)
    assert slow.seconds == pytest.approx(usual.seconds / 0.8, rel=1e-3)
    ratio = slow.phonemes[-1].start / usual.phonemes[-1].start
    assert ratio == pytest.approx(1 / 0.8, rel=1e-6)


def test_sadness_slows_a_voice_and_fear_hurries_it():
    voice = voices.Voice()
    rates = [
        performance.colour_voice(voice, emotion, 1.0).words_per_minute
        for emotion in ("sadness", "neutral", "fear")
    ]
    assert rates == sorted(rates) and rates[1] == voice.words_per_minute


def test_no_voice_of_the_test_split_is_heard_in_training():
    splits = (
        voices.TRAIN_VARIANTS,
        voices.VALIDATION_VARIANTS,
        voices.TEST_VARIANTS,
    )
    train, validation, test = map(set, splits)
    assert not (train & test or train & validation or validation & test)


def test_resampling_keeps_a_tone():
    ratio = 22_050 / 16_000
    tone = np.sin(2 * np.pi * 440 * np.arange(22_050) / 22_050).astype(np.float32)
    expected = np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    got = resampling.resample(tone, ratio)
    np.testing.assert_allclose(got[100:-100], expected[100:-100], atol=0.01)


def test_joined_speech_is_cut_where_it_was_joined():
    def note(level, symbol):
        phonemes = (speech.Phoneme(0.0, 0.5, symbol),)
        return speech.Speech(np.full(8000, level, np.float32), phonemes, symbol)

    whole = speech.join([note(1, "a"), note(2, "m")], [0.1, 0.2, 0.0])
    part = speech.cut(whole, 0.6, 0.5)
    np.testing.assert_array_equal(part.waveform[:3200], 0)
    np.testing.assert_array_equal(part.waveform[3200:], 2)
    (only,) = [p for p in part.phonemes if p.end - p.start > 1e-6]
    assert only.symbol == "m"
    assert (only.start, only.end) == pytest.approx((0.2, 0.5))


def test_prosody_hears_level_pitch_and_silence():
    time = np.arange(16_000) / types.SAMPLE_RATE_HZ
    glide = np.where(time < 0.5, 110.0, 165.0)
    voice = sum(
        np.sin(2 * np.pi * k * np.cumsum(glide) / 16_000) / k for k in (1, 2, 3)
    )
    voice[12_000:] = 0
    curves = prosody.measure((0.3 * voice).astype(np.float32))
    assert curves.energy.shape == (25,)
    assert curves.energy[20:].max() < 0.05 < 0.6 < curves.energy[3:15].min()
    assert curves.active[20:].max() == 0 and curves.active[3:15].min() == 1
    assert curves.pitch[15] - curves.pitch[6] == pytest.approx(np.log2(1.5), abs=0.1)


def test_sound_varies_but_keeps_its_time():
    waveform = voices.say(voices.Voice(), TEXT).waveform
    for seed in range(6):
        heard = sound.vary(waveform, np.random.default_rng(seed))
        again = sound.vary(waveform, np.random.default_rng(seed))
        np.testing.assert_array_equal(heard, again)
        assert heard.dtype == np.int16 and heard.shape == waveform.shape
        clean = np.fft.rfft(waveform, 2 * len(waveform))
        product = np.fft.irfft(np.fft.rfft(heard, 2 * len(waveform)) * clean.conj())
        lag = np.abs(product).argmax()
        assert min(lag, len(product) - lag) <= 8


def test_silence_with_noise_stays_quiet():
    heard = sound.vary(np.zeros(16_000, np.float32), np.random.default_rng(3))
    assert np.isfinite(heard).all()
