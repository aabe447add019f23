"""One training step: gradients of each group's loss, then each group's optimizer.

Follows: big_vision (one pure function of state and batch, under one jit). Ours: the
players of a GAN step simultaneously, from the same parameters, so that gradient
accumulation equals one large batch.
"""

from collections.abc import Callable
from typing import Any

import einops
import jax
import jax.numpy as jnp
import optax

from vasa_jax.train import operations, optimizer, sharding, task
from vasa_jax.train.experiment import Experiment
from vasa_jax.train.state import TrainState
from vasa_jax.train.task import Batch, Params, Task

StepFunction = Callable[[TrainState, Batch], tuple[TrainState, dict[str, jax.Array]]]


def make_step(experiment: Experiment) -> StepFunction:
    """Make the pure training step.

    Args:
        experiment: gives task, optimizers and accumulation.

    Returns:
        A function of (state, batch) that returns the next state and metrics, to be
        compiled with the state donated.
    """

    def step(state: TrainState, batch: Batch):
        key = jax.random.fold_in(state.key, state.step)
        batch = _with_row_keys(batch, jax.random.fold_in(key, 0))
        gradients, metrics = _accumulated_gradients(experiment, state, batch, key)
        params, opt_state, ema = dict(state.params), {}, {}
        for group in experiment.task.losses:
            settings = experiment.optimizers[group]
            metrics[f"{group}/gradient_norm"] = optax.tree.norm(
                optimizer.only_trained(settings, gradients[group])
            )
            metrics[f"{group}/learning_rate"] = optimizer.learning_rate(
                settings, experiment.settings.num_steps, state.step
            )
            chain = experiment.optimizer_of(group, params[group])
            updates, opt_state[group] = chain.update(
                gradients[group], state.opt_state[group], params[group]
            )
            params[group] = optax.apply_updates(params[group], updates)
            if settings.ema_decay is not None:
                ema[group] = optimizer.update_average(
                    state.ema[group], params[group], settings.ema_decay, state.step
                )
        state = state.replace(
            step=state.step + 1, params=params, opt_state=opt_state, ema=ema
        )
        return state, metrics

    return step


def _with_row_keys(batch: Batch, key: jax.Array) -> Batch:
    """Give each row a key of its own, see `task.EXAMPLE_KEY_FIELD`."""
    rows = jnp.arange(jax.tree.leaves(batch)[0].shape[0])
    keys = jax.vmap(jax.random.fold_in, (None, 0))(key, rows)
    return {**batch, task.EXAMPLE_KEY_FIELD: keys}


def _gradients(
    trained: Task, params: Params, batch: Batch, key: jax.Array, step: jax.Array
) -> tuple[Params, dict[str, jax.Array]]:
    """Compute each group's gradient of its own loss, and all metrics."""
    gradients, metrics, shared = {}, {}, {}
    for group, function in trained.losses.items():
        visible = {**batch, task.SHARED_FIELD: dict(shared)}

        def loss(own, function=function, group=group, visible=visible):
            return function({**params, group: own}, visible, key, step)

        (value, found), gradients[group] = jax.value_and_grad(loss, has_aux=True)(
            params[group]
        )
        shared |= jax.lax.stop_gradient(found.shared)
        metrics[f"{group}/loss"] = value
        metrics |= {f"{group}/{name}": term for name, term in found.metrics.items()}
    metrics = {name: jnp.asarray(m, jnp.float32) for name, m in metrics.items()}
    return gradients, metrics


def _accumulated_gradients(
    experiment: Experiment, state: TrainState, batch: Batch, key: jax.Array
) -> tuple[Params, dict[str, jax.Array]]:
    """Average gradients and metrics over the parts of a batch, one after another.

    Ours: a scan in the step, not `optax.MultiSteps`, which keeps the gradient's sum in
    the optimizer's state and counts a part as a step.
    """
    num_parts = experiment.settings.accumulation_steps

    def of_part(rows, key):
        return _gradients(experiment.task, state.params, rows, key, state.step)

    if num_parts == 1:
        return of_part(batch, jax.random.fold_in(key, 1))

    def add_part(total, inputs):
        number, rows = inputs
        found = of_part(rows, jax.random.fold_in(key, number + 1))
        return jax.tree.map(jnp.add, total, found), None

    parts = jax.tree.map(lambda rows: _deal_rows(rows, num_parts), batch)
    shapes = jax.eval_shape(of_part, jax.tree.map(lambda rows: rows[0], parts), key)
    zeros = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    total, _ = jax.lax.scan(add_part, zeros, (jnp.arange(num_parts), parts))
    return jax.tree.map(lambda leaf: leaf / num_parts, total)


def _deal_rows(rows: jax.Array, num_parts: int) -> jax.Array:
    """Deal rows `[B, ...]` into parts `[P, B / P, ...]`.

    Ours: with a stride, so that each part uses every device's rows.
    """
    if jnp.issubdtype(rows.dtype, jax.dtypes.prng_key):  # which einops does not take
        return rows.reshape(-1, num_parts).T
    return einops.rearrange(rows, "(b p) ... -> p b ...", p=num_parts)


def jit_step(experiment: Experiment, abstract: TrainState, mesh: sharding.Mesh) -> Any:
    """Return `make_step` under jit: the state donated, and sharded as it was.

    Args:
        experiment: gives the step.
        abstract: from `state.abstract_state`.
        mesh: where the metrics are replicated.

    Returns:
        A jitted function of (state, batch).
    """
    placed = jax.tree.map(lambda leaf: leaf.sharding, abstract)
    return jax.jit(
        make_step(experiment),
        donate_argnums=0,
        out_shardings=(placed, sharding.replicated(mesh)),
    )


class CompiledStep:
    """The step of a run, compiled when it gets its first batch.

    Args:
        experiment, abstract, mesh: as of `jit_step`.

    Attributes:
        num_devices: that share a step.
        num_operations: of one step, over all devices; 0 before the first.
    """

    def __init__(
        self, experiment: Experiment, abstract: TrainState, mesh: sharding.Mesh
    ):
        self.num_devices = mesh.size
        self.num_operations = 0.0
        self._jitted = jit_step(experiment, abstract, mesh)
        self._program: Any = None

    def __call__(
        self, state: TrainState, batch: Batch
    ) -> tuple[TrainState, dict[str, jax.Array]]:
        """Take a step with rows that lie on the devices; the state is donated."""
        if self._program is None:
            traced = self._jitted.trace(state, batch)
            self.num_operations = operations.count(traced.jaxpr)
            self._program = traced.lower().compile()
        return self._program(state, batch)
