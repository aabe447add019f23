"""The one training loop: evaluate, save, next batch, step.

Metrics are read one step late, so that the device never waits for the host; all
metrics of a state are read and found finite before the state is saved.

Follows: kauldron (the order of the loop).
"""

import contextlib
import dataclasses
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import jax
import tqdm

from vasa_jax import config
from vasa_jax.errors import UserError
from vasa_jax.train import (
    batch_names,
    checkpoint,
    evaluator,
    metric_writer,
    sharding,
    step_profile,
    stop_signal,
    warm_start,
)
from vasa_jax.train import meter as meter_lib
from vasa_jax.train import state as state_lib
from vasa_jax.train import step as step_lib
from vasa_jax.train.experiment import Experiment

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

    state: state_lib.TrainState
    step: int
    is_complete: bool
    metrics: Mapping[str, float]


def run(
    experiment: Experiment,
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
    folder, mesh = pathlib.Path(folder), mesh or sharding.make_mesh()
    sharding.check_batch_size(settings.batch_size, mesh, settings.accumulation_steps)
    last_step = min(settings.num_steps, max_steps or settings.num_steps)
    evaluator.check_data(experiment, last_step)
    with contextlib.ExitStack() as stack:
        checkpoints, data = _open_checkpoints_and_data(stack, experiment, folder)
        abstract = state_lib.abstract_state(experiment, mesh)
        saved_step = checkpoints.latest_step()
        if saved_step is None:
            state = _initial_state(experiment, abstract, init_params)
        else:
            state = checkpoints.restore(saved_step, abstract, data)
        step = start_step = saved_step or 0
        take_step = step_lib.CompiledStep(experiment, abstract, mesh)
        writer, meter, profile = _open_writers(
            stack, experiment, folder, take_step, start_step, last_step, profile_steps
        )
        stop = stack.enter_context(stop_signal.StopSignal())
        metrics = {}

        while True:
            is_stopped = stop.is_asked(step)
            is_last = step >= last_step
            # An early end is no result: nothing is measured for it.
            is_new = step > start_step and not is_stopped
            if is_new and evaluator.is_due(settings, step):
                with meter.paused():
                    metrics = evaluator.measure(experiment, state, mesh, step, folder)
                writer.write(step, metrics)
            is_due = step % settings.save_every_steps == 0 or is_last or is_stopped
            if is_due and step != saved_step:
                with meter.paused():
                    metadata = _metadata(experiment, metrics, provenance)
                    checkpoints.save(step, state, data, metadata)
                saved_step = step
            if is_last or is_stopped:
                break
            with meter.waiting():
                batch, names = _next_batch(data, step, last_step)
            step += 1
            profile.before_step(step)
            state, found = take_step(state, sharding.shard_batch(batch, mesh))
            profile.after_step(step, found)
            meter.push(step, found, names)
    is_complete = step >= settings.num_steps
    return Outcome(state=state, step=step, is_complete=is_complete, metrics=metrics)


def _open_checkpoints_and_data(
    stack: contextlib.ExitStack, experiment: Experiment, folder: pathlib.Path
) -> tuple[checkpoint.RunCheckpoints, Any]:
    """Open what the state of a run is kept in and what it learns from."""
    stack.enter_context(checkpoint.full_disk_reported(folder))
    checkpoints = stack.enter_context(
        checkpoint.RunCheckpoints(folder / checkpoint.FOLDER)
    )
    data = experiment.train_data()
    if hasattr(data, "close"):
        stack.callback(data.close)
    return checkpoints, data


def _open_writers(
    stack: contextlib.ExitStack,
    experiment: Experiment,
    folder: pathlib.Path,
    take_step: step_lib.CompiledStep,
    start_step: int,
    last_step: int,
    profile_steps: tuple[int, int] | None,
) -> tuple[metric_writer.MetricWriter, meter_lib.Meter, step_profile.StepProfile]:
    """Open what tells of the run: metric lines, the meter with its bar, a profile.

    Of several processes the first alone writes.
    """
    is_writer = jax.process_index() == 0
    writer = stack.enter_context(
        metric_writer.MetricWriter(folder if is_writer else None, start_step)
    )
    bar = stack.enter_context(
        tqdm.tqdm(
            total=last_step,
            initial=start_step,
            desc=experiment.name,
            unit="step",
            disable=not is_writer,
        )
    )
    meter = meter_lib.Meter(experiment, writer, bar, folder, take_step)
    profile = stack.enter_context(
        step_profile.StepProfile(folder / PROFILE_FOLDER, profile_steps)
    )
    return writer, meter, profile


def _initial_state(
    experiment: Experiment,
    abstract: state_lib.TrainState,
    init_params: Mapping[str, Any] | None,
) -> state_lib.TrainState:
    """Make the state of step 0, with the given parameters where they fit."""
    state = state_lib.place_initial_state(experiment, abstract)
    if init_params is None:
        return state
    return state_lib.with_params(state, warm_start.take(state.params, init_params))


def _next_batch(data: Any, step: int, last_step: int):
    try:
        return batch_names.split_names(next(data))
    except StopIteration:
        raise UserError(
            f"The training data ended after step {step} of {last_step}; let it "
            "repeat without end."
        ) from None


def _metadata(
    experiment: Experiment,
    metrics: Mapping[str, float],
    provenance: Mapping[str, Any] | None,
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
        **(provenance or {}),
    }
