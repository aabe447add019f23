"""A run that begins with the parameters of another."""

import numpy as np
import pytest

from tests import linear_regression
from vasa_jax.errors import UserError
from vasa_jax.train import checkpoint, loop, sharding, warm_start
from vasa_jax.train import state as state_lib


def _run(folder, **arguments):
    experiment = linear_regression.build(linear_regression.get_config("tiny"))
    mesh = sharding.make_mesh(num_devices=1)
    return loop.run(experiment, folder, mesh, max_steps=1, **arguments)


def test_a_warm_start_takes_what_fits_and_says_what_does_not():
    state = state_lib.init_state(
        linear_regression.build(linear_regression.get_config("tiny"))
    )
    loaded = {
        "model": {"layer": {"kernel": np.full((8, 4), 5.0), "bias": np.zeros(7)}},
        "other": {"x": np.zeros(1)},
    }
    params, taken, left = warm_start.place(state.params, loaded)
    assert taken == ["model/layer/kernel"]
    assert float(params["model"]["layer"]["kernel"][0, 0]) == 5.0
    assert sorted(left) == [
        "constants/shift: not in the export",
        "model/layer/bias: (7,) in the export, (4,) here",
        "other/x: only in the export",
    ]


def test_a_warm_start_begins_with_the_given_parameters(tmp_path):
    kernel = np.full((8, 4), 3.0, np.float32)
    loaded = {"model": {"layer": {"kernel": kernel, "bias": np.zeros(4)}}}
    outcome = _run(tmp_path / "a", init_params=loaded)
    # One step moves a number by up to the learning rate, 0.01.
    params = outcome.state.params["model"]["layer"]
    np.testing.assert_allclose(params["kernel"], kernel, atol=0.02)
    average = outcome.state.ema["model"]["layer"]["kernel"]
    np.testing.assert_allclose(average, kernel, atol=0.02)
    with pytest.raises(UserError, match="no array that fits"):
        _run(tmp_path / "b", init_params={"model": {"other": np.zeros(2)}})


def test_a_run_may_start_from_another_run(tmp_path):
    first = _run(tmp_path / "first")
    loaded = warm_start.read(tmp_path / "first")
    assert set(loaded) == {"model", "constants"}
    np.testing.assert_array_equal(
        loaded["model"]["layer"]["kernel"], first.state.ema["model"]["layer"]["kernel"]
    )
    (tmp_path / "none" / checkpoint.FOLDER).mkdir(parents=True)
    with pytest.raises(UserError, match="no checkpoint yet"):
        warm_start.read(tmp_path / "none")
