"""Growth of the resolution: a model of half the size has the same parameters."""

import jax
import pytest

from vasa_jax.errors import UserError
from vasa_jax.face import config as face_config
from vasa_jax.face import half_size
from vasa_jax.face import model as face_model


def _shapes(sizes):
    image = jax.ShapeDtypeStruct((1, sizes.image_size, sizes.image_size, 3), "float32")
    model = face_model.FaceModel(sizes)
    found = jax.eval_shape(model.init, jax.random.key(0), image, image)["params"]
    return {
        jax.tree_util.keystr(path): leaf.shape
        for path, leaf in jax.tree_util.tree_leaves_with_path(found)
    }


@pytest.mark.parametrize(
    "preset", ["tiny", pytest.param("vasa1", marks=pytest.mark.slow)]
)
def test_half_the_resolution_has_parameters_of_the_same_shapes(preset):
    full = face_config.PRESETS[preset]()
    half = half_size.halved(full)
    assert half.image_size == full.image_size // 2
    assert _shapes(half) == _shapes(full)


def test_a_model_without_an_upsampling_to_leave_out_is_not_halved():
    small = half_size.halved(face_config.tiny())
    with pytest.raises(UserError, match="cannot be halved"):
        half_size.halved(small)
