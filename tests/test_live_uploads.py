"""Pictures and sounds of strangers: decoded beside the server, or refused."""

import asyncio
import os
import pathlib

import live_serving
import numpy as np
import pytest

from vasa_jax.errors import UserError
from vasa_jax.live import decode_program, limits, uploads


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "not one that can be read"),
        (os.urandom(5000), "not one that can be read"),
        (live_serving.png()[:60], "broken"),
        (live_serving.wav(np.zeros(8000)), "not one that can be read"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "not one that can be read"),
        (live_serving.png(300, 300), "at most 0 megapixels"),
    ],
)
def test_what_is_no_picture_is_refused_with_a_sentence(data, sentence):
    with pytest.raises(UserError, match=sentence):
        decode_program.decode_picture(data, max_pixels=10_000)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "no sound"),
        (b"noise" + os.urandom(5000), "no sound"),
        (b"RIFF" + os.urandom(5000), "cannot be read"),
        (live_serving.wav(np.zeros(8000))[:50], "sound"),
        (live_serving.png(), "no sound"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n", "no sound"),
        (b"ffconcat version 1.0\nfile /etc/hostname\n", "no sound"),
        (live_serving.wav(np.zeros(40_000)), "longer than 2 s"),
    ],
)
def test_what_is_no_sound_is_refused_with_a_sentence(data, sentence, tmp_path):
    with pytest.raises(UserError, match=sentence) as raised:
        decode_program.decode_sound(data, 2.0, tmp_path)
    assert str(tmp_path) not in str(raised.value)


def test_a_play_list_behind_a_tag_of_an_mp3_reads_no_other_file(tmp_path):
    other = tmp_path / "other.wav"
    other.write_bytes(live_serving.wav(np.full(32_000, 0.5)))
    list_of_files = f"#EXTM3U\n#EXTINF:1,\n{other}\n#EXT-X-ENDLIST\n".encode()
    folder = tmp_path / "folder"
    folder.mkdir()
    for tag in (b"ID3\x04\0\0\0\0\0\0", b"ID3\x03\0\0\0\0\0\n" + bytes(10)):
        with pytest.raises(UserError):
            decode_program.decode_sound(tag + list_of_files, 9.0, folder)


def test_a_picture_comes_through_the_process_as_it_was():
    data = live_serving.png(24, 40)
    picture = asyncio.run(uploads.decode_picture(data, limits.Limits()))
    assert picture.shape == (24, 40, 3) and (picture == 90).all()


def test_a_sound_comes_through_the_process_as_it_was():
    sound = np.sin(np.arange(8000) * 0.1).astype(np.float32) * 0.5
    data = live_serving.wav(sound)
    heard = asyncio.run(uploads.decode_sound(data, limits.Limits()))
    np.testing.assert_allclose(heard, sound, atol=1e-4)


def test_a_decoder_that_takes_too_long_is_ended():
    # The second that is allowed passes before the packages are imported.
    data = live_serving.png()
    allowed = limits.Limits(decode_seconds=0)
    with pytest.raises(UserError, match="cannot be decoded"):
        asyncio.run(uploads.decode_picture(data, allowed))


def test_nothing_is_left_of_an_upload(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(UserError):
        asyncio.run(uploads.decode_sound(b"RIFF" + bytes(99), limits.Limits()))
    assert not list(pathlib.Path(tmp_path).iterdir())
