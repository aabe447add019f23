"""Changes of a voice on its way: what they leave, what they take, and no delay."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest

from vasa_jax import types
from vasa_jax.audio import degradations, opus

ROOT = pathlib.Path(__file__).parent.parent
RATE = types.SAMPLE_RATE_HZ


def voice(num_samples=4 * RATE):
    """Return syllables of a buzzing pitch, with a long pause in the middle."""
    times = np.arange(num_samples) / RATE
    pitch = 140 + 30 * np.sin(2 * np.pi * 0.7 * times)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    buzz = sum(np.sin(k * phase) / k for k in range(1, 25))
    syllables = np.clip(np.sin(2 * np.pi * 2.3 * times), 0, 1)
    syllables *= (times < 1.5) | (times > 2.5)
    hiss = np.random.default_rng(0).normal(size=num_samples)
    return np.float32(0.1 * buzz * syllables + 0.001 * hiss)


def decibels(samples):
    return 10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-20)


def lag_samples(heard, waveform):
    size = 2 * len(waveform)
    product = np.fft.rfft(heard, size) * np.fft.rfft(waveform, size).conj()
    lag = int(np.fft.irfft(product, size).argmax())
    return lag if lag < len(waveform) else lag - size


@pytest.mark.parametrize("name", degradations.CHANGES)
def test_a_change_delays_nothing_and_keeps_the_length(name):
    waveform = voice()
    for seed in range(4):
        heard = degradations.CHANGES[name](waveform, np.random.default_rng(seed))
        assert (heard.shape, heard.dtype) == (waveform.shape, np.float32)
        assert np.abs(heard).max() <= 1
        assert abs(lag_samples(heard, waveform)) <= 0.005 * RATE


@pytest.mark.parametrize("name", degradations.CHANGES)
def test_a_change_is_the_same_again_and_leaves_its_input(name):
    waveform = voice(RATE)
    before = waveform.copy()
    first, again = (
        degradations.CHANGES[name](waveform, np.random.default_rng(3)) for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(waveform, before)
    assert np.abs(first - waveform).max() > 1e-3


@pytest.mark.parametrize("name", degradations.CHANGES)
@pytest.mark.parametrize("num_samples", [160, 399, 4001])
def test_short_sounds_and_silence_pass(name, num_samples):
    heard = degradations.CHANGES[name](
        np.zeros(num_samples, np.float32), np.random.default_rng(0)
    )
    assert heard.shape == (num_samples,) and np.isfinite(heard).all()
    assert np.abs(heard).max() < 1e-3


def test_gains_differ_by_up_to_ten_decibels_either_way():
    waveform = 0.1 * voice(RATE)
    gains = [
        decibels(degradations.change_gain(waveform, np.random.default_rng(seed)))
        - decibels(waveform)
        for seed in range(40)
    ]
    assert -10.01 < min(gains) < -7 and 7 < max(gains) < 10.01


def test_a_gain_settles_within_two_seconds():
    waveform = 0.05 * np.ones(4 * RATE, np.float32)
    for seed in range(8):
        heard = degradations.settle_gain(waveform, np.random.default_rng(seed))
        gain = 20 * np.log10(heard / waveform)
        assert np.abs(gain[2 * RATE :]).max() < 0.5 + 1e-3
        assert abs(gain[0]) > abs(gain[RATE]) > abs(gain[2 * RATE])


def test_a_gate_empties_pauses_and_leaves_speech():
    waveform = voice()
    heard = degradations.gate_pauses(waveform, np.random.default_rng(1))
    pause = slice(int(1.9 * RATE), int(2.4 * RATE))
    assert np.abs(waveform[pause]).max() > 0 == np.abs(heard[pause]).max()
    loud = np.abs(waveform) > 0.1
    np.testing.assert_array_equal(heard[loud], waveform[loud])


@pytest.mark.parametrize("name", ["noise", "music"])
def test_noise_and_music_lie_ten_decibels_below_the_voice(name):
    waveform = voice()
    added = degradations.CHANGES[name](waveform, np.random.default_rng(2)) - waveform
    steps = np.square(waveform[: len(waveform) // 320 * 320]).reshape(-1, 320).mean(1)
    spoken = steps[steps >= 0.01 * steps.max()]
    assert decibels(added) - 10 * np.log10(spoken.mean()) == pytest.approx(-10, abs=0.2)


def test_a_room_rings_for_half_a_second():
    click = np.zeros(RATE, np.float32)
    click[0] = 0.5
    heard = degradations.enter_room(click, np.random.default_rng(0))
    assert heard[0] == pytest.approx(0.5, abs=1e-6)
    early = decibels(heard[RATE // 20 : RATE // 10])
    late = decibels(heard[int(0.4 * RATE) : int(0.45 * RATE)])
    assert -52 < late - early < -32  # 60 dB in half a second over 0.35 s: -42
    assert np.abs(heard[RATE // 2 + 1 :]).max() < 1e-6


@pytest.mark.parametrize(
    "hertz, passes", [(100, False), (400, True), (3000, True), (3600, False)]
)
def test_a_telephone_passes_its_band(hertz, passes):
    tone = np.float32(0.3 * np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE))
    heard = degradations.telephone(tone, np.random.default_rng(0))[2000:-2000]
    kept = decibels(heard) - decibels(tone)
    assert abs(kept) < 0.1 if passes else kept < -30


def test_opus_is_nearer_to_the_voice_the_more_bits_it_has():
    waveform = voice()

    def levels(samples):
        rows = samples[: len(samples) // 400 * 400].reshape(-1, 400)
        return 20 * np.log10(np.abs(np.fft.rfft(rows * np.hanning(400))) + 0.1)

    errors = [
        np.abs(levels(opus.code(waveform, rate)) - levels(waveform)).mean()
        for rate in (8_000, 16_000, 64_000)
    ]
    assert errors[2] < 0.8 * errors[1] < 0.8 * errors[0] < 4


def test_voices_change_without_ffmpeg_but_for_codecs():
    program = (
        "import sys; sys.modules['av'] = None\n"
        "import numpy as np\n"
        "from vasa_jax.audio import degradations\n"
        "chance, voice = np.random.default_rng(0), np.ones(16000, np.float32)\n"
        "for name, change in degradations.CHANGES.items():\n"
        "    if name != 'opus':\n"
        "        assert len(change(voice, chance)) == 16000\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_a_share_of_voices_is_changed_each_in_one_way():
    waveform = voice(RATE)
    heard = [
        degradations.change_some(waveform, 0.5, np.random.default_rng(seed))
        for seed in range(24)
    ]
    num_same = sum(one is waveform for one in heard)
    assert 5 < num_same < 19
    changed = {one.tobytes() for one in heard if one is not waveform}
    assert len(changed) > 4
    generator = np.random.default_rng(0)
    assert degradations.change_some(waveform, 0.0, generator) is waveform
    assert degradations.change_some(waveform, 1.0, generator) is not waveform
