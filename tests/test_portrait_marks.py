"""What landmarks tell of lips and eyes together."""

import pathlib

import numpy as np

from vasa_jax import media
from vasa_jax.portrait import crop, locate, marks

PORTRAIT = pathlib.Path(__file__).parents[1] / "examples" / "portrait.png"


def test_a_face_that_is_cut_already_has_the_marks_of_its_picture():
    picture = media.read_image(PORTRAIT)
    found = locate.locate_face(picture)
    face = crop.extract(picture, found.box, 512)
    of_picture = marks.find_marks(face, found.landmarks, found.box)
    of_cut = marks.find_in_cut(face)
    np.testing.assert_allclose(of_cut.lips, of_picture.lips, atol=0.02)
    np.testing.assert_allclose(of_cut.eyes.rims, of_picture.eyes.rims, atol=0.02)
    assert of_cut.lips.shape == marks.open_marks(1).lips.shape


def test_a_cut_picture_without_a_face_has_no_marks():
    assert marks.find_in_cut(np.zeros((64, 64, 3), np.uint8)) is None
