"""Performances: voices, lips, eyes and heads do what people's do."""

import numpy as np
import pytest

from datasets.synthetic_heads.performance import (
    emotions,
    expressions,
    gaze,
    performance,
    phrasing,
    prosody,
    resampling,
    sound,
    speech,
    texts,
    visemes,
    voices,
)
from datasets.synthetic_heads.person import geometry
from datasets.synthetic_heads.records import plan
from datasets.synthetic_heads.rendering import ground_truth, scene
from vasa_jax import arkit as arkit_lib
from vasa_jax import errors, types

TEXT = "Maybe my brother Peter never forgot five purple plums."


def request(seed=1, emotion="neutral", strength=0.0, num_frames=75):
    return performance.Request(
        seed=seed,
        num_frames=num_frames,
        emotion=emotion,
        emotion_strength=strength,
        voice=voices.Voice(variant="m3"),
        head_distance=1.0,
    )


def lip_gaps(arkit, identity_seed=3):
    """Return the signed gap of the inner lips of each frame, in eye distances."""
    shape = geometry.build_geometry(identity_seed)
    rest = np.zeros(3)
    gaps = []
    for weights in arkit:
        state = geometry.FrameState(weights, np.zeros(2), rest, rest)
        gaps.append(ground_truth.mouth_opening(geometry.pose_head(shape, state)))
    return np.array(gaps)


@pytest.fixture(scope="module")
def performances():
    emotions = ("neutral", "happiness", "surprise", "disgust", "fear", "sadness")
    return [
        performance.perform(request(seed, emotion, 0.8 * (emotion != "neutral")))
        for seed, emotion in enumerate(emotions)
    ]


