"""How portraits are encoded for what will move them."""

import numpy as np
import pytest

from vasa_jax import types
from vasa_jax.animate import rendering
from vasa_jax.face import model as face_model
from vasa_jax.motion.shaping.config import ShapingConfig

POSE = types.HeadPose.from_vector(np.array([[0.1, 0, 0, 0, 0, 1]], np.float32))


@pytest.fixture(scope="module")
def picture(taught_models):
    size = taught_models.face_config.image_size
    return np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)


def encoded(models, picture, shaping, **asked):
    renderer = rendering.Renderer(models.face_config, models.face_params, shaping)
    latents = renderer.encode_portrait(picture, POSE, **asked)
    return np.asarray(latents.facial_dynamics)


def expected(models, codes, method):
    return face_model.FaceModel(models.face_config).apply(
        {"params": models.face_params}, codes, method=method
    )


def test_a_portrait_rests_where_a_voice_moves_it(taught_models, picture):
    seen = encoded(taught_models, picture, None)
    resting = encoded(taught_models, picture, ShapingConfig())
    wanted = expected(taught_models, seen, "at_rest")
    np.testing.assert_allclose(resting, wanted, atol=1e-5)
    assert np.abs(resting - seen).max() > 1e-3


def test_portraits_and_drivers_are_as_they_are_read(taught_models, picture):
    seen = encoded(taught_models, picture, None)
    driven = encoded(taught_models, picture, ShapingConfig(), is_driven=True)
    wanted = expected(taught_models, seen, "as_read")
    np.testing.assert_allclose(driven, wanted, atol=1e-5)
    assert np.abs(driven - seen).max() > 1e-3
    sizes, params = taught_models.face_config, taught_models.face_params
    plain, shaped = (
        rendering.Renderer(sizes, params, shaping).encode_motion(picture[None])
        for shaping in (None, ShapingConfig())
    )
    wanted = expected(taught_models, plain[:, 6:], "as_read")
    np.testing.assert_array_equal(plain[:, :6], shaped[:, :6])
    np.testing.assert_allclose(shaped[:, 6:], wanted, atol=1e-5)


def test_what_an_untaught_map_would_tell_is_left(tiny_models, picture):
    seen = encoded(tiny_models, picture, None)
    for is_driven in (False, True):
        found = encoded(tiny_models, picture, ShapingConfig(), is_driven=is_driven)
        np.testing.assert_allclose(found, seen, atol=1e-6)


@pytest.mark.parametrize(
    "shaping, is_driven, asked, rest, own_yaw",
    [(ShapingConfig(), False, None, 0.1, 0.0), (ShapingConfig(), True, None, None, 0.1)]
    + [(None, False, None, None, 0.1), (None, True, True, 0.1, 0.0)]
    + [(ShapingConfig(), False, False, None, 0.1)],
)
def test_a_voice_turns_a_head_about_its_own_turn_and_a_driver_where_asked(
    taught_models, picture, shaping, is_driven, asked, rest, own_yaw
):
    sizes, params = taught_models.face_config, taught_models.face_params
    renderer = rendering.Renderer(sizes, params, shaping)
    latents = renderer.encode_portrait(
        picture, POSE, is_driven=is_driven, turns_about_own=asked
    )
    found = latents.rest_rotation
    if rest is None:
        assert found is None
    else:
        np.testing.assert_allclose(found, [[rest, 0, 0]])
    own = rendering.own_motion(latents)
    np.testing.assert_allclose(own[:6], [own_yaw, 0, 0, 0, 0, 1], atol=1e-7)
    np.testing.assert_array_equal(own[6:], latents.facial_dynamics[0])
    turned = own[None] + np.array([[0.2, 0, 0, 0, 0, 0, *([0] * (len(own) - 6))]], "f4")
    (frame,) = np.concatenate(list(renderer.render(latents, [turned])))
    plain = latents.replace(rest_rotation=None)
    turned[:, 0] = 0.3
    (same,) = np.concatenate(list(renderer.render(plain, [turned])))
    assert np.abs(frame.astype(int) - same).max() <= 1
