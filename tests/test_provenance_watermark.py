"""The mark in a picture is not seen, survives what happens to videos, and is told."""

import io

import av
import numpy as np
import pytest
from PIL import Image

from vasa_jax import errors
from vasa_jax.provenance import mark_pattern, mark_reader, watermark

NUMBER = 0xA5C3


@pytest.fixture(scope="module")
def clip():
    """Return frames of a smooth picture with texture and something that moves."""
    rng = np.random.default_rng(0)
    size, count = 512, 12
    broad = Image.fromarray(rng.uniform(40, 200, (6, 6)).astype(np.float32))
    still = np.asarray(broad.resize((size, size), Image.BICUBIC))
    still = np.repeat(still[..., None], 3, axis=-1)
    still[:200, :256] += rng.normal(0, 12, (200, 256, 1))
    frames = np.repeat(still[None], count, axis=0)
    for index, frame in enumerate(frames):
        frame[250:350, 100 + 9 * index : 200 + 9 * index] = [180, 120, 90]
    return np.clip(frames + rng.normal(0, 1, frames.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def marked(clip):
    return watermark.Marker(NUMBER)(clip)


def _encoded(frames, rate_factor):
    """Send frames through H.264."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(rate_factor)}
        for frame in frames:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode(None))
    buffer.seek(0)
    with av.open(buffer) as file:
        return np.stack([f.to_ndarray(format="rgb24") for f in file.decode(video=0)])


def _scaled(frames, scale):
    side = int(frames.shape[1] * scale) // 2 * 2
    return np.stack(
        [
            np.asarray(Image.fromarray(frame).resize((side, side), Image.BICUBIC))
            for frame in frames
        ]
    )


def test_the_mark_is_faint(clip, marked):
    error = np.square(marked.astype(float) - clip).mean()
    assert 10 * np.log10(255**2 / error) > 41
    assert np.abs(marked.astype(int) - clip).max() <= 1.5 * watermark.MOST_LEVELS


@pytest.mark.parametrize(
    "change",
    [
        lambda frames: frames,
        lambda frames: _encoded(frames, 23),
        lambda frames: _encoded(frames, 28),
        lambda frames: _encoded(_scaled(frames, 0.5), 23),
        lambda frames: _scaled(frames, 0.75),
        lambda frames: _encoded(np.ascontiguousarray(frames[:, 51:461, 37:447]), 23),
    ],
    ids=["raw", "crf 23", "crf 28", "half", "three quarters", "80 percent"],
)
def test_the_mark_is_found_and_its_number_read(marked, change):
    found = mark_reader.read(change(marked))
    assert found.is_present and found.number == NUMBER


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_nothing_is_found_where_there_is_no_mark(clip, scale):
    found = mark_reader.read(_scaled(clip, scale))
    assert not found.is_present and found.number is None


def test_small_frames_are_marked_too(clip):
    small = _scaled(clip, 0.5)
    found = mark_reader.read(_encoded(watermark.Marker(NUMBER)(small), 23))
    assert found.is_present and found.number == NUMBER


def test_dark_and_bright_pictures_do_not_overflow():
    for level in (0, 255):
        even = np.full((2, 64, 96, 3), level, np.uint8)
        moved = watermark.Marker()(even).astype(int) - level
        assert 1 <= np.abs(moved).max() <= 4


def test_frames_are_marked_alike_in_any_pieces(clip):
    whole = watermark.Marker(7)(clip)
    marker = watermark.Marker(7)
    pieces = np.concatenate([marker(clip[:5]), marker(clip[5:])])
    np.testing.assert_array_equal(pieces, whole)


def test_a_mark_with_another_number_differs_where_bytes_are():
    changed = mark_pattern.signs(0x0102) != mark_pattern.signs(0x0103)
    assert changed.any() and (mark_pattern.groups()[changed] == 2).all()


@pytest.mark.parametrize("number", [-1, 65536])
def test_a_number_out_of_range_is_refused(number):
    with pytest.raises(errors.UserError, match="give one from 0 to 65535"):
        watermark.Marker(number)
