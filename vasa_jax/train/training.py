"""One step and one loop for every training: state, `Task`, `Experiment`.

A task gives parameters in top-level groups and, for each group that is trained, a loss
that is differentiated with respect to that group alone: one group is plain training,
two are the players of a GAN. A group without a loss is a constant (a frozen network,
normalisation statistics) that lives in the state and in its checkpoints.

Follows: kauldron (order of the loop: evaluate, save, next batch, step), big_vision.
Ours: players step simultaneously, from the same parameters, so that gradient
accumulation equals one large batch.
"""

import dataclasses
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

import einops
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import struct

from vasa_jax import config, data
from vasa_jax.train import optimizer, sharding

EXAMPLE_KEY_FIELD = "example_key"
"""Batch field, added by the step, with a random key per row.

Ours: a key per row, drawn from the row's place in the whole batch, makes accumulation
equal to a large batch; the key given to a loss differs between its parts.
"""

SHARED_FIELD = "shared"
"""Metric of a loss that later losses of the step find in their batch.

Ours: the generator's loss hands its frames to the discriminator's, so that the
generator runs once a step. Gradients do not pass.
"""

Params = dict[str, Any]
Batch = dict[str, Any]
LossFunction = Callable[
    [Params, Batch, jax.Array, jax.Array], tuple[jax.Array, dict[str, Any]]
]


