"""Facial dynamics as a code that is read and written as expression and gaze."""

import numpy as np
import pytest

from vasa_jax import arkit, errors
from vasa_jax.face import dynamics_code
from vasa_jax.face import model as face_model


def _expression(number):
    generator = np.random.default_rng(number)
    return dynamics_code.Expression(
        arkit=generator.random((3, 52), np.float32),
        gaze_in_head=generator.normal(0, 0.1, (3, 2)).astype(np.float32),
    )


def test_heads_read_by_a_matrix_and_a_bias(tiny_models):
    params = tiny_models.face_params
    linear = params["dynamics_heads"]["linear"]
    codes = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
    found = dynamics_code.read(tiny_models.face_config, params, codes)
    expected = codes @ np.asarray(linear["kernel"]) + np.asarray(linear["bias"])
    np.testing.assert_allclose(found.arkit, expected[:, :52], atol=1e-5)
    np.testing.assert_allclose(found.gaze_in_head, expected[:, 52:], atol=1e-5)


def test_a_taught_map_writes_what_the_heads_read_back(taught_models):
    sizes, params = taught_models.face_config, taught_models.face_params
    first, second = (
        dynamics_code.write(sizes, params, _expression(number)) for number in (1, 2)
    )
    again = [
        dynamics_code.write(sizes, params, dynamics_code.read(sizes, params, codes))
        for codes in (first, second)
    ]
    np.testing.assert_allclose(again[1] - again[0], second - first, atol=1e-4)


def test_a_map_that_nothing_has_taught_is_refused(tiny_models):
    sizes, untaught = tiny_models.face_config, tiny_models.face_params
    with pytest.raises(errors.UserError, match="The export has no trained map"):
        dynamics_code.require_map(sizes, untaught, "The export")
    without = {name: untaught[name] for name in untaught if name != "dynamics_map"}
    with pytest.raises(errors.UserError, match="no trained map"):
        dynamics_code.require_map(sizes, without, "The export")


def test_a_map_that_heads_read_back_is_taken(taught_models):
    dynamics_code.require_map(
        taught_models.face_config, taught_models.face_params, "The export"
    )


def test_a_portrait_is_at_rest_but_for_its_open_mouth(taught_models):
    sizes, params = taught_models.face_config, taught_models.face_params
    codes = np.random.default_rng(3).normal(size=(8, 8)).astype(np.float32)
    read = dynamics_code.read(sizes, params, codes)
    jaw = arkit.index("jawOpen")
    weights = np.zeros((8, arkit.NUM_UNITS), np.float32)
    weights[:, jaw] = np.maximum(read.arkit[:, jaw], 0.0)
    assert 0 < (weights > 0).sum() < 8
    ahead = np.zeros_like(read.gaze_in_head)
    asked = dynamics_code.Expression(arkit=weights, gaze_in_head=ahead)
    found = face_model.FaceModel(sizes).apply(
        {"params": params}, codes, method="at_rest"
    )
    expected = dynamics_code.write(sizes, params, asked)
    np.testing.assert_allclose(found, expected, atol=1e-5)
