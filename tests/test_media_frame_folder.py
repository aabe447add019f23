"""Frames written as pictures of their own."""

import numpy as np
import PIL.Image
import pytest

from vasa_jax import errors, media
from vasa_jax.media import frame_folder


def _frames(count, channels=3):
    generator = np.random.default_rng(0)
    return generator.integers(0, 255, (count, 6, 10, channels)).astype(np.uint8)


@pytest.mark.parametrize("channels", [3, 4])
def test_each_frame_is_a_picture_once_all_are_there(tmp_path, channels):
    frames = _frames(5, channels)
    writer = frame_folder.FrameWriter(
        tmp_path / "face_%03d.png", 6, 10, has_alpha=channels == 4
    )
    with writer:
        writer.write(frames[:2])
        writer.write(frames[2:])
        assert not list(tmp_path.glob("*.png"))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"face_{number:03d}.png" for number in range(1, 6)]
    read = [np.asarray(PIL.Image.open(tmp_path / name)) for name in names]
    np.testing.assert_array_equal(np.stack(read), frames)


def test_an_error_leaves_nothing(tmp_path):
    with (
        pytest.raises(KeyboardInterrupt),
        frame_folder.FrameWriter(tmp_path / "%d.png", 6, 10) as writer,
    ):
        writer.write(_frames(2))
        raise KeyboardInterrupt
    with (
        pytest.raises(ValueError, match=r"\[T, 6, 10, 3\]"),
        frame_folder.FrameWriter(tmp_path / "%d.png", 6, 10) as writer,
    ):
        writer.write(_frames(1, channels=4))
    assert not list(tmp_path.iterdir())
    with (
        pytest.raises(errors.UserError, match="make the folder"),
        frame_folder.FrameWriter(tmp_path / "missing" / "%d.png", 6, 10),
    ):
        pass


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("%05d.png", True),
        ("a%d.PNG", True),
        ("talk.png", False),
        ("%d.jpg", False),
        ("%d_%d.png", False),
        ("%s.png", False),
        ("50%%d.png", False),
    ],
)
def test_a_pattern_has_one_number(name, is_one):
    assert frame_folder.is_pattern(f"folder/{name}") == is_one


def test_a_place_for_pictures_is_checked_before_any_work(tmp_path):
    media.check_video_path(tmp_path / "%04d.png", has_alpha=True)
    assert not list(tmp_path.iterdir())
    with pytest.raises(errors.UserError, match="does not exist"):
        media.check_video_path(tmp_path / "missing" / "%04d.png")
    with pytest.raises(errors.UserError, match=r"\.mp4 or \.webm"):
        media.check_video_path(tmp_path / "talk.png")
