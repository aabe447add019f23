"""Sound of any rate and format arrives as 16 kHz mono, in time, whole or in pieces."""

import io
import logging
import os
import pathlib
import tracemalloc
import wave

import av
import numpy as np
import pytest

from vasa_jax import audio, errors
from vasa_jax.audio import waveform as waveform_lib


def _write(place, channels, rate, codec="pcm_f32le", format="fltp", container=None):
    """Write float channels `[C, S]` in blocks of a thousand samples."""
    layout = {1: "mono", 2: "stereo"}[len(channels)]
    place = place if isinstance(place, io.BytesIO) else str(place)
    with av.open(place, "w", format=container) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        for start in range(0, channels.shape[1], 1000):
            block = np.ascontiguousarray(channels[:, start : start + 1000], np.float32)
            frame = av.AudioFrame.from_ndarray(block, format, layout)
            frame.sample_rate = rate
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _sine(hertz, rate, seconds=1.0):
    return np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)


def test_sixteen_kilohertz_mono_arrives_unchanged(tmp_path):
    samples = np.random.default_rng(0).uniform(-1, 1, (1, 5000)).astype(np.float32)
    _write(tmp_path / "a.wav", samples, 16_000)
    waveform = audio.load_waveform(tmp_path / "a.wav")
    assert waveform.dtype == np.float32
    np.testing.assert_array_equal(waveform, samples[0])


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000])
def test_a_sine_keeps_frequency_length_and_height(tmp_path, rate):
    _write(tmp_path / "a.wav", 0.5 * _sine(440.0, rate)[None], rate)
    waveform = audio.load_waveform(tmp_path / "a.wav")
    assert abs(len(waveform) - 16_000) <= 1
    middle = waveform[2_000:14_000]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), 64_000))
    assert abs(spectrum.argmax() * 16_000 / 64_000 - 440.0) <= 0.25
    assert np.abs(middle).max() == pytest.approx(0.5, abs=0.01)


def test_stereo_is_averaged(tmp_path):
    left, right = 0.6 * _sine(300.0, 44_100), 0.2 * _sine(300.0, 44_100)
    _write(tmp_path / "a.wav", np.stack([left, right]), 44_100)
    waveform = audio.load_waveform(tmp_path / "a.wav")
    assert np.abs(waveform[2_000:14_000]).max() == pytest.approx(0.4, abs=0.01)


@pytest.mark.parametrize(
    ("name", "codec", "format", "rate"),
    [
        ("a.flac", "flac", "s16", 16_000),
        ("a.mp3", "libmp3lame", "fltp", 44_100),
        ("a.m4a", "aac", "fltp", 44_100),
        ("a.ogg", "libopus", "flt", 48_000),
    ],
)
def test_packed_formats_arrive_in_time(tmp_path, name, codec, format, rate):
    click = np.zeros(rate)
    start = rate // 2
    click[start : start + rate // 50] = 0.8 * _sine(1000.0, rate, 0.02)
    path = tmp_path / name
    if format == "s16":
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=rate, layout="mono")
            block = np.round(click * 32_767).astype(np.int16)[None]
            frame = av.AudioFrame.from_ndarray(block, format, "mono")
            frame.sample_rate = rate
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    else:
        _write(path, click[None], rate, codec, format)
    loud = np.flatnonzero(np.abs(audio.load_waveform(path)) > 0.3)
    assert abs(loud.mean() - 8_160) < 60


@pytest.mark.parametrize(
    ("name", "codec", "format"),
    [
        ("a.wav", "pcm_s16le", "flt"),
        ("a.m4a", "aac", "fltp"),
        ("a.ogg", "libopus", "flt"),
    ],
)
def test_of_channels_in_opposite_phase_the_louder_is_taken(
    tmp_path, name, codec, format
):
    voice = _sine(440.0, 48_000)
    channels = np.stack([0.5 * voice, -0.5 * voice])
    _write_stereo(tmp_path / name, channels, codec, format)
    told = []
    waveform = np.concatenate(
        list(audio.iterate_waveform(tmp_path / name, told.append))
    )
    assert np.abs(waveform[2_000:14_000]).max() == pytest.approx(0.5, abs=0.03)
    (sentence,) = told
    assert "cancel each other" in sentence
    for usual in ([0.5, 0.5], [0.5, 0.0], [0.5, -0.3]):
        told.clear()
        channels = np.outer(usual, voice)
        _write_stereo(tmp_path / name, channels, codec, format)
        list(audio.iterate_waveform(tmp_path / name, told.append))
        assert not told


