"""What a state holds, and how it is split before it exists."""

import jax
import numpy as np
import pytest

from tests import linear_regression
from vasa_jax import config
from vasa_jax.errors import UserError
from vasa_jax.train import sharding
from vasa_jax.train import state as state_lib


def _experiment(*changes):
    settings = linear_regression.get_config("tiny")
    return linear_regression.build(config.override(settings, changes))


def test_parameters_are_split_over_fsdp_and_so_is_the_optimizer():
    experiment = _experiment("model.num_inputs=65536")
    state = state_lib.abstract_state(experiment, sharding.make_mesh("fsdp:8"))
    kernels = [leaf for leaf in jax.tree.leaves(state) if leaf.shape == (65536, 4)]
    assert len(kernels) == 4  # parameter, two moments, average
    assert all(k.sharding.shard_shape(k.shape) == (8192, 4) for k in kernels)


def test_a_state_is_born_as_it_is_split(monkeypatch):
    monkeypatch.setattr(sharding, "SMALLEST_SHARDED_SIZE", 8 * 4)
    experiment = _experiment()
    abstract = state_lib.abstract_state(experiment, sharding.make_mesh("fsdp:8"))
    state = state_lib.place_initial_state(experiment, abstract)
    kernel = state.params["model"]["layer"]["kernel"]
    assert [shard.data.shape for shard in kernel.addressable_shards] == [(1, 4)] * 8


def test_only_trained_groups_keep_averages_and_optimizer_state():
    state = state_lib.init_state(_experiment())
    assert set(state.opt_state) == set(state.ema) == {"model"}
    assert set(state.averaged_params()) == {"model", "constants"}
    state = state_lib.init_state(_experiment("optimizer.ema_decay=none"))
    assert not state.ema
    assert set(state.averaged_params()) == {"model", "constants"}


def test_averages_begin_with_the_parameters_that_are_put_in():
    state = state_lib.init_state(_experiment())
    other = jax.tree.map(lambda leaf: leaf + 1, state.params)
    state = state_lib.with_params(state, other)
    kernels = state.params["model"]["layer"], state.ema["model"]["layer"]
    np.testing.assert_array_equal(kernels[0]["kernel"], kernels[1]["kernel"])
    assert set(state.ema) == {"model"}


def test_a_loss_for_a_group_that_is_not_made_is_refused():
    experiment = _experiment()
    experiment.task.init = lambda key: {"modle": {}}
    with pytest.raises(UserError, match="did you mean 'modle'"):
        state_lib.init_state(experiment)
