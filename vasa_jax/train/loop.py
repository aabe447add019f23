"""The one training loop: evaluate, save, next batch, step.

Metrics are read one step late, so that the device never waits for the host; all
metrics of a state are read and found finite before the state is saved.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import tqdm
from jax.experimental import multihost_utils

from vasa_jax import config
from vasa_jax.errors import UserError
from vasa_jax.train import (
    checkpoint,
    metric_writer,
    operations,
    sharding,
    step_profile,
    training,
    warm_start,
)
from vasa_jax.train import meter as meter_lib

CHECKPOINT_FOLDER = checkpoint.FOLDER

PROFILE_FOLDER = "profile"
"""Folder of the profiler's traces in a run's work folder."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run ended.

    Attributes:
        state: the last state.
        step: steps done.
        is_complete: false when a signal or `max_steps` ended the run early.
        metrics: of the last evaluation.
    """

    state: training.TrainState
    step: int
    is_complete: bool
    metrics: Mapping[str, float]


class _Stop:
    """Notices the wish to end: SIGTERM and SIGINT, agreed on by all processes."""

    def __init__(self) -> None:
        self._is_asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "_Stop":
        # With several processes jax's own service has the signal and spreads it.
        is_main = threading.current_thread() is threading.main_thread()
        if jax.process_count() == 1 and is_main:
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: Any) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: Any) -> None:
        del frame
        self._is_asked = True
        # A second signal ends the process at once, as if nobody listened.
        signal.signal(number, self._before[number])

    def is_asked(self, step: int) -> bool:
        if jax.process_count() > 1:
            return multihost_utils.reached_preemption_sync_point(step)
        return self._is_asked


def _place_initial_state(
    experiment: training.Experiment,
    abstract: training.TrainState,
    init_params: Mapping[str, Any] | None,
) -> training.TrainState:
    shardings = jax.tree.map(lambda leaf: leaf.sharding, abstract)
    state = jax.jit(lambda: training.init_state(experiment), out_shardings=shardings)()
    if init_params is None:
        return state
    params, taken, left = warm_start.place(state.params, init_params)
    if not taken:
        raise UserError(
            "What to start from has no array that fits by name and shape; give "
            f"one of the same model. First differences: {'; '.join(left[:3])}."
        )
    tqdm.tqdm.write(
        f"warm start: {len(taken)} arrays taken, {len(left)} not", file=sys.stderr
    )
    for line in left[:20]:
        tqdm.tqdm.write(f"  {line}", file=sys.stderr)
    ema = {group: jax.tree.map(jnp.copy, params[group]) for group in state.ema}
    return state.replace(params=params, ema=ema)


@jax.jit
def _merge(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    return {name: first[name].merge(second[name]) for name in first}


def evaluate(
    experiment: training.Experiment, params: training.Params, mesh: sharding.Mesh
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
    measure = jax.jit(experiment.evaluate, out_shardings=sharding.replicated(mesh))
    total = None
    batches = experiment.evaluation_data()
    for index, batch in enumerate(batches):
        if index == experiment.settings.evaluate_batches:
            break
        arrays, _ = training.split_names(batch)
        # The same keys each time, so that evaluations can be compared.
        key = jax.random.fold_in(jax.random.key(0), index)
        states = measure(params, sharding.shard_batch(arrays, mesh), key)
        total = states if total is None else _merge(total, states)
    _close(batches)
    host = jax.device_get(total or {})
    return {name: float(np.mean(state.compute())) for name, state in host.items()}


def run(
    experiment: training.Experiment,
    folder: str | os.PathLike,
    mesh: sharding.Mesh | None = None,
    *,
    max_steps: int | None = None,
    init_params: Mapping[str, Any] | None = None,
    provenance: Mapping[str, Any] | None = None,
    profile_steps: tuple[int, int] | None = None,
) -> Outcome:
    """Train, from the newest checkpoint of the folder if there is one.

    Args:
        experiment: what is trained, on what.
        folder: the work folder: checkpoints, metrics, reports.
        mesh: from `sharding.make_mesh`; None puts the batch over all devices.
        max_steps: end early at this step, with a checkpoint.
        init_params: parameters to start from where there is no checkpoint yet.
        provenance: what JSON can hold, kept in each checkpoint (settings, command).
        profile_steps: first and last step, from 1, that a profiler's trace shows.

    Returns:
        How the run ended; a signal ends it after a save and is no error.

    Raises:
        UserError: the settings do not fit the devices or the checkpoint, there is no
            data for an evaluation that is due, a metric is not finite, the data ended,
            or the disk is full.
    """
    settings = experiment.settings
    folder = pathlib.Path(folder)
    mesh = mesh or sharding.make_mesh()
    sharding.check_batch_size(settings.batch_size, mesh, settings.accumulation_steps)
    abstract = training.abstract_state(experiment, mesh)
    last_step = min(settings.num_steps, max_steps or settings.num_steps)
    if _can_evaluate(experiment) and _will_evaluate(settings, last_step):
        # What it lacks is told now rather than after hours.
        _close(experiment.evaluation_data())
    is_first_process = jax.process_index() == 0

    with contextlib.ExitStack() as stack:
        stack.enter_context(checkpoint.full_disk_reported(folder))
        checkpoints = checkpoint.RunCheckpoints(
            folder / CHECKPOINT_FOLDER,
            keep_last=settings.keep_checkpoints,
            keep_every=settings.keep_every_steps,
        )
        stack.callback(checkpoints.close)
        data = experiment.train_data()
        if hasattr(data, "close"):
            stack.callback(data.close)
        saved_step = checkpoints.latest_step()
        if saved_step is None:
            state, step = _place_initial_state(experiment, abstract, init_params), 0
        else:
            state, step = checkpoints.restore(saved_step, abstract, data), saved_step
        jitted_step = training.jit_step(experiment, abstract, mesh)
        take_step = None
        writer = metric_writer.MetricWriter(folder if is_first_process else None, step)
        stack.callback(writer.close)
        bar = stack.enter_context(
            tqdm.tqdm(
                total=last_step,
                initial=step,
                desc=experiment.name,
                unit="step",
                disable=not is_first_process,
            )
        )
        advice = (
            f"the last good state is the newest checkpoint in {folder}; look at the "
            "records, or lower the learning rate."
        )
        meter = meter_lib.Meter(experiment, writer, bar, advice, mesh.size)
        profile = step_profile.StepProfile(folder / PROFILE_FOLDER, profile_steps)
        stack.callback(profile.close)
        stop = stack.enter_context(_Stop())
        start_step, metrics = step, {}

        while True:
            is_asked = stop.is_asked(step)
            is_last = step >= last_step
            every = settings.evaluate_every_steps
            # An early end is no result: nothing is measured for it.
            is_due = step >= settings.num_steps or (
                every is not None and step % every == 0
            )
            if is_due and step > start_step and not is_asked:
                meter.drain()
                with meter.paused():
                    metrics = _evaluate_and_report(
                        experiment, state, mesh, step, folder
                    )
                if metrics:
                    writer.write(step, metrics)
            is_due = step % settings.save_every_steps == 0 or is_last or is_asked
            if is_due and step > (-1 if saved_step is None else saved_step):
                meter.drain()
                with meter.paused():
                    checkpoints.save(
                        step,
                        state,
                        data,
                        {**_description(experiment, metrics), **(provenance or {})},
                    )
                saved_step = step
            if is_last or is_asked:
                break
            before = time.perf_counter()
            try:
                batch, names = training.split_names(next(data))
            except StopIteration:
                raise UserError(
                    f"The training data ended after step {step} of {last_step}; let it "
                    "repeat without end."
                ) from None
            if meter.is_device_idle():
                meter.add_wait(time.perf_counter() - before)
            rows = sharding.shard_batch(batch, mesh)
            if take_step is None:
                traced = jitted_step.trace(state, rows)
                meter.set_step_operations(operations.count(traced.jaxpr))
                take_step = traced.lower().compile()
            step += 1
            profile.before_step(step)
            state, found = take_step(state, rows)
            profile.after_step(step, found)
            meter.push(step, found, names)
    return Outcome(
        state=state,
        step=step,
        is_complete=step >= settings.num_steps,
        metrics=metrics,
    )


def _can_evaluate(experiment: training.Experiment) -> bool:
    return experiment.evaluate is not None and experiment.evaluation_data is not None


def _will_evaluate(settings: training.TrainConfig, last_step: int) -> bool:
    """Tell whether a run that ends at `last_step` has a step that is measured."""
    every = settings.evaluate_every_steps
    return last_step >= settings.num_steps or (every is not None and every <= last_step)


def _close(batches) -> None:
    if hasattr(batches, "close"):
        batches.close()


def _evaluate_and_report(
    experiment: training.Experiment,
    state: training.TrainState,
    mesh: sharding.Mesh,
    step: int,
    folder: pathlib.Path,
) -> dict[str, float]:
    params = state.averaged_params()
    metrics = evaluate(experiment, params, mesh)
    if experiment.report is not None and jax.process_index() == 0:
        reports = folder / "reports"
        reports.mkdir(parents=True, exist_ok=True)
        metrics |= experiment.report(params, step, reports) or {}
    return {f"{experiment.name}/evaluation/{k}": v for k, v in metrics.items()}


def _description(
    experiment: training.Experiment, metrics: Mapping[str, float]
) -> dict[str, Any]:
    """Say what an export of this state needs to know."""
    return {
        "experiment": experiment.name,
        "groups": list(experiment.export_groups or experiment.task.losses),
        "configs": {
            name: json.loads(config.to_json(value))
            for name, value in experiment.model_configs.items()
        },
        "card": experiment.card,
        "metrics": {k: metric_writer.round_number(v) for k, v in metrics.items()},
    }
