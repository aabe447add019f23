"""Measures a state on held-out batches, and lets the experiment report on it."""

import pathlib
from typing import Any

import jax
import numpy as np

from vasa_jax.train import batch_names, sharding
from vasa_jax.train.experiment import Experiment, TrainConfig
from vasa_jax.train.state import TrainState
from vasa_jax.train.task import Params

REPORT_FOLDER = "reports"
"""Folder of what an experiment's `report` writes, in a run's work folder."""


def is_due(settings: TrainConfig, step: int) -> bool:
    """Tell whether the state after a step is measured: at intervals and at the end."""
    every = settings.evaluate_every_steps
    return step >= settings.num_steps or (every is not None and step % every == 0)


def check_data(experiment: Experiment, last_step: int) -> None:
    """Open the evaluation's data once, where a run up to a step will need them.

    Ours: so that what they lack is told now rather than after hours.

    Raises:
        UserError: there are no such data.
    """
    settings = experiment.settings
    every = settings.evaluate_every_steps
    is_needed = last_step >= settings.num_steps or (
        every is not None and every <= last_step
    )
    if is_needed and _can_evaluate(experiment):
        _close(experiment.evaluation_data())


def measure(
    experiment: Experiment,
    state: TrainState,
    mesh: sharding.Mesh,
    step: int,
    folder: pathlib.Path,
) -> dict[str, float]:
    """Evaluate a state, and let process 0 report on it.

    Args:
        experiment: gives data, metrics and report.
        state: whose averages count, where there are any.
        mesh: where the batches go.
        step: steps done.
        folder: the work folder.

    Returns:
        Numbers by `experiment/evaluation/name`.
    """
    params = state.averaged_params()
    metrics = evaluate(experiment, params, mesh)
    if experiment.report is not None and jax.process_index() == 0:
        reports = folder / REPORT_FOLDER
        reports.mkdir(parents=True, exist_ok=True)
        metrics |= experiment.report(params, step, reports) or {}
    return {f"{experiment.name}/evaluation/{k}": v for k, v in metrics.items()}


def evaluate(
    experiment: Experiment, params: Params, mesh: sharding.Mesh
) -> dict[str, float]:
    """Merge the metric states of all evaluation batches.

    Args:
        experiment: gives data and metrics.
        params: by group; averages, where there are any.
        mesh: where the batches go.

    Returns:
        Numbers by name; a metric per channel is averaged.
    """
    if not _can_evaluate(experiment):
        return {}
    of_batch = jax.jit(experiment.evaluate, out_shardings=sharding.replicated(mesh))
    total = None
    batches = experiment.evaluation_data()
    for number, batch in enumerate(batches):
        if number == experiment.settings.evaluate_batches:
            break
        arrays, _ = batch_names.split_names(batch)
        # The same keys each time, so that evaluations can be compared.
        key = jax.random.fold_in(jax.random.key(0), number)
        states = of_batch(params, sharding.shard_batch(arrays, mesh), key)
        total = states if total is None else _merge(total, states)
    _close(batches)
    host = jax.device_get(total or {})
    return {name: float(np.mean(state.compute())) for name, state in host.items()}


@jax.jit
def _merge(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    return {name: first[name].merge(second[name]) for name in first}


def _can_evaluate(experiment: Experiment) -> bool:
    return experiment.evaluate is not None and experiment.evaluation_data is not None


def _close(batches: Any) -> None:
    if hasattr(batches, "close"):
        batches.close()
