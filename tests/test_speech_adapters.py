"""Functions and commands speak; what goes wrong with them is told in one sentence."""

import sys
import wave

import numpy as np
import pytest

from vasa_jax import errors, types
from vasa_jax.speech import adapters


def hum(seconds=0.5, rate=types.SAMPLE_RATE_HZ, hertz=200):
    times = np.arange(round(seconds * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * hertz * times)).astype(np.float32)


def test_a_function_says_each_line_without_marks_of_emphasis():
    asked = []

    def say(words):
        asked.append(words)
        return hum()

    pieces = adapters.FunctionSpeaker(say).speak("I *did*. [pause 0.5] And you?")
    assert not asked
    first = next(pieces)
    assert asked == ["I did."] and first.dtype == np.float32
    whole = np.concatenate([first, *pieces])
    assert asked == ["I did.", "And you?"]
    loud = np.flatnonzero(np.abs(whole) > 0.01)
    pause = np.diff(loud).max() / types.SAMPLE_RATE_HZ
    assert pause == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 48_000])
def test_sounds_of_any_rate_in_pieces_of_either_type_keep_pitch_and_length(rate):
    samples = hum(1.0, rate)
    in_pieces = np.array_split((samples * 32767).astype(np.int16), 7)
    for given in (samples, in_pieces):
        speaker = adapters.FunctionSpeaker(lambda words, given=given: given, rate)
        (said, _) = speaker.speak("Go")
        assert len(said) == pytest.approx(1.1 * types.SAMPLE_RATE_HZ, abs=300)
        peak = np.abs(np.fft.rfft(said * np.hanning(len(said)))).argmax()
        hertz = peak * types.SAMPLE_RATE_HZ / len(said)
        assert hertz == pytest.approx(200, abs=2)
        assert np.abs(said).max() == pytest.approx(0.3, abs=0.02)


def endless(words):
    while True:
        yield np.zeros(types.SAMPLE_RATE_HZ * 60, np.float32)


@pytest.mark.parametrize(
    "function, told",
    [
        (lambda words: np.zeros((3, 2)), r"float64 \[3, 2\] for 'Hello'"),
        (lambda words: np.zeros(3, np.int64), r"int64 \[3\]"),
        (lambda words: np.full(3, np.nan), "no finite numbers"),
        (lambda words: np.zeros(0), "no samples for 'Hello'"),
        (lambda words: [], "no samples"),
        (endless, "longer than 300 s"),
    ],
)
def test_what_is_no_sound_is_refused_in_a_sentence(function, told):
    with pytest.raises(errors.UserError, match=told):
        list(adapters.FunctionSpeaker(function).speak("Hello"))


def test_impossible_rates_and_empty_commands_are_refused():
    with pytest.raises(errors.UserError, match="sample_rate_hz is 16"):
        adapters.FunctionSpeaker(hum, 16)
    with pytest.raises(errors.UserError, match="empty"):
        adapters.CommandSpeaker(" ")


@pytest.fixture
def recorded(tmp_path):
    """A wav of a second, 22,050 samples a second."""
    with wave.open(str(tmp_path / "hum.wav"), "wb") as file:
        file.setparams((1, 2, 22_050, 0, "NONE", ""))
        file.writeframes((hum(1.0, 22_050) * 32767).astype(np.int16).tobytes())
    return tmp_path / "hum.wav"


def test_a_command_reads_words_and_writes_a_sound(recorded, tmp_path):
    heard = tmp_path / "heard"
    command = ["sh", "-c", f"cat >> '{heard}'; cat '{recorded}'"]
    pieces = list(adapters.CommandSpeaker(command).speak("Déjà *vu*. Bon!"))
    assert heard.read_text(encoding="utf-8") == "Déjà vu.\nBon!\n"
    assert len(pieces) == 3
    assert len(pieces[0]) == pytest.approx(1.1 * types.SAMPLE_RATE_HZ, abs=300)


def test_a_wav_whose_header_knows_no_length_is_read_to_its_end(recorded, tmp_path):
    streamed = bytearray(recorded.read_bytes())
    streamed[4:8] = streamed[40:44] = b"\xff\xff\xff\xff"
    (tmp_path / "streamed.wav").write_bytes(streamed)
    speaker = adapters.CommandSpeaker(f"cat {tmp_path / 'streamed.wav'}")
    said, _ = speaker.speak("Go")
    assert len(said) == pytest.approx(1.1 * types.SAMPLE_RATE_HZ, abs=300)


@pytest.mark.parametrize(
    "command, told",
    [
        ("no-such-program", "'no-such-program' cannot be run .* check its name"),
        (["sh", "-c", "echo first >&2; echo no voice >&2; exit 3"], r"3 \(no voice\)"),
        (["sh", "-c", "exit 4"], "failed with code 4.$"),
        ("true", "no sound that can be read"),
        ("echo this is text", "no sound that can be read"),
        (["sh", "-c", "sleep 1000 & wait"], "took longer than 0.3 s"),
    ],
)
def test_a_command_that_cannot_speak_is_told_of_in_a_sentence(command, told):
    speaker = adapters.CommandSpeaker(command, timeout_seconds=0.3)
    if "sleep" not in str(command):
        speaker = adapters.CommandSpeaker(command)
    with pytest.raises(errors.UserError, match=told):
        list(speaker.speak("Hello"))


def test_a_command_that_never_stops_writing_is_stopped(monkeypatch):
    monkeypatch.setattr(adapters, "_MOST_BYTES", 2**20)
    program = "import sys\nwhile True: sys.stdout.write('x' * 4096)"
    with pytest.raises(errors.UserError, match="writes more than 1 MiB"):
        list(adapters.CommandSpeaker([sys.executable, "-c", program]).speak("Hello"))
