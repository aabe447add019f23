"""Sizes of the face model: which frames it can show."""

import pytest

from vasa_jax import errors
from vasa_jax.face import config as face_config


@pytest.mark.parametrize("image_size", [32, 100, 2048])
def test_frames_of_odd_sizes_are_refused(image_size):
    with pytest.raises(errors.UserError, match="multiple of 16 from 64 to 1024"):
        face_config.resized(face_config.demo(), image_size)


def test_the_papers_model_has_one_size():
    assert face_config.resized(face_config.vasa1(), 512) == face_config.vasa1()
    with pytest.raises(errors.UserError, match="train at that size"):
        face_config.resized(face_config.vasa1(), 256)