def _write_stereo(path, channels, codec, format):
    """Write `[2, S]`, as samples beside each other where the format is packed."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=48_000, layout="stereo")
        is_packed = format == "flt"
        samples = channels.T.reshape(1, -1) if is_packed else channels
        samples = np.ascontiguousarray(samples, np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format, "stereo")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("name", "codec", "options", "late_seconds"),
    [
        ("a.mp3", "libmp3lame", {}, 0),
        ("a.m4a", "aac", {}, 0),
        ("a.mkv", "libmp3lame", {}, 0),
        ("bare.mp3", "libmp3lame", {"write_xing": "0"}, 0.025),
        ("bare.aac", "aac", {}, 0.023),
    ],
)
def test_the_encoders_delay_is_taken_out_where_the_file_tells_it(
    tmp_path, name, codec, options, late_seconds
):
    click = np.zeros(44_100, np.float32)
    click[22_050:22_932] = 0.8 * _sine(1000.0, 44_100, 0.02)
    with av.open(str(tmp_path / name), "w", options=options) as container:
        stream = container.add_stream(codec, rate=44_100, layout="mono")
        frame = av.AudioFrame.from_ndarray(click[None], "fltp", "mono")
        frame.sample_rate = 44_100
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    loud = np.flatnonzero(np.abs(audio.load_waveform(tmp_path / name)) > 0.3)
    assert loud.mean() / 16_000 - 0.51 == pytest.approx(late_seconds, abs=0.003)


def test_sound_shorter_than_a_fifth_of_a_second_is_refused(tmp_path):
    _write(tmp_path / "short.wav", np.zeros((1, 3_199)), 16_000)
    with pytest.raises(errors.UserError, match=r"0\.200 s; at least 0\.2 s"):
        audio.load_waveform(tmp_path / "short.wav")
    _write(tmp_path / "enough.wav", np.zeros((1, 3_200)), 16_000)
    assert len(audio.load_waveform(tmp_path / "enough.wav")) == 3_200


def test_bad_files_are_refused_with_a_sentence(tmp_path):
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_text("no sound here")
    with wave.open(str(tmp_path / "none.wav"), "wb") as header:
        header.setparams((1, 2, 16_000, 0, "NONE", ""))
    with av.open(str(tmp_path / "silent.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 16
        container.mux(stream.encode(av.VideoFrame(16, 16, "yuv420p")))
        container.mux(stream.encode(None))
    broken = np.full((1, 8_000), 0.1)
    broken[0, 4_000] = np.nan
    _write(tmp_path / "nan.wav", broken, 16_000)
    for name, sentence in {
        "missing.wav": "does not exist",
        "empty.wav": "cannot be read",
        "text.wav": "cannot be read",
        "none.wav": "at least 0.2 s",
        "silent.mp4": "holds no sound",
        "nan.wav": "no finite numbers",
        "": "cannot be read",
    }.items():
        with pytest.raises(errors.UserError, match=sentence):
            audio.load_waveform(tmp_path / name)


def _packed(hertz, rate, channels, container, codec, seconds=1.0):
    """Return the bytes of a tone as compressed sound."""
    buffer = io.BytesIO()
    tone = np.repeat(0.5 * _sine(hertz, rate, seconds)[None], channels, axis=0)
    _write(buffer, tone, rate, codec, container=container)
    return bytearray(buffer.getvalue())


def _pitch(samples):
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 64_000))
    return spectrum.argmax() * 16_000 / 64_000


@pytest.mark.parametrize(
    "container, codec", [("mp3", "libmp3lame"), ("adts", "aac")], ids=["mp3", "aac"]
)
@pytest.mark.parametrize(
    "first, second",
    [
        ((44_100, 1), (44_100, 2)),
        ((44_100, 2), (44_100, 1)),
        ((48_000, 1), (44_100, 1)),
        ((44_100, 1), (48_000, 2)),
    ],
)
def test_rate_and_channels_may_change_in_the_middle(
    tmp_path, container, codec, first, second
):
    path = tmp_path / f"joined.{container}"
    path.write_bytes(
        _packed(440.0, *first, container, codec)
        + _packed(880.0, *second, container, codec)
    )
    waveform = audio.load_waveform(path)
    assert abs(len(waveform) - 32_000) < 1_600
    assert _pitch(waveform[2_000:14_000]) == pytest.approx(440.0, abs=1)
    assert _pitch(waveform[-14_000:-2_000]) == pytest.approx(880.0, abs=1)


def _damage(data, num_bytes=400):
    middle = len(data) // 2
    data[middle : middle + num_bytes] = bytes(num_bytes)
    return data


@pytest.mark.parametrize(
    "container, codec, late_seconds",
    [("mp4", "aac", 0.0), ("adts", "aac", 0.05), ("mp3", "libmp3lame", 0.2)],
    ids=["m4a", "aac", "mp3"],
)
def test_a_damaged_packet_leaves_silence_and_a_warning(
    tmp_path, caplog, container, codec, late_seconds
):
    path = tmp_path / f"damaged.{container}"
    tone = _packed(440.0, 44_100, 1, container, codec, seconds=4.0)
    path.write_bytes(tone)
    whole = audio.load_waveform(path)
    path.write_bytes(_damage(tone))
    with caplog.at_level(logging.WARNING):
        damaged = audio.load_waveform(path)
    assert -late_seconds * 16_000 - 10 <= len(damaged) - len(whole) <= 10
    np.testing.assert_allclose(damaged[2_000:24_000], whole[2_000:24_000], atol=1e-6)
    assert _pitch(damaged[-20_000:-4_000]) == pytest.approx(440.0, abs=1)
    (record,) = caplog.records
    assert f"{path} is damaged" in record.message
    if container == "mp4":
        # A tone of 440 Hz changes by less in a sample.
        np.testing.assert_allclose(damaged[-20_000:], whole[-20_000:], atol=0.09)
        assert np.any([not damaged[i : i + 320].any() for i in range(30_000, 36_000)])


def test_sound_of_which_too_little_can_be_decoded_is_refused(tmp_path):
    tone = _packed(440.0, 44_100, 1, "mp4", "aac")
    start = tone.find(b"mdat") + 4
    end = tone.find(b"moov") - 4
    tone[start:end] = bytes(end - start)
    path = tmp_path / "broken.m4a"
    path.write_bytes(tone)
    with pytest.raises(
        errors.UserError, match=r"packets cannot be decoded, which leaves 0"
    ):
        audio.load_waveform(path)


@pytest.mark.parametrize("seconds", [9.5, 20.0, 25.3])
def test_pieces_have_one_length_and_join_to_the_whole(tmp_path, seconds):
    path = tmp_path / "long.wav"
    num_samples = round(16_000 * seconds)
    samples = np.random.default_rng(0).uniform(-1, 1, (1, num_samples)).astype("f4")
    _write(path, samples, 16_000)
    pieces = list(audio.iterate_waveform(path))
    lengths = [len(piece) for piece in pieces]
    whole_pieces, rest = divmod(num_samples, waveform_lib.PIECE_SAMPLES)
    assert lengths == [waveform_lib.PIECE_SAMPLES] * whole_pieces + [rest] * bool(rest)
    np.testing.assert_array_equal(np.concatenate(pieces), samples[0])
    np.testing.assert_array_equal(audio.load_waveform(path), samples[0])
    assert audio.count_samples(path) == num_samples


def test_memory_does_not_grow_with_the_length_of_a_sound(tmp_path):
    path = tmp_path / "long.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        for _ in range(5 * 60):
            file.writeframes(np.full(16_000, 99, np.int16).tobytes())
    tracemalloc.start()
    num_samples = audio.count_samples(path)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert num_samples == 5 * 60 * 16_000
    assert peak_bytes < 4 * 4 * waveform_lib.PIECE_SAMPLES < num_samples


@pytest.mark.skipif("VASA_REAL_DATA" not in os.environ, reason="needs real recordings")
def test_real_recordings_are_loaded_whole():
    folder = pathlib.Path(os.environ["VASA_REAL_DATA"])
    for path in sorted((folder / "speech").glob("*.flac")):
        with av.open(str(path)) as container:
            num_samples = container.streams.audio[0].duration
        waveform = audio.load_waveform(path)
        assert len(waveform) == num_samples
        assert 0.01 < np.abs(waveform).max() <= 1.0
