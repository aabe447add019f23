"""Sound and picture lie on one clock, and what a damaged file still holds is read."""

import re
import struct
import wave

import av
import numpy as np
import odd_media
import pytest

from vasa_jax import audio, errors, media


def _loud(waveform):
    """Tell for each hundredth of a second whether it sounds."""
    whole = waveform[: len(waveform) // 160 * 160].reshape(-1, 160)
    return np.abs(whole).max(axis=1) > 0.1


def _grey(num_frames):
    levels = np.arange(num_frames, dtype=np.uint8) % 100 * 2 + 20
    return np.broadcast_to(levels[:, None, None, None], (num_frames, 32, 32, 3))


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "aac"),
        ("a.mkv", "libopus"),
        ("a.ts", "aac"),
        ("a.flv", "aac"),
        ("b.mkv", "libmp3lame"),
    ],
)
def test_holes_in_the_time_stamps_are_silence(tmp_path, name, codec):
    path = tmp_path / name
    odd_media.write(
        path,
        _grey(100),
        odd_media.tone(4.0),
        audio_codec=codec,
        keeps=odd_media.without_sound_between(1.0, 2.5),
    )
    waveform = audio.load_waveform(path)
    assert abs(len(waveform) - 64_000) < 1_000
    # A packet lasts 0.02 s, and formats that begin late do so by 0.06 s at most.
    loud = _loud(waveform)
    assert loud[8:100].all() and loud[258:395].all()
    assert not loud[110:250].any()


def test_a_single_lost_packet_leaves_what_follows_in_its_place(tmp_path):
    voice = np.zeros(4 * odd_media.RATE, np.float32)
    voice[3 * odd_media.RATE :] = odd_media.tone(1.0)
    odd_media.write(
        tmp_path / "a.mp4",
        waveform=voice,
        keeps=lambda packet: not 0.5 < packet.pts * packet.time_base % 1 < 0.53,
    )
    first = np.flatnonzero(np.abs(audio.load_waveform(tmp_path / "a.mp4")) > 0.1)[0]
    assert abs(first - 48_000) < 40


def test_recordings_joined_end_to_end_play_on(tmp_path):
    path = tmp_path / "one.ts"
    odd_media.write(path, _grey(50), odd_media.tone(2.0))
    num_frames, num_samples = media.count_frames(path), audio.count_samples(path)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(2 * path.read_bytes())
    assert abs(media.count_frames(joined) - 2 * num_frames) <= 1
    assert abs(audio.count_samples(joined) - 2 * num_samples) < 800
    second = list(media.iterate_video(joined))[-1]
    assert abs(int(second.mean()) - 118) <= 2


@pytest.mark.parametrize(
    ("name", "options", "codec"),
    [
        ("a.mp4", {"movflags": "frag_keyframe+empty_moov"}, "aac"),
        ("a.mp4", {"movflags": "faststart"}, "aac"),
        ("a.mkv", {}, "libopus"),
        ("a.flv", {}, "aac"),
    ],
    ids=["fragments", "mp4", "mkv", "flv"],
)
def test_of_a_recording_that_breaks_off_what_came_before_is_kept(
    tmp_path, name, options, codec
):
    path = tmp_path / name
    noise = np.random.default_rng(0).integers(0, 255, (100, 32, 32, 3), np.uint8)
    odd_media.write(
        path,
        noise,
        odd_media.tone(4.0),
        audio_codec=codec,
        container_options=options,
    )
    whole = list(media.iterate_video(path))
    data = path.read_bytes()
    path.write_bytes(data[: round(0.7 * len(data))])
    told = []
    kept = list(media.iterate_video(path, warn=told.append))
    assert 45 < len(kept) < 95
    np.testing.assert_array_equal(kept[:45], whole[:45])
    (sentence,) = told
    seconds = re.search(r"breaks off after (.*?) s", sentence).group(1)
    assert abs(float(seconds) - len(kept) / 25) < 0.15
    assert f"the {len(kept)} frames that remain" in sentence
    told.clear()
    assert audio.count_samples(path, told.append) > 12_000
    assert "breaks off after" in told[0]


def test_a_whole_recording_says_nothing(tmp_path):
    for name in ("a.mp4", "a.mkv", "a.ts", "a.flv"):
        path = tmp_path / name
        odd_media.write(path, _grey(25), odd_media.tone(1.0))
        told = []
        list(media.iterate_video(path, warn=told.append))
        audio.count_samples(path, told.append)
        assert not told


def test_stamps_that_jump_by_hours_are_refused(tmp_path):
    path = tmp_path / "a.mkv"

    def keeps(packet):
        if packet.pts * packet.time_base >= 1:
            packet.pts += round(7_300 / packet.time_base)
            packet.dts += round(7_300 / packet.time_base)
        return True

    odd_media.write(path, _grey(50), odd_media.tone(2.0), keeps=keeps)
    for read in (media.count_frames, audio.count_samples):
        with pytest.raises(errors.UserError, match="jump by 2 hours"):
            read(path)


@pytest.mark.parametrize("name", ["take1:final.wav", "o:2.mkv", "ein Lied, laut.mp4"])
def test_any_name_can_be_read(tmp_path, monkeypatch, name):
    odd_media.write(tmp_path / "a.mkv", _grey(10), odd_media.tone(0.5))
    (tmp_path / "a.mkv").rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert media.count_frames(name) == 10
    assert abs(audio.count_samples(name) - 8_000) < 200


def test_titles_in_other_encodings_do_no_harm(tmp_path):
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 8_000))
    title = "Bär".encode("latin-1") + b"\0"
    chunk = b"INFOINAM" + struct.pack("<I", len(title)) + title
    data = path.read_bytes() + b"LIST" + struct.pack("<I", len(chunk)) + chunk
    path.write_bytes(b"RIFF" + struct.pack("<I", len(data) - 8) + data[8:])
    with pytest.raises(UnicodeDecodeError):
        av.open(str(path))
    assert audio.count_samples(path) == 8_000


def test_a_stream_of_an_unknown_codec_is_no_sound(tmp_path):
    path = tmp_path / "a.mka"
    odd_media.write(path, waveform=odd_media.tone(0.5))
    path.write_bytes(path.read_bytes().replace(b"A_AAC", b"A_QQQ"))
    with pytest.raises(errors.UserError, match="holds no sound"):
        audio.count_samples(path)