class Task(Protocol):
    """What is trained.

    Attributes:
        losses: for each trained group a function of (params of all groups, batch, key,
            step) that returns the scalar mean loss over the batch and metrics by name
            (scalars, means over the batch). Computed in this order.
    """

    losses: Mapping[str, LossFunction]

    def init(self, key: jax.Array) -> Params:
        """Return the parameters by group; pure, so that it can run under jit."""
        ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """The run around the model.

    Attributes:
        seed: of parameters, steps and data.
        batch_size: rows a step, over all processes and accumulation steps.
        num_steps: length of the run.
        accumulation_steps: parts of the batch that are computed one after another.
        log_every_steps: steps a metric line stands for.
        evaluate_every_steps: None evaluates only at the end.
        evaluate_batches: batches an evaluation reads at most; None reads all.
        save_every_steps: steps that a kill may cost at most.
        keep_checkpoints: newest checkpoints that are kept.
        keep_every_steps: also keep each checkpoint at a multiple; None is off.
        peak_teraflops: of one device, 1e12 operations a second, for the share of peak;
            None takes the data sheet's, where the device is known.
    """

    # Ours: the paper gives neither seeds nor intervals.
    seed: int = 0
    batch_size: int = 16
    num_steps: int = 1000
    accumulation_steps: int = 1
    log_every_steps: int = 10
    evaluate_every_steps: int | None = 500
    evaluate_batches: int | None = 8
    save_every_steps: int = 250
    keep_checkpoints: int = 2
    keep_every_steps: int | None = None
    peak_teraflops: float | None = None

    def __post_init__(self) -> None:
        config.require_positive(
            self,
            "batch_size",
            "num_steps",
            "accumulation_steps",
            "log_every_steps",
            "evaluate_every_steps",
            "evaluate_batches",
            "save_every_steps",
            "keep_checkpoints",
            "keep_every_steps",
            "peak_teraflops",
        )
        config.require(
            self.batch_size % self.accumulation_steps == 0,
            f"TrainConfig.batch_size {self.batch_size} does not divide by "
            f"accumulation_steps {self.accumulation_steps}; give a multiple.",
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Experiment:
    """All that `train` needs, as `build(config)` of an experiment file gives it.

    Attributes:
        name: such as `face`; first part of metric names.
        task: what is trained.
        settings: the run around it.
        optimizers: settings for each group that has a loss.
        train_data: makes an endless iterator of batches: dicts of numpy arrays
            `[B / processes, ...]`, with the names of the records under `record`; it has
            `get_state` and `set_state` (JSON-able), and maybe `close`.
        evaluation_data: makes an iterable of batches, the same each time; None is off.
        evaluate: pure function of (params, batch, key) that returns metric states
            (`vasa_jax.train.metric_states`) by name.
        report: called after each evaluation, in process 0, with (params, step, folder)
            to write pictures there; may return more metrics.
        model_configs: configurations that an export holds, by name.
        export_groups: groups that an export holds.
        frames_per_example: video frames that a row stands for, for the frame rate.
        card: Markdown about data and use, for the model card of an export.
    """

    name: str
    task: Task
    settings: TrainConfig
    optimizers: Mapping[str, optimizer.OptimizerConfig]
    train_data: Callable[[], Iterator[Batch]]
    evaluation_data: Callable[[], Iterable[Batch]] | None = None
    evaluate: Callable[[Params, Batch, jax.Array], dict[str, Any]] | None = None
    report: Callable[[Params, int, pathlib.Path], Mapping[str, float] | None] | None = (
        None
    )
    model_configs: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    export_groups: tuple[str, ...] = ()
    frames_per_example: int = 1
    card: str = ""

    def __post_init__(self) -> None:
        for group in self.task.losses:
            if group not in self.optimizers:
                raise config.unknown_name(group, self.optimizers, "optimizer group")


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
    """
    key = jax.random.key(experiment.settings.seed)
    params = experiment.task.init(jax.random.fold_in(key, 0))
    params = jax.tree.map(jnp.asarray, dict(params))
    for group in experiment.task.losses:
        if group not in params:
            raise config.unknown_name(group, params, "group with a loss:")
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        params=params,
        opt_state={
            group: optimizer.make(experiment.optimizers[group], params[group]).init(
                params[group]
            )
            for group in experiment.task.losses
        },
        # A copy, because the step donates params and ema separately.
        ema={
            group: jax.tree.map(jnp.copy, params[group])
            for group in experiment.task.losses
            if experiment.optimizers[group].ema_decay is not None
        },
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


def _gradients(
    task: Task, params: Params, batch: Batch, key: jax.Array, step: jax.Array
) -> tuple[Params, dict[str, jax.Array]]:
    """Compute each group's gradient of its own loss, and all metrics."""
    gradients, metrics, shared = {}, {}, {}
    for group, function in task.losses.items():
        visible = {**batch, SHARED_FIELD: dict(shared)}

        def loss(own, function=function, group=group, visible=visible):
            return function({**params, group: own}, visible, key, step)

        (value, terms), gradients[group] = jax.value_and_grad(loss, has_aux=True)(
            params[group]
        )
        terms = dict(terms)
        shared |= jax.lax.stop_gradient(terms.pop(SHARED_FIELD, {}))
        metrics[f"{group}/loss"] = value
        metrics |= {f"{group}/{name}": term for name, term in terms.items()}
    metrics = {name: jnp.asarray(m, jnp.float32) for name, m in metrics.items()}
    return gradients, metrics


def make_step(
    experiment: Experiment,
) -> Callable[[TrainState, Batch], tuple[TrainState, dict[str, jax.Array]]]:
    """Make the pure training step.

    Args:
        experiment: gives task, optimizers and accumulation.

    Returns:
        A function of (state, batch) that returns the next state and metrics, to be
        compiled with the state donated.
    """
    task, num_parts = experiment.task, experiment.settings.accumulation_steps

    def step(
        state: TrainState, batch: Batch
    ) -> tuple[TrainState, dict[str, jax.Array]]:
        key = jax.random.fold_in(state.key, state.step)
        size = jax.tree.leaves(batch)[0].shape[0]
        row_keys = jax.vmap(jax.random.fold_in, (None, 0))(
            jax.random.fold_in(key, 0), jnp.arange(size)
        )
        batch = {**batch, EXAMPLE_KEY_FIELD: row_keys}
        if num_parts == 1:
            gradients, metrics = _gradients(
                task, state.params, batch, jax.random.fold_in(key, 1), state.step
            )
        else:
            gradients, metrics = accumulate(state, batch, key)
        params, opt_state, ema = dict(state.params), {}, {}
        for group in task.losses:
            settings = experiment.optimizers[group]
            chain = optimizer.make(settings, params[group])
            updates, opt_state[group] = chain.update(
                gradients[group], state.opt_state[group], params[group]
            )
            trained = jax.tree.map(
                lambda g, keep: g if keep else jnp.zeros_like(g),
                gradients[group],
                optimizer.trainable(settings, params[group]),
            )
            squares = [jnp.sum(jnp.square(g)) for g in jax.tree.leaves(trained)]
            metrics[f"{group}/gradient_norm"] = jnp.sqrt(sum(squares))
            metrics[f"{group}/learning_rate"] = (
                settings.learning_rate or 0.0
            ) * optimizer.schedule(settings)(state.step)
            params[group] = optax.apply_updates(params[group], updates)
            if settings.ema_decay is not None:
                ema[group] = optimizer.update_average(
                    state.ema[group], params[group], settings.ema_decay, state.step
                )
        next_state = state.replace(
            step=state.step + 1, params=params, opt_state=opt_state, ema=ema
        )
        return next_state, metrics

    def accumulate(
        state: TrainState, batch: Batch, key: jax.Array
    ) -> tuple[Params, dict[str, jax.Array]]:
        # Rows are dealt with a stride, so that each part uses every device's rows.
        parts = jax.tree.map(
            lambda rows: (
                einops.rearrange(rows, "(b p) ... -> p b ...", p=num_parts)
                if not jnp.issubdtype(rows.dtype, jax.dtypes.prng_key)
                else rows.reshape(-1, num_parts).T
            ),
            batch,
        )

        def part(total, inputs):
            index, rows = inputs
            found = _gradients(
                task, state.params, rows, jax.random.fold_in(key, index + 1), state.step
            )
            return jax.tree.map(jnp.add, total, found), None

        first = jax.tree.map(lambda rows: rows[0], parts)
        shapes = jax.eval_shape(
            lambda rows: _gradients(task, state.params, rows, key, state.step), first
        )
        zeros = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
        total, _ = jax.lax.scan(part, zeros, (jnp.arange(num_parts), parts))
        return jax.tree.map(lambda leaf: leaf / num_parts, total)

    return step


def jit_step(experiment: Experiment, abstract: TrainState, mesh: sharding.Mesh) -> Any:
    """Return `make_step` under jit: the state donated, and sharded as it was.

    Args:
        experiment: gives the step.
        abstract: from `abstract_state`.
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


@dataclasses.dataclass(frozen=True, kw_only=True)
class BatchNames:
    """Names that came with a batch and stay on the host.

    Attributes:
        records: of each row; empty when the data has no names.
        skipped: corrupt records that were replaced.
    """

    records: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


def split_names(batch: Mapping[str, Any]) -> tuple[Batch, BatchNames]:
    """Take the names out of a batch; the rest can go to the devices.

    Args:
        batch: from the data iterator.

    Returns:
        The arrays, and the names.
    """
    arrays = dict(batch)
    records = np.ravel(arrays.pop(data.RECORD_FIELD, []))
    skipped = np.ravel(arrays.pop(data.SKIPPED_FIELD, []))
    return arrays, BatchNames(
        records=tuple(str(name) for name in records),
        skipped=tuple(name for text in skipped for name in str(text).splitlines()),
    )
