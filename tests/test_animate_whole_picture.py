"""Talking faces laid back into the picture they were cut from."""

import numpy as np

from vasa_jax.animate import whole_picture
from vasa_jax.portrait import crop


def _picture(height, width):
    y, x = np.mgrid[0:height, 0:width]
    red, green = 255 * x / width, 255 * y / height
    return np.stack([red, green, 0 * x], axis=-1).astype(np.uint8)


def test_faces_change_the_crop_and_nothing_else():
    picture = _picture(120, 200)
    box = crop.CropBox(center_x=80.0, center_y=60.0, half_size=30.0)
    whole = whole_picture.fit(picture, box)
    faces = np.zeros((2, 32, 32, 3), np.uint8)
    faces[1] += 255
    shown = whole.with_faces(faces)
    assert shown.shape == (2, 120, 200, 3)
    np.testing.assert_array_equal(shown[0, 60, 80], 0)
    np.testing.assert_array_equal(shown[1, 60, 80], 255)
    outside = np.ones((120, 200), bool)
    outside[30:90, 50:110] = False
    np.testing.assert_array_equal(shown[:, outside], np.stack([picture[outside]] * 2))


def test_a_large_picture_shrinks_with_its_crop():
    picture = _picture(901, 1201)
    box = crop.CropBox(center_x=600.0, center_y=450.0, half_size=225.0)
    whole = whole_picture.fit(picture, box, max_side=400)
    assert whole.image.shape == (300, 400, 3)
    before = crop.extract(picture, box, 50).astype(int)
    after = crop.extract(whole.image, whole.box, 50).astype(int)
    # The ramps rise by 2 a pixel of the crop.
    assert np.abs(after - before).max() <= 3


def test_a_face_at_the_edge_is_laid_over_what_there_is_of_the_picture():
    picture = _picture(64, 64)
    box = crop.CropBox(center_x=4.0, center_y=60.0, half_size=20.0)
    shown = whole_picture.fit(picture, box).with_faces(
        np.full((1, 32, 32, 3), 7, np.uint8)
    )
    assert shown.shape == (1, 64, 64, 3)
    np.testing.assert_array_equal(shown[0, 60, 4], 7)
    np.testing.assert_array_equal(shown[0, :39], picture[:39])
