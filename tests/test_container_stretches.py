"""A stretch of a file equals the same stretch of the whole, and little more is read."""

import fractions

import av
import numpy as np
import pytest

from vasa_jax import audio, container, media

SECONDS, SIDE = 12, 64
START, END = 7.4, 9.0


NAMES = "a.mp4 a.mkv a.avi a.mov a.mpg late.mkv live.mkv torn.avi".split()


@pytest.fixture(scope="module", params=NAMES)
def recording(request, tmp_path_factory):
    """Grey rises from frame to frame, and the sound's pitch with it.

    The stamps of `late` begin at 100 s, as in a piece that was cut out of a file, and
    `live` and `torn` have no index.
    """
    path = tmp_path_factory.mktemp("stretch") / request.param
    times = np.arange(SECONDS * 48_000) / 48_000
    sound = (0.3 * np.sin(600 * times + 100 * times**2)).astype(np.float32)
    codecs = {"mpg": ("mpeg1video", "mp2"), "avi": ("mpeg4", "ac3")}
    picture_codec, sound_codec = codecs.get(path.suffix[1:], ("libx264", "aac"))
    first = 100 if path.stem == "late" else 0
    options = {"live": "1"} if path.stem == "live" else {}
    with av.open(str(path), "w", options=options) as file:
        picture = file.add_stream(picture_codec, rate=25)
        picture.width = picture.height = SIDE
        picture.pix_fmt, picture.gop_size = "yuv420p", 10
        heard = file.add_stream(sound_codec, rate=48_000, layout="mono")
        for index in range(SECONDS * 25):
            grey = np.full((SIDE, SIDE, 3), index * 255 // (SECONDS * 25), np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
            frame.pts, frame.time_base = first * 25 + index, fractions.Fraction(1, 25)
            file.mux(picture.encode(frame))
            part = sound[index * 1920 :][:1920]
            frame = av.AudioFrame.from_ndarray(part[None], "fltp", "mono")
            frame.sample_rate = 48_000
            frame.pts = first * 48_000 + index * 1920
            frame.time_base = fractions.Fraction(1, 48_000)
            file.mux(heard.encode(frame))
        file.mux(picture.encode(None))
        file.mux(heard.encode(None))
    if path.stem == "torn":
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 85 // 100])
    return path


def test_frames_of_a_stretch_are_those_of_the_whole(recording):
    whole = list(media.iterate_video(recording))
    part = list(media.iterate_video(recording, start_seconds=START, end_seconds=END))
    assert len(part) == round((END - START) * 25)
    np.testing.assert_array_equal(part, whole[round(START * 25) : round(END * 25)])
    rest = list(media.iterate_video(recording, start_seconds=START))
    np.testing.assert_array_equal(rest, whole[round(START * 25) :])


def test_sound_of_a_stretch_is_that_of_the_whole(recording):
    whole = audio.load_waveform(recording)
    part = audio.load_waveform(recording, start_seconds=START, end_seconds=END)
    assert len(part) == round((END - START) * 16_000)
    # Some formats round their stamps to milliseconds.
    first = round(START * 16_000)
    apart = [
        np.abs(part - whole[first + lag :][: len(part)])[100:].max()
        for lag in range(-8, 9)
    ]
    assert min(apart) < 0.03


def test_nothing_lies_beyond_the_end(recording):
    beyond = SECONDS + 5.0
    assert list(media.iterate_video(recording, start_seconds=beyond)) == []
    assert len(audio.load_waveform(recording, start_seconds=beyond)) == 0


def test_files_with_an_index_are_read_from_shortly_before(recording):
    with container.opened(recording, recording, "video", "") as opened:
        time, _ = next(opened.decode(opened.picture, START))
    if recording.name in ("a.mpg", "torn.avi"):
        assert time < 0.1
    else:
        assert START - 2 < time <= START
