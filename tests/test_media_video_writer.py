"""Videos come back as they were written, frame by frame and in time."""

import fractions
import os
import pathlib
import subprocess
import sys

import av
import made_frames
import numpy as np
import pytest

from vasa_jax import errors, media, types
from vasa_jax.audio import waveform as waveform_lib


def _tone(seconds, hertz=440.0):
    time = np.arange(round(seconds * types.SAMPLE_RATE_HZ)) / types.SAMPLE_RATE_HZ
    return (0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def test_decoded_frames_are_close_to_the_encoded():
    frames = made_frames.waves()
    decoded = media.decode_video(media.encode_video(frames))
    assert decoded.shape == frames.shape
    assert decoded.dtype == np.uint8
    assert made_frames.psnr(decoded, frames) > 38


def test_flat_colours_keep_their_hue():
    colours = [(200, 40, 40), (30, 180, 60), (40, 60, 210), (255, 255, 255), (0, 0, 0)]
    frames = np.stack([np.full((32, 32, 3), colour, np.uint8) for colour in colours])
    decoded = media.decode_video(media.encode_video(frames, keyframe_interval=1))
    assert np.abs(decoded.astype(int) - frames).max() <= 4


def test_colours_stay_in_their_place():
    ramp = np.arange(64)
    frame = np.zeros((48, 64, 3), np.uint8)
    frame[..., 0], frame[..., 1], frame[..., 2] = 60 + 2 * ramp, 200 - 2 * ramp, 120
    decoded = media.decode_video(media.encode_video(frame[None], 25, 1))[0]
    shift = (decoded.astype(np.float64) - frame)[8:-8, 8:-8].mean(axis=(0, 1))
    assert np.abs(shift).max() < 0.5  # half a pixel of shift would be 1


def test_equal_frames_give_equal_bytes():
    frames = made_frames.waves(10)
    assert media.encode_video(frames) == media.encode_video(frames)


_ENCODE_MOVING_PATCHES = """
import hashlib
import numpy as np
from vasa_jax import media

generator = np.random.default_rng(0)
digest = hashlib.md5()
for _ in range(40):
    scene = np.kron(generator.integers(0, 255, (6, 6, 3)), np.ones((8, 8, 1)))
    frames = []
    for _ in range(10):
        x, y = generator.integers(0, 9, 2)
        grain = generator.normal(0, 6, (32, 32, 3))
        frames.append(scene[y : y + 32, x : x + 32] + grain)
    frames = np.clip(np.stack(frames), 0, 255).astype(np.uint8)
    digest.update(media.encode_video(frames, keyframe_interval=5))
print(digest.hexdigest())
"""


def test_what_lay_in_memory_before_has_no_part_in_the_bytes():
    def encode(filling):
        return subprocess.run(
            [sys.executable, "-c", _ENCODE_MOVING_PATCHES],
            env=os.environ | {"MALLOC_PERTURB_": filling},
            cwd=pathlib.Path(__file__).parent.parent,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    assert encode("1") == encode("85")


def test_frames_that_cannot_be_encoded_are_refused():
    for shape in ((0, 8, 8, 3), (2, 7, 8, 3), (2, 8, 8, 4), (8, 8, 3)):
        with pytest.raises(ValueError, match="frames|pixels"):
            media.encode_video(np.zeros(shape, np.uint8))


def test_the_writer_makes_a_file_that_browsers_play(tmp_path):
    path = tmp_path / "talk.mp4"
    frames = made_frames.waves(30)
    with media.VideoWriter(path, 48, 64, waveform=_tone(1.31)) as writer:
        for start in range(0, 30, 8):
            writer.write(frames[start : start + 8])
        assert not path.exists()
    assert [entry.name for entry in tmp_path.iterdir()] == ["talk.mp4"]
    data = path.read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")
    with av.open(str(path)) as container:
        video, audio = container.streams
        assert video.codec_context.name == "h264"
        assert video.codec_context.pix_fmt == "yuv420p"
        assert audio.codec_context.name == "aac"
        assert video.duration * video.time_base == fractions.Fraction(30, 25)
        assert abs(audio.duration * audio.time_base - 1.2) < 0.001
        assert video.average_rate == 25
    info = media.probe_video(path)
    assert (info.height, info.width, info.frame_rate_hz) == (48, 64, 25.0)
    assert info.has_sound
    assert info.duration_seconds == pytest.approx(1.2, abs=0.05)
    read = np.stack(list(media.iterate_video(path)))
    assert read.shape == frames.shape
    assert made_frames.psnr(read, frames) > 38


def _with_alpha(path):
    """Decode a WebM with its alpha, which FFmpeg's own VP9 decoder leaves out."""
    decoder = av.CodecContext.create("libvpx-vp9", "r")
    with av.open(str(path)) as container:
        packets = container.demux(video=0)
        frames = [frame for packet in packets for frame in decoder.decode(packet)]
    return np.stack([frame.to_ndarray(format="rgba") for frame in frames])


def test_webm_holds_alpha_and_sound(tmp_path):
    path = tmp_path / "talk.webm"
    colours = made_frames.waves(30)
    alpha = np.zeros((30, 48, 64, 1), np.uint8)
    for index in range(30):
        alpha[index, :, 10 + index : 30 + index] = 255
    frames = np.concatenate([colours, alpha], axis=-1)
    with media.VideoWriter(path, 48, 64, _tone(1.2), has_alpha=True) as writer:
        writer.write(frames)
    read = _with_alpha(path)
    assert read.shape == frames.shape
    assert made_frames.psnr(read[..., :3], colours) > 36
    assert np.abs(read[..., 3].astype(int) - frames[..., 3]).mean() < 4
    info = media.probe_video(path)
    assert (info.height, info.width, info.has_sound) == (48, 64, True)
    assert made_frames.psnr(np.stack(list(media.iterate_video(path))), colours) > 36


def test_webm_without_alpha_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "talk.webm"
    with media.VideoWriter(path, 47, 63) as writer:
        writer.write(made_frames.waves(12, 47, 63))
    read = np.stack(list(media.iterate_video(path)))
    assert read.shape == (12, 48, 64, 3)
    assert made_frames.psnr(read[:, :47, :63], made_frames.waves(12, 47, 63)) > 36


def test_alpha_is_refused_where_no_file_holds_it(tmp_path):
    with pytest.raises(errors.UserError, match=r"only \.webm holds alpha"):
        media.check_video_path(tmp_path / "talk.mp4", has_alpha=True)
    with (
        pytest.raises(ValueError, match=r"\[T, 32, 32, 4\]"),
        media.VideoWriter(tmp_path / "a.webm", 32, 32, has_alpha=True) as writer,
    ):
        writer.write(made_frames.numbered(1))


@pytest.mark.parametrize("name", ["talk.mp4", "talk.webm"])
def test_the_sound_of_a_written_video_is_in_time(tmp_path, name):
    path = tmp_path / name
    waveform = np.zeros(16_000, np.float32)
    waveform[8_000:12_000] = _tone(0.25)
    with media.VideoWriter(path, 32, 32, waveform=waveform) as writer:
        writer.write(made_frames.numbered(25))
    read = waveform_lib.load_waveform(path)
    loud = np.flatnonzero(np.abs(read) > 0.2)
    assert abs(loud[0] - 8_000) < 80
    assert abs(loud[-1] - 12_000) < 80
    correlation = np.correlate(read[7_000:13_000], waveform[8_000:12_000], "valid")
    assert abs(int(correlation.argmax()) - 1_000) <= 2


def test_sound_in_pieces_gives_the_file_that_the_whole_gives(tmp_path):
    waveform = _tone(1.31)
    pieces = np.split(waveform, [0, 1, 700, 12_345])
    for name, sound in {"whole.mp4": waveform, "pieces.mp4": iter(pieces)}.items():
        with media.VideoWriter(tmp_path / name, 32, 32, waveform=sound) as writer:
            for start in range(0, 40, 7):
                writer.write(made_frames.numbered(40)[start : start + 7])
    whole, in_pieces = ((tmp_path / f"{n}.mp4") for n in ("whole", "pieces"))
    assert whole.read_bytes() == in_pieces.read_bytes()


def test_no_more_sound_is_read_than_the_frames_need(tmp_path):
    num_read = 0

    def endless():
        nonlocal num_read
        while True:
            num_read += 1
            yield np.zeros(640, np.float32)

    with media.VideoWriter(tmp_path / "a.mp4", 32, 32, waveform=endless()) as writer:
        for num_frames in range(1, 31):
            writer.write(made_frames.numbered(30)[num_frames - 1 : num_frames])
            assert num_read == num_frames


def test_odd_sizes_repeat_their_last_row_and_column(tmp_path):
    path = tmp_path / "odd.mp4"
    frames = made_frames.waves(5, 47, 63)
    with media.VideoWriter(path, 47, 63) as writer:
        writer.write(frames)
    read = np.stack(list(media.iterate_video(path)))
    assert read.shape == (5, 48, 64, 3)
    assert made_frames.psnr(read[:, :47, :63], frames) > 36


def test_an_error_removes_the_partial_video_and_keeps_the_older(tmp_path):
    path = tmp_path / "talk.mp4"
    path.write_bytes(b"older")
    for num_frames in (0, 3):
        with (
            pytest.raises(KeyboardInterrupt),
            media.VideoWriter(path, 32, 32, waveform=_tone(1.0)) as writer,
        ):
            writer.write(made_frames.numbered(3)[:num_frames])
            raise KeyboardInterrupt
    with pytest.raises(ValueError, match="no frame"), media.VideoWriter(path, 32, 32):
        pass
    with (
        pytest.raises(ValueError, match=r"\[T, 32, 32, 3\]"),
        media.VideoWriter(path, 32, 32) as writer,
    ):
        writer.write(made_frames.numbered(1, size=16))
    assert [entry.read_bytes() for entry in tmp_path.iterdir()] == [b"older"]


def test_outputs_that_cannot_be_written_are_refused_at_once(tmp_path):
    with pytest.raises(errors.UserError, match=r"\.mp4"):
        media.VideoWriter(tmp_path / "talk.avi", 32, 32)
    for path in (tmp_path / "missing" / "talk.mp4", tmp_path / "folder.mp4"):
        (tmp_path / "folder.mp4").mkdir(exist_ok=True)
        with pytest.raises(errors.UserError, match="Cannot write"):
            media.VideoWriter(path, 32, 32).__enter__()


def test_a_place_is_checked_without_leaving_anything(tmp_path):
    path = tmp_path / "talk.mp4"
    media.check_video_path(path)
    path.write_text("old")
    media.check_video_path(path)
    assert [p.read_text() for p in tmp_path.iterdir()] == ["old"]
    (tmp_path / "folder.mp4").mkdir()
    for name in ("talk.avi", "missing/talk.mp4", "folder.mp4", "a" * 300 + ".mp4"):
        with pytest.raises(errors.UserError, match="Cannot write|must end in .mp4"):
            media.check_video_path(tmp_path / name)