def test_the_same_request_gives_equal_arrays_whatever_was_performed_before():
    first = performance.perform(request(7))
    performance.perform(request(8, "anger", 1.0))
    again = performance.perform(request(7))
    for name in ("waveform", "audio", "arkit", "rotation", "translation", "gaze"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert first.phonemes == again.phonemes


def test_a_performance_has_a_value_for_each_frame(performances):
    one = performances[0]
    assert one.audio.shape == (75 * types.SAMPLES_PER_FRAME,)
    assert one.audio.dtype == np.int16
    shapes = dict(viseme=(), arkit=(52,), blink=(), rotation=(3,), gaze=(2,))
    for name, shape in shapes.items():
        assert getattr(one, name).shape == (75, *shape), name


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


@pytest.mark.parametrize(
    "symbol, expected",
    [("p", ["PP"]), ("aɪ", ["aa", "ih"]), ("tʃ", ["CH"]), ("uː", ["ou"]), ("", ["sil"])]
    + [("ɑ̃", ["aa"]), ("ð", ["TH"]), ("ŋ", ["kk"]), ("ʘ", ["ax"])],
)
def test_phonemes_have_the_visemes_of_their_lips(symbol, expected):
    assert [visemes.VISEMES[index] for index in visemes.of_phoneme(symbol)] == expected


def test_segments_cover_the_time_without_gaps():
    phonemes = (speech.Phoneme(0.2, 0.3, "aɪ"), speech.Phoneme(0.5, 0.6, "m"))
    starts, ends, shapes = visemes.segments(phonemes, 1.0)
    np.testing.assert_allclose(starts[1:], ends[:-1])
    assert (starts[0], ends[-1]) == (0.0, 1.0)
    spelled = [visemes.VISEMES[shape] for shape in shapes]
    assert spelled == ["sil", "aa", "ih", "sil", "PP", "sil"]


def test_a_held_vowel_reaches_its_own_weights():
    phonemes = (speech.Phoneme(0.0, 4.0, "ɑ"),)
    weights = visemes.articulate(phonemes, 100, np.ones(100))
    expected = visemes.VISEME_WEIGHTS[visemes.VISEMES.index("aa")]
    np.testing.assert_allclose(weights[50], expected, atol=1e-3)


def test_lips_are_shut_in_bilabials_and_apart_in_open_vowels(performances):
    for one in performances:
        gaps = lip_gaps(one.arkit)
        shut = one.viseme == visemes.CLOSED_LIPS
        loud_vowel = (one.viseme == visemes.VISEMES.index("aa")) & (one.energy > 0.5)
        assert gaps[shut].max(initial=0) < 0.03, one.emotion
        if loud_vowel.any():
            assert gaps[loud_vowel].max() > 0.12, one.emotion


def test_every_bilabial_shuts_the_lips_in_some_frame(performances):
    for one in performances:
        held = visemes.closures(one.phonemes, 75, visemes.CLOSED_LIPS)
        for phoneme in one.phonemes:
            if phoneme.symbol in ("p", "b", "m") and 0.1 < phoneme.start < 2.8:
                middle = 0.5 * (phoneme.start + phoneme.end) * types.FRAME_RATE_HZ
                around = held[int(middle - 0.5) : int(middle + 1.5)]
                assert around.max() > 0.95, phoneme


def test_the_mouth_rests_shut_in_silence_under_every_emotion():
    for seed, emotion in enumerate(types.EMOTIONS):
        generator = np.random.default_rng(seed)
        silence = np.zeros((20, 52), np.float32)
        weights = expressions.combine(
            silence,
            emotions.show(emotion, 1.0, 20, generator),
            np.zeros(20),
            np.zeros(20),
            visemes.rest((), 20, 0.1),
            np.zeros(20),
        )
        assert lip_gaps(weights).max() < 0.06, emotion


def test_a_bared_smile_parts_the_lips_in_silence_and_bilabials_shut_them():
    num_frames = 25
    smiles = [
        emotions.bared_smile(num_frames, np.random.default_rng(seed))
        for seed in range(12)
    ]
    for weights in smiles:
        gaps = lip_gaps(weights[[0, -1]])
        assert gaps.max() > 0.08
    # Some come or go, most stay.
    changes = [np.ptp(weights.max(axis=1)) > 0.5 for weights in smiles]
    assert 0 < sum(changes) < 8
    rest = np.zeros((num_frames, 52), np.float32)
    shut = np.ones(num_frames)
    shown = expressions.combine(rest, smiles[0], shut, 0 * shut, 0 * shut, 0 * shut)
    assert lip_gaps(shown).max() < 0.06


def test_only_some_happy_performances_bare_their_teeth():
    def bared(share):
        settings = plan.Settings(bared_smiles_share=share)
        clips = [c for i in range(60) for c in plan.clips_of(settings, i)]
        happy = [c for c in clips if c.request.emotion == "happiness"]
        assert not any(c.request.bares_teeth for c in clips if c not in happy)
        return np.mean([c.request.bares_teeth for c in happy])

    assert bared(0.0) == 0 and bared(1.0) == 1 and 0.2 < bared(0.5) < 0.8


def test_mouth_opening_goes_with_the_energy_of_the_voice(performances):
    at_lag = []
    for one in performances:
        gaps, energy = lip_gaps(one.arkit), one.energy
        at_lag.append(
            [
                np.corrcoef(gaps[8 + lag : 67 + lag], energy[8:67])[0, 1]
                for lag in (-6, -4, -2, 0, 2, 4, 6)
            ]
        )
    means = np.mean(at_lag, axis=0)
    assert means[3] > 0.4
    assert means.argmax() == 3


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


def test_main_gaze_fills_its_range_and_stays_in_it():
    generator = np.random.default_rng(0)
    draws = np.array([gaze.random_main_gaze(generator) for _ in range(600)])
    farthest = np.rad2deg(np.abs(draws).max(axis=0))
    assert 23 < farthest[0] <= 25 and 13.5 < farthest[1] <= 15


def test_gaze_stays_around_its_main_direction(performances):
    off = np.rad2deg([np.abs(one.gaze - one.main_gaze) for one in performances])
    usual = np.median(off, axis=1)
    assert (np.median(usual, axis=0) < (4, 3)).all()
    assert np.mean(off[..., 0] < 6) > 0.6
    for one in performances:
        assert np.rad2deg(np.abs(one.gaze)).max() < 38


def test_eyes_hold_the_gaze_while_the_head_turns():
    turn = np.linspace(-0.25, 0.25, 20)
    rotation = np.stack([turn, 0.3 * turn, -0.2 * turn], axis=1)
    wanted = np.tile([0.1, -0.05], (20, 1))
    camera = scene.camera(yaw=0.08, pitch=-0.05).axes.T
    eyes = gaze.in_head(wanted, rotation, camera)
    np.testing.assert_allclose(
        gaze.in_camera(eyes, rotation, camera), wanted, atol=1e-5
    )
    assert eyes[0, 0] > eyes[-1, 0] + 0.4


def test_eyes_stop_at_their_limits():
    wanted = np.tile([0.8, 0.5], (3, 1))
    eyes = gaze.in_head(wanted, np.zeros((3, 3)), np.eye(3))
    np.testing.assert_allclose(eyes[:, 0], gaze.EYE_YAW_RADIANS, rtol=1e-6)
    np.testing.assert_allclose(eyes[:, 1], gaze.EYE_PITCH_RADIANS, rtol=1e-6)


def test_heads_keep_within_a_natural_range(performances):
    for one in performances:
        assert np.rad2deg(np.abs(one.rotation)).max() < 46
        steps = np.rad2deg(np.abs(np.diff(one.rotation, axis=0)))
        assert 0.02 < steps.mean() < 1.0 and steps.max() < 5


def test_contempt_is_one_sided_and_happiness_is_not():
    left = arkit_lib.index("mouthSmileLeft")
    right = arkit_lib.index("mouthSmileRight")
    for emotion, low, high in (("happiness", 0, 0.35), ("contempt", 0.9, 1.01)):
        generator = np.random.default_rng(0)
        found = []
        for _ in range(12):
            weights = emotions.show(emotion, 1.0, 5, generator)[0]
            sides = weights[left], weights[right]
            if max(sides) > 0.05:
                found.append(1 - min(sides) / max(sides))
        assert low <= np.median(found) <= high, emotion


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


def test_a_contrasted_emotion_changes_the_face_and_nothing_else():
    angry = request(3, "anger", 1.0)
    happy = performance.contrast(angry, "happiness", 1.0)
    # A contrast of a contrast has the first one's voice, too.
    again = performance.contrast(happy, "anger", 1.0)
    first, other, back = map(performance.perform, (angry, happy, again))
    kept = ("waveform", "audio", "viseme", "blink", "main_gaze", "energy")
    for name in kept:
        np.testing.assert_array_equal(getattr(first, name), getattr(other, name))
    assert first.phonemes == other.phonemes and first.text == other.text
    for name in (*kept, "arkit", "rotation", "translation", "gaze"):
        np.testing.assert_array_equal(getattr(first, name), getattr(back, name))
    smile = arkit_lib.index("mouthSmileLeft")
    frown = arkit_lib.index("browDownLeft")
    assert np.median(other.arkit[:, smile] - first.arkit[:, smile]) > 0.6
    assert np.median(first.arkit[:, frown] - other.arkit[:, frown]) > 0.6
    shut = first.viseme == visemes.CLOSED_LIPS
    assert shut.any()
    assert max(lip_gaps(one.arkit[shut]).max() for one in (first, other)) < 0.03
    # The head keeps its movements, carried otherwise.
    turns = np.stack([first.rotation[:, 0], other.rotation[:, 0]])
    assert np.corrcoef(turns)[0, 1] > 0.98


def test_a_voice_is_coloured_by_its_own_emotion_only():
    sad = request(5, "sadness", 1.0)
    loud = performance.perform(performance.contrast(sad, "anger", 1.0))
    angry = performance.perform(request(5, "anger", 1.0))
    assert not np.array_equal(loud.waveform, angry.waveform)


PROTOTYPES = {
    "happiness": ("mouthSmileLeft", "mouthSmileRight", "cheekSquintLeft"),
    "sadness": ("browInnerUp", "mouthFrownLeft", "mouthFrownRight"),
    "anger": ("browDownLeft", "browDownRight"),
    "surprise": ("browInnerUp", "browOuterUpLeft", "eyeWideLeft"),
    "disgust": ("noseSneerLeft", "noseSneerRight", "mouthUpperUpLeft"),
    "fear": ("browInnerUp", "eyeWideLeft", "mouthStretchLeft"),
}


@pytest.mark.parametrize("emotion", PROTOTYPES)
def test_emotions_show_their_action_units_at_full_strength_and_hint_at_them(emotion):
    units = [arkit_lib.index(name) for name in PROTOTYPES[emotion]]
    for seed in range(20):
        full, hint = (
            emotions.show(emotion, strength, 25, np.random.default_rng(seed))[:, units]
            for strength in (1.0, 0.3)
        )
        assert full.min() > 0.4
        assert 0.12 < hint.min() and hint.max() < 0.36


def test_a_full_emotion_is_seen_in_speech_too():
    weights = emotions.show("happiness", 1.0, 50, np.random.default_rng(1))
    vowel = visemes.articulate((speech.Phoneme(0, 2, "ɑ"),), 50, np.ones(50))
    nothing = np.zeros(50)
    shown = expressions.combine(vowel, weights, nothing, nothing, nothing, nothing)
    corner = arkit_lib.index("mouthSmileLeft")
    assert shown[10:-10, corner].min() > 0.6
    np.testing.assert_allclose(lip_gaps(shown)[25], lip_gaps(vowel)[25], atol=0.12)


def test_the_mouth_falls_open_in_silent_surprise_and_not_in_sadness():
    for emotion, low, high in (("surprise", 0.6, 1.0), ("sadness", 0.0, 0.01)):
        weights = emotions.show(emotion, 1.0, 5, np.random.default_rng(0))
        parted = emotions.parted_lips(weights)
        assert low <= parted.min() and parted.max() <= high, emotion


def test_phrases_end_at_pauses_and_where_the_voice_says_so():
    times = ((0.2, 0.5), (0.5, 0.9), (1.0, 1.2), (1.5, 1.9), (1.9, 2.4))
    phonemes = tuple(
        speech.Phoneme(start, end, "a", ends_phrase=start == 1.5)
        for start, end in times
    )
    said = speech.Speech(np.zeros(48_000, np.float32), phonemes, "")
    accent = np.zeros(75, np.float32)
    accent[[12, 14, 40]] = 0.5, 0.9, 0.3
    silence = np.zeros(75, np.float32)
    curves = prosody.Prosody(silence, silence, accent, silence, silence)
    found = phrasing.of_speech(said, curves)
    np.testing.assert_allclose(found.starts, (0.2, 1.5, 1.9))
    np.testing.assert_allclose(found.ends, (1.2, 1.9, 2.4))
    np.testing.assert_allclose(found.accents, (0.58, 1.62))
    np.testing.assert_allclose(found.accent_sizes, (0.9, 0.3))


def test_a_silent_clip_has_no_phrases():
    silence = speech.Speech(np.zeros(48_000, np.float32), (), "")
    found = phrasing.of_speech(silence, prosody.measure(silence.waveform))
    assert not len(found.starts) and not len(found.accents)


def test_silence_with_noise_stays_quiet():
    heard = sound.vary(np.zeros(16_000, np.float32), np.random.default_rng(3))
    assert np.isfinite(heard).all()
