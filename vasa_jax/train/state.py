"""The state of a run: parameters, optimizers, averages, step and key."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import struct

from vasa_jax import config
from vasa_jax.train import sharding
from vasa_jax.train.experiment import Experiment
from vasa_jax.train.task import Params


@struct.dataclass
class TrainState:
    """All that changes while training, and the run's key.

    Attributes:
        step: int32 `[]`, steps done.
        params: parameters by group, float32.
        opt_state: optimizer state by trained group.
        ema: averaged parameters of the groups that keep an average.
        key: the run's random key; a step folds in its number.
    """

    step: jax.Array
    params: Params
    opt_state: Params
    ema: Params
    key: jax.Array

    def averaged_params(self) -> Params:
        """Return the parameters with averages where there are any."""
        return {**self.params, **self.ema}


def init_state(experiment: Experiment) -> TrainState:
    """Make the state of step 0; pure, for `jax.jit` and `jax.eval_shape`.

    Args:
        experiment: gives task, seed and optimizers.

    Returns:
        The state.

    Raises:
        UserError: the task has a loss for a group that it does not make.
    """
    key = jax.random.key(experiment.settings.seed)
    params = experiment.task.init(jax.random.fold_in(key, 0))
    params = jax.tree.map(jnp.asarray, dict(params))
    for group in experiment.task.losses:
        if group not in params:
            raise config.unknown_name(group, params, "group with a loss:")
    averaged = [
        group
        for group in experiment.task.losses
        if experiment.optimizers[group].ema_decay is not None
    ]
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        params=params,
        opt_state={
            group: experiment.optimizer_of(group, params[group]).init(params[group])
            for group in experiment.task.losses
        },
        ema=_copies(params, averaged),
        key=jax.random.fold_in(key, 1),
    )


def abstract_state(experiment: Experiment, mesh: sharding.Mesh) -> TrainState:
    """Return shapes and shardings of the state without allocating anything."""
    shapes = jax.eval_shape(lambda: init_state(experiment))
    return jax.tree.map(
        lambda leaf, placed: jax.ShapeDtypeStruct(
            leaf.shape, leaf.dtype, sharding=placed
        ),
        shapes,
        sharding.state_shardings(shapes, mesh),
    )


def place_initial_state(experiment: Experiment, abstract: TrainState) -> TrainState:
    """Make the state of step 0 on the devices, born as it will be split.

    Args:
        experiment: see `init_state`.
        abstract: from `abstract_state`.
    """
    placed = jax.tree.map(lambda leaf: leaf.sharding, abstract)
    return jax.jit(lambda: init_state(experiment), out_shardings=placed)()


def with_params(state: TrainState, params: Mapping[str, Any]) -> TrainState:
    """Return the state with other parameters, from which its averages begin too."""
    return state.replace(params=dict(params), ema=_copies(params, state.ema))


def _copies(params, groups) -> Params:
    # Copies, because the step donates params and ema separately.
    return {group: jax.tree.map(jnp.copy, params[group]) for group in groups}
