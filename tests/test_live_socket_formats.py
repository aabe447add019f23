"""Ticks as pictures and samples, and as an mp4 that grows."""

import io
import re

import av
import numpy as np
import pytest
from PIL import Image

from vasa_jax.live import performance, socket_formats, tick_queue

SIDES = 96, 128
QUIET, LOUD = 40, 215


def _tick(number, is_loud, is_new=True):
    colour = np.array([LOUD, 120, 90] if is_loud else [QUIET] * 3, np.uint8)
    frame = np.broadcast_to(colour, (*SIDES, 3))
    tone = np.sin(np.arange(640) * 0.3).astype(np.float32) * 0.8 * is_loud
    return tick_queue.NumberedTick(
        number, performance.Tick(frame, tone, is_new, False, np.nan)
    )


def _is_loud(index):
    return index // 10 % 2 == 1


def _decoded(data):
    """Return seconds and frames of a picture, and seconds and samples of a sound."""
    with av.open(io.BytesIO(data)) as file:
        picture, sound = [], []
        for frame in file.decode(video=0, audio=0):
            if isinstance(frame, av.VideoFrame):
                picture.append((frame.time, frame.to_ndarray(format="rgb24")))
            else:
                start = frame.time
                levels = frame.to_ndarray()[0]
                times = start + np.arange(len(levels)) / frame.sample_rate
                sound.append((times, levels))
        colours = file.streams.video[0].codec_context.colorspace
    times, levels = (np.concatenate(part) for part in zip(*sound, strict=True))
    return picture, times, levels, colours


def test_pictures_hold_number_samples_and_a_jpeg_where_there_is_a_new_one():
    media = socket_formats.Pictures(*SIDES)
    assert media.describe() == {"height": 96, "width": 128, "sample_rate": 16_000}
    message = media.pack(_tick(2**32 + 7, is_loud=True))
    assert message[:4] == b"\x07\0\0\0"
    levels = np.frombuffer(message[4:1284], "<i2")
    np.testing.assert_allclose(
        levels / 32767, np.sin(np.arange(640) * 0.3) * 0.8, atol=1e-4
    )
    assert np.asarray(Image.open(io.BytesIO(message[1284:]))).shape == (96, 128, 3)
    assert len(media.pack(_tick(8, is_loud=True, is_new=False))) == 1284


def test_fragments_make_one_mp4_whose_sound_and_picture_are_in_step():
    media = socket_formats.Fragments(*SIDES)
    told = media.describe()
    assert re.fullmatch(r'video/mp4; codecs="avc1\.42[0-9a-f]{4},opus"', told["mime"])
    # Ticks that were lost before leave no gap.
    numbers = [*range(5, 40), *range(100, 145)]
    pieces = [media.pack(_tick(n, _is_loud(i))) for i, n in enumerate(numbers)]
    picture, times, levels, colours = _decoded(b"".join(pieces))
    assert picture[0][1].shape == (*SIDES, 3)
    assert len(picture) >= len(numbers) - 2
    steps = np.diff([seconds for seconds, _ in picture])
    np.testing.assert_allclose(steps, 0.04, atol=1e-6)
    bright = [frame[..., 0].mean() > 128 for _, frame in picture]
    assert bright == [_is_loud(i) for i in range(len(picture))]
    seen = [seconds for (seconds, _), one in zip(picture, bright, strict=True) if one]
    heard = times[np.abs(levels) > 0.3]
    assert abs(heard.min() - min(seen)) < 0.02
    assert colours == av.video.reformatter.Colorspace.ITU709
    colour = picture[15][1].mean(axis=(0, 1))
    np.testing.assert_allclose(colour, [LOUD, 120, 90], atol=4)


def test_each_fragment_leaves_with_the_next_tick():
    media = socket_formats.Fragments(*SIDES)
    pieces = [media.pack(_tick(i, _is_loud(i))) for i in range(30)]
    assert pieces[0][4:8] == b"ftyp" and b"moof" not in pieces[0]
    for piece in pieces[1:]:
        assert piece[4:8] == b"moof"
    for count in (5, 12, 30):
        picture, *_ = _decoded(b"".join(pieces[:count]))
        assert len(picture) == count - 1


def test_the_rate_is_kept_where_every_frame_is_new():
    random = np.random.default_rng(0)
    media = socket_formats.Fragments(256, 256)
    silence = np.zeros(640, np.float32)
    total = 0
    for index in range(75):
        noise = random.integers(0, 255, (256, 256, 3)).astype(np.uint8)
        tick = performance.Tick(noise, silence, True, False, np.nan)
        total += len(media.pack(tick_queue.NumberedTick(index, tick)))
    # Three seconds, and a second of what the rate's store may add.
    assert total * 8 < 4.4 * socket_formats.BITS_A_SECOND


@pytest.mark.parametrize("name", socket_formats.FORMATS)
def test_formats_are_found_by_their_names(name):
    assert "width" in socket_formats.FORMATS[name](*SIDES).describe()


def test_what_was_closed_packs_nothing_more():
    media = socket_formats.Fragments(*SIDES)
    assert media.pack(_tick(1, is_loud=False))
    media.close()
    media.close()
    assert media.pack(_tick(2, is_loud=False)) == b""
