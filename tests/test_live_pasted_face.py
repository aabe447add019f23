"""Live faces laid back into their pictures: as files show them, and even."""

import numpy as np
import pytest

from vasa_jax.animate import whole_picture
from vasa_jax.live import pasted_face
from vasa_jax.portrait import crop


class ShowingFace:
    """Renders what it was given."""

    motion = "its motion"

    def __init__(self, frames):
        self._frames = frames

    def render(self, motion):
        """Give the frames, one a piece of motion."""
        for _, frame in zip(motion, self._frames, strict=True):
            yield frame[None]


def _picture(height, width):
    y, x = np.mgrid[0:height, 0:width]
    red, green = 255 * x / width, 255 * y / height
    return np.stack([red, green, 0 * x + 40], axis=-1).astype(np.uint8)


def _waves(size):
    """Return a frame with waves that any size of these tests can show."""
    y, x = np.mgrid[0:size, 0:size] / size
    waves = [np.sin(9 * x), np.sin(7 * y + 3 * x), np.cos(8 * y)]
    return np.rint(127.5 + 120 * np.stack(waves, axis=-1)).astype(np.uint8)


def _pasted(whole, frames):
    face = pasted_face.PastedFace(ShowingFace(frames), whole)
    assert face.motion == "its motion"
    return np.concatenate(list(face.render([0.0] * len(frames))))


@pytest.mark.parametrize("angle", [0.0, 0.4])
@pytest.mark.parametrize("half_size", [25.3, 40.0, 130.0])
@pytest.mark.parametrize("center", [(110.2, 70.6), (15.0, 130.0)])
def test_frames_are_those_of_files(angle, half_size, center):
    box = crop.CropBox(
        center_x=center[0], center_y=center[1], half_size=half_size, angle=angle
    )
    whole = pasted_face.fit(_picture(141, 231), box, 1280)
    frames = [_waves(128), 255 - _waves(128)]
    shown = _pasted(whole, frames)
    wanted = whole.with_faces(np.stack(frames))
    assert shown.shape == wanted.shape == (2, 140, 230, 3)
    assert np.abs(wanted.astype(int) - whole.image).max() > 60  # There is a face.
    assert np.abs(shown.astype(int) - wanted).max() <= 5
    is_left = (wanted == whole.image).all(axis=(0, -1))[..., None]
    assert np.abs((shown.astype(int) - wanted) * is_left).max() <= 1


def test_pictures_shrink_to_even_sides_with_their_crops():
    picture = _picture(901, 1501)
    box = crop.CropBox(center_x=700.0, center_y=450.0, half_size=225.0)
    whole = pasted_face.fit(picture, box, 405)
    assert whole.image.shape == (242, 404, 3)
    before = crop.extract(picture, box, 50).astype(int)
    after = crop.extract(whole.image, whole.box, 50).astype(int)
    assert np.abs(after - before).max() <= 3
    same = whole_picture.fit(picture, box, 405)
    np.testing.assert_array_equal(whole.image, same.image[:242, :404])


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (2000, 1), (3, 3)])
def test_odd_pictures_can_be_shown(shape):
    box = crop.CropBox.of_whole(*shape)
    whole = pasted_face.fit(_picture(*shape), box, 100)
    height, width = whole.image.shape[:2]
    assert height % 2 == width % 2 == 0 < min(height, width)
    assert _pasted(whole, [_waves(16)]).shape == (1, height, width, 3)


def test_a_face_beyond_its_picture_leaves_it_as_it_is():
    box = crop.CropBox(center_x=-90.0, center_y=20.0, half_size=30.0)
    whole = pasted_face.fit(_picture(64, 64), box, 100)
    shown = _pasted(whole, [_waves(16)])
    np.testing.assert_array_equal(shown[0], whole.image)
