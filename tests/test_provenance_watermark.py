"""The mark in a picture is not seen, survives what happens to videos, and is told."""

import numpy as np
import pytest
from PIL import Image

from experiments.tools import video_changes
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


def test_the_mark_is_faint(clip, marked):
    error = np.square(marked.astype(float) - clip).mean()
    assert 10 * np.log10(255**2 / error) > 41
    assert np.abs(marked.astype(int) - clip).max() <= 1.5 * watermark.MOST_LEVELS


@pytest.mark.parametrize(
    "change",
    [
        lambda frames: frames,
        lambda frames: video_changes.encoded(frames, crf=23),
        lambda frames: video_changes.encoded(frames, crf=28),
        lambda frames: video_changes.encoded(video_changes.scaled(frames, 0.5), crf=23),
        lambda frames: video_changes.scaled(frames, 0.75),
        lambda frames: video_changes.encoded(video_changes.cropped(frames), crf=23),
    ],
    ids=["raw", "crf 23", "crf 28", "half", "three quarters", "80 percent"],
)
def test_the_mark_is_found_and_its_number_read(marked, change):
    found = mark_reader.read(change(marked))
    assert found.is_present and found.number == NUMBER


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_nothing_is_found_where_there_is_no_mark(clip, scale):
    found = mark_reader.read(video_changes.scaled(clip, scale))
    assert not found.is_present and found.number is None


def test_small_frames_are_marked_too(clip):
    small = video_changes.scaled(clip, 0.5)
    found = mark_reader.read(
        video_changes.encoded(watermark.Marker(NUMBER)(small), crf=23)
    )
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
