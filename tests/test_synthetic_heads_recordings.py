"""Recorded voices: aligned or recognised, performed, and kept to their split."""

import av
import numpy as np
import pytest

from datasets.synthetic_heads.performance import performance, recordings, voices
from vasa_jax import errors, types

TEXT = "Maybe my brother Peter never forgot five purple plums."


def write_flac(path, waveform):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=types.SAMPLE_RATE_HZ, layout="mono")
        samples = (waveform * 32767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = types.SAMPLE_RATE_HZ
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_a_recording_is_aligned_with_its_transcript(tmp_path):
    text = "Peter never bought a map of the moon"
    said = voices.say(voices.Voice(words_per_minute=140), text)
    write_flac(tmp_path / "7-1-0000.flac", said.waveform)
    (tmp_path / "7-1.trans.txt").write_text(f"7-1-0000 {text.upper()}\n")
    (found,) = recordings.find(str(tmp_path))
    assert (found.speaker, found.name) == ("7", "recording/7")
    part = recordings.excerpt(found, said.seconds + 1, 0.95, np.random.default_rng(0))

    def middles(phonemes):
        return [
            0.5 * (p.start + p.end) for p in phonemes if p.symbol in ("p", "b", "m")
        ]

    heard, expected = middles(part.phonemes), middles(said.phonemes)
    assert len(heard) == len(expected) == 5
    np.testing.assert_allclose(np.multiply(heard, 0.95), expected, atol=0.08)


def test_a_recording_without_words_is_recognised_and_performed(tmp_path):
    said = voices.say(voices.Voice(words_per_minute=140), TEXT)
    write_flac(tmp_path / "voice.flac", said.waveform)
    (found,) = recordings.find(str(tmp_path))
    assert found.transcript is None and found.speaker == tmp_path.name
    asked = performance.Request(5, 50, "neutral", 0.0, found, 1.0)
    done = performance.perform(asked)
    assert done.voice == found.name and len(done.phonemes) > 5
    again = performance.perform(asked)
    np.testing.assert_array_equal(done.arkit, again.arkit)


def test_speakers_of_recordings_belong_to_one_split_each():
    found = tuple(
        recordings.Recording(f"{speaker}-{take}.wav", f"{speaker:02d}", None)
        for speaker in range(20)
        for take in range(2)
    )
    parts = {
        split: recordings.of_split(found, split)
        for split in ("train", "validation", "test")
    }
    assert [len(part) for part in parts.values()] == [32, 4, 4]
    speakers = [{r.speaker for r in part} for part in parts.values()]
    assert not (speakers[0] & speakers[1] or speakers[0] & speakers[2])


@pytest.mark.parametrize("exists", [False, True])
def test_a_folder_without_recordings_is_refused(tmp_path, exists):
    folder = tmp_path if exists else tmp_path / "absent"
    with pytest.raises(errors.UserError, match="folder"):
        recordings.find(str(folder))
