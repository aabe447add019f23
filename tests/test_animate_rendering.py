"""How portraits are encoded for what will move them."""

import numpy as np
import pytest

from vasa_jax import types
from vasa_jax.animate import rendering
from vasa_jax.face import model as face_model
from vasa_jax.motion.shaping.config import ShapingConfig

POSE = types.HeadPose.from_vector(np.array([[0.1, 0, 0, 0, 0, 1]], np.float32))


@pytest.fixture(scope="module")
def picture(tiny_models):
    size = tiny_models.face_config.image_size
    return np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)


def encoded(models, picture, shaping, **asked):
    renderer = rendering.Renderer(models.face_config, models.face_params, shaping)
    latents = renderer.encode_portrait(picture, POSE, **asked)
    return np.asarray(latents.facial_dynamics)


def test_a_portrait_rests_where_a_voice_moves_it(tiny_models, picture):
    seen = encoded(tiny_models, picture, None)
    resting = encoded(tiny_models, picture, ShapingConfig())
    expected = face_model.FaceModel(tiny_models.face_config).apply(
        {"params": tiny_models.face_params}, seen, method="at_rest"
    )
    np.testing.assert_allclose(resting, expected, atol=1e-5)
    assert np.abs(resting - seen).max() > 1e-3


def test_a_portrait_is_as_it_is_seen_where_frames_move_it(tiny_models, picture):
    seen = encoded(tiny_models, picture, None)
    driven = encoded(tiny_models, picture, ShapingConfig(), is_driven=True)
    np.testing.assert_allclose(driven, seen, atol=1e-6)
