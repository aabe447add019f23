"""Videos are read frame by frame and in time."""

import fractions
import io
import struct

import av
import made_frames
import numpy as np
import pytest

from vasa_jax import errors, media


@pytest.mark.parametrize("interval", [1, 7, 250])
def test_chosen_frames_equal_those_of_the_whole_clip(interval):
    data = media.encode_video(made_frames.waves(), keyframe_interval=interval)
    whole = media.decode_video(data)
    indices = [29, 0, 7, 6, 13, 13, 14, -2]
    np.testing.assert_array_equal(media.decode_video(data, indices), whole[indices])
    with pytest.raises(IndexError):
        media.decode_video(data, [30])


def test_chosen_frames_are_right_in_open_groups():
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"x264-params": "open-gop=1:keyint=8:bframes=3:scenecut=0"}
        for frame in made_frames.waves():
            picture = av.VideoFrame.from_ndarray(frame)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    whole = media.decode_video(buffer.getvalue())
    for index in range(len(whole)):
        one = media.decode_video(buffer.getvalue(), [index])
        np.testing.assert_array_equal(one[0], whole[index])


@pytest.mark.parametrize(
    ("stored", "wanted", "expected"),
    [
        (25, 25, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (50, 25, [0, 2, 4, 6, 8]),
        (5, 10, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9]),
        (30, 25, [0, 1, 2, 4, 5, 6, 7, 8]),
    ],
)
def test_a_video_is_resampled_to_the_nearest_frames(tmp_path, stored, wanted, expected):
    path = tmp_path / "clip.mp4"
    path.write_bytes(media.encode_video(made_frames.numbered(10), frame_rate_hz=stored))
    numbers = made_frames.numbers(media.iterate_video(path, frame_rate_hz=wanted))
    if wanted == 10:  # a stored frame lies half-way between two output frames
        assert len(numbers) == len(expected)
        assert np.abs(np.subtract(numbers, expected)).max() <= 1
    else:
        assert numbers == expected


@pytest.mark.parametrize(("stored", "wanted"), [(25, 25), (50, 25), (10, 25), (30, 25)])
def test_one_frame_in_n_is_what_a_slice_of_all_would_give(tmp_path, stored, wanted):
    path = tmp_path / "a.mp4"
    path.write_bytes(media.encode_video(made_frames.numbered(20), stored))
    frames = list(media.iterate_video(path, frame_rate_hz=wanted))
    assert media.count_frames(path, frame_rate_hz=wanted) == len(frames)
    for every in (2, 3, 7, 100):
        some = list(media.iterate_video(path, frame_rate_hz=wanted, every=every))
        np.testing.assert_array_equal(some, frames[::every])


def test_uneven_timestamps_are_resampled_by_time(tmp_path):
    path = tmp_path / "uneven.mp4"
    milliseconds = [0, 40, 80, 280, 320, 360]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = fractions.Fraction(1, 1000)
        for time, frame in zip(milliseconds, made_frames.numbered(6), strict=True):
            picture = av.VideoFrame.from_ndarray(frame)
            picture.pts = time
            picture.time_base = fractions.Fraction(1, 1000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    numbers = made_frames.numbers(media.iterate_video(path))
    assert numbers[:10] == [0, 1, 2, 2, 2, 3, 3, 3, 4, 5]


@pytest.mark.parametrize(
    ("matrix", "clockwise_turns"), [((0, 1, -1, 0), 1), ((-1, 0, 0, -1), 2)]
)
def test_the_rotation_that_a_phone_stores_is_applied(tmp_path, matrix, clockwise_turns):
    frames = made_frames.waves(2)
    data = bytearray(media.encode_video(frames))
    # ISO/IEC 14496-12: 16.16 numbers a, b, u, c, d, ... 40 bytes into the track header.
    start = data.find(b"tkhd") + 4 + 40
    for place, value in zip((0, 4, 12, 16), matrix, strict=True):
        data[start + place : start + place + 4] = struct.pack(">i", value << 16)
    path = tmp_path / "phone.mp4"
    path.write_bytes(data)
    read = np.stack(list(media.iterate_video(path)))
    expected = np.rot90(frames, -clockwise_turns, axes=(1, 2))
    assert read.shape == expected.shape
    assert made_frames.psnr(read, expected) > 38
    info = media.probe_video(path)
    assert (info.height, info.width) == expected.shape[1:3]


def test_corrupt_videos_are_refused(tmp_path):
    data = media.encode_video(made_frames.waves(10))
    for broken in (b"", b"text", data[:100], data[: len(data) // 2]):
        path = tmp_path / "broken.mp4"
        path.write_bytes(broken)
        with pytest.raises(errors.UserError, match="video|picture"):
            media.decode_video(broken)
        with pytest.raises(errors.UserError, match="video|picture"):
            list(media.iterate_video(path))
        with pytest.raises(errors.UserError, match="video|picture"):
            media.probe_video(path)


def test_missing_files_and_files_without_picture_are_refused(tmp_path):
    with pytest.raises(errors.UserError, match="does not exist"):
        media.probe_video(tmp_path / "nothing.mp4")
    sound = tmp_path / "sound.wav"
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1600), np.int16), "s16", "mono")
        frame.sample_rate = 16_000
        container.mux(stream.encode(frame))
    with pytest.raises(errors.UserError, match="holds no picture"):
        list(media.iterate_video(sound))
