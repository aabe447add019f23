"""A run that begins with the parameters of another."""

import numpy as np

from tests import linear_regression
from vasa_jax.train import state as state_lib
from vasa_jax.train import warm_start


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
