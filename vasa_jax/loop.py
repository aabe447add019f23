"""The one training loop: evaluate, save, next batch, step.

Metrics are read one step late, so that the device never waits for the host; all
metrics of a state are read and found finite before the state is saved.
"""

import collections
import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import tqdm
from jax.experimental import multihost_utils

from vasa_jax import checkpoint, config, metric_writer, sharding, training
from vasa_jax.errors import UserError

CHECKPOINT_FOLDER = "checkpoints"


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


class _Meter:
    """Holds one step's metrics back, sums them up, and times the steps."""

    def __init__(
        self,
        experiment: training.Experiment,
        writer: metric_writer.MetricWriter,
        bar: Any,
        advice: str,
    ):
        self._experiment = experiment
        self._writer = writer
        self._bar = bar
        self._advice = advice
        self._pending: tuple[int, Any, training.BatchNames] | None = None
        self._sums: dict[str, float] = collections.defaultdict(float)
        self._count = 0
        self._waited = 0.0
        self._skipped: set[str] = set()
        self._started: float | None = None

    def is_device_idle(self) -> bool:
        """Whether the step that was sent last has ended."""
        if self._pending is None:
            return True
        return all(leaf.is_ready() for leaf in jax.tree.leaves(self._pending[1]))

    def add_wait(self, seconds: float) -> None:
        """Count time in which the device had nothing to do."""
        self._waited += seconds

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the time inside out of the speed."""
        before = time.perf_counter()
        yield
        if self._started is not None:
            self._started += time.perf_counter() - before

    def push(self, step: int, metrics: Any, names: training.BatchNames) -> None:
        """Take the metrics of the step that was just sent; read those before."""
        pending, self._pending = self._pending, (step, metrics, names)
        if pending is not None:
            self._read(*pending)

    def drain(self) -> None:
        """Read all metrics that are still held back."""
        pending, self._pending = self._pending, None
        if pending is not None:
            self._read(*pending)

    def _read(self, step: int, metrics: Any, names: training.BatchNames) -> None:
        values = {name: float(v) for name, v in jax.device_get(metrics).items()}
        # Terms before the losses that sum them, so that the culprit is named.
        for name in sorted(values, key=lambda name: name.endswith(("loss", "norm"))):
            if not np.isfinite(values[name]):
                raise UserError(
                    f"{name} is {values[name]} at step {step} (records: "
                    f"{', '.join(names.records[:16]) or 'not named'}); {self._advice}"
                )
        for name, value in values.items():
            self._sums[name] += value
        for name in names.skipped:
            if name not in self._skipped:
                self._skipped.add(name)
                tqdm.tqdm.write(f"skipped the corrupt record {name}", file=sys.stderr)
        self._count += 1
        if self._started is None:  # the first step compiles
            self._started, self._waited = time.perf_counter(), 0.0
            timed = 0
        else:
            timed = self._count
        self._bar.update(1)
        if step % self._experiment.settings.log_every_steps == 0:
            self._write(step, timed)

    def _write(self, step: int, timed: int) -> None:
        means = {
            f"{self._experiment.name}/{name}": total / self._count
            for name, total in self._sums.items()
        }
        now = time.perf_counter()
        elapsed = now - (self._started or now)
        if timed and elapsed > 0:
            rows = self._experiment.settings.batch_size * timed
            frames = rows * self._experiment.frames_per_example
            means |= {
                "frames_per_second": frames / elapsed,
                "step_seconds": elapsed / timed,
                "data_wait_fraction": min(1.0, self._waited / elapsed),
            }
        if self._skipped:
            means["skipped_records"] = len(self._skipped)
        memory = (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
        if memory is not None:
            means["device_memory_gib"] = memory / 2**30
        self._writer.write(step, means)
        losses = {k.split("/")[1]: v for k, v in means.items() if k.endswith("/loss")}
        self._bar.set_postfix({k: f"{v:.4g}" for k, v in losses.items()})
        self._sums.clear()
        self._count, self._waited, self._started = 0, 0.0, now


def _place_initial_state(
    experiment: training.Experiment,
    abstract: training.TrainState,
    init_params: Mapping[str, Any] | None,
) -> training.TrainState:
    shardings = jax.tree.map(lambda leaf: leaf.sharding, abstract)
    state = jax.jit(lambda: training.init_state(experiment), out_shardings=shardings)()
    if init_params is None:
        return state
    params, taken, left = training.warm_start(state.params, init_params)
    if not taken:
        raise UserError(
            "The export to start from has no array that fits by name and shape; give "
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
    if experiment.evaluate is None or experiment.evaluation_data is None:
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
    if hasattr(batches, "close"):
        batches.close()
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
) -> Outcome:
    """Train, from the newest checkpoint of the folder if there is one.

    Args:
        experiment: what is trained, on what.
        folder: the work folder: checkpoints, metrics, reports.
        mesh: from `sharding.make_mesh`; None puts the batch over all devices.
        max_steps: end early at this step, with a checkpoint.
        init_params: parameters to start from where there is no checkpoint yet.
        provenance: what JSON can hold, kept in each checkpoint (settings, command).

    Returns:
        How the run ended; a signal ends it after a save and is no error.

    Raises:
        UserError: the settings do not fit the devices or the checkpoint, a metric is
            not finite, the data ended, or the disk is full.
    """
    settings = experiment.settings
    folder = pathlib.Path(folder)
    mesh = mesh or sharding.make_mesh()
    sharding.check_batch_size(settings.batch_size, mesh, settings.accumulation_steps)
    abstract = training.abstract_state(experiment, mesh)
    last_step = min(settings.num_steps, max_steps or settings.num_steps)
    is_first_process = jax.process_index() == 0

    with contextlib.ExitStack() as stack:
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
        compiled_step = jax.jit(
            training.make_step(experiment),
            donate_argnums=0,
            out_shardings=(
                jax.tree.map(lambda leaf: leaf.sharding, abstract),
                sharding.replicated(mesh),
            ),
        )
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
        meter = _Meter(experiment, writer, bar, advice)
        stop = stack.enter_context(_Stop())
        start_step, metrics = step, {}

        while True:
            is_asked = stop.is_asked(step)
            is_last = step >= last_step
            every = settings.evaluate_every_steps
            is_due = is_last or (every is not None and step % every == 0)
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
            state, found = compiled_step(state, sharding.shard_batch(batch, mesh))
            step += 1
            meter.push(step, found, names)
    return Outcome(
        state=state,
        step=step,
        is_complete=step >= settings.num_steps,
        metrics=metrics,
    )


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
