"""Reads the metrics of steps one step late, and tells how fast and full the run is."""

import collections
import contextlib
import pathlib
import sys
import time
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
import tqdm

from vasa_jax.errors import UserError
from vasa_jax.train import metric_writer, operations
from vasa_jax.train.batch_names import BatchNames
from vasa_jax.train.experiment import Experiment
from vasa_jax.train.step import CompiledStep

NUM_NAMED_RECORDS = 16
"""Records of a bad batch that are named. Ours: a sentence must stay readable."""


class Meter:
    """Holds one step's metrics back, sums them up, and times the steps.

    Args:
        experiment: gives names, log interval, and what a row stands for.
        writer: of the metric lines.
        bar: the progress bar.
        folder: the work folder, which the sentence names that stops a run.
        step: the compiled step, which knows its operations.
    """

    def __init__(
        self,
        experiment: Experiment,
        writer: metric_writer.MetricWriter,
        bar: Any,
        folder: pathlib.Path,
        step: CompiledStep,
    ):
        self._experiment = experiment
        self._writer = writer
        self._bar = bar
        self._folder = folder
        self._step = step
        self._pending: tuple[int, Any, BatchNames] | None = None
        self._sums: dict[str, float] = collections.defaultdict(float)
        self._count = 0
        self._waited = 0.0
        self._skipped: set[str] = set()
        self._started: float | None = None

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Count the time inside as waiting, if the device had nothing left to do."""
        before = time.perf_counter()
        yield
        if self._is_device_idle():
            self._waited += time.perf_counter() - before

    def _is_device_idle(self) -> bool:
        """Whether the step that was sent last has ended."""
        if self._pending is None:
            return True
        return all(leaf.is_ready() for leaf in jax.tree.leaves(self._pending[1]))

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Read what is held back; then leave the time inside out of the speed.

        Raises:
            UserError: a metric that was held back is not finite.
        """
        self._drain()
        before = time.perf_counter()
        yield
        if self._started is not None:
            self._started += time.perf_counter() - before

    def push(self, step: int, metrics: Any, names: BatchNames) -> None:
        """Take the metrics of the step that was just sent; read those before.

        Raises:
            UserError: one of those before is not finite.
        """
        self._drain()
        self._pending = (step, metrics, names)

    def _drain(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            self._read(*pending)

    def _read(self, step: int, metrics: Any, names: BatchNames) -> None:
        values = {name: float(v) for name, v in jax.device_get(metrics).items()}
        self._check_finite(step, values, names)
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

    def _check_finite(
        self, step: int, values: dict[str, float], names: BatchNames
    ) -> None:
        # Terms before the losses that sum them, so that the culprit is named.
        for name in sorted(values, key=lambda name: name.endswith(("loss", "norm"))):
            if not np.isfinite(values[name]):
                records = ", ".join(names.records[:NUM_NAMED_RECORDS])
                raise UserError(
                    f"{name} is {values[name]} at step {step} (records: "
                    f"{records or 'not named'}); the last good state is the newest "
                    f"checkpoint in {self._folder}; look at the records, or lower the "
                    "learning rate."
                )

    def _write(self, step: int, timed: int) -> None:
        means = {
            f"{self._experiment.name}/{name}": total / self._count
            for name, total in self._sums.items()
        }
        now = time.perf_counter()
        elapsed = now - (self._started or now)
        if timed and elapsed > 0:
            means |= self._speed(elapsed, timed)
        if self._skipped:
            means["skipped_records"] = len(self._skipped)
        memory = operations.device_peak_memory()
        if memory is not None:
            means["device_memory_gib"] = memory / 2**30
        self._writer.write(step, means)
        losses = {k.split("/")[1]: v for k, v in means.items() if k.endswith("/loss")}
        self._bar.set_postfix({k: f"{v:.4g}" for k, v in losses.items()})
        self._sums.clear()
        self._count, self._waited, self._started = 0, 0.0, now

    def _speed(self, elapsed: float, num_steps: int) -> dict[str, float]:
        """Return the rates of so many steps in so many seconds."""
        settings = self._experiment.settings
        frames = settings.batch_size * num_steps * self._experiment.frames_per_example
        rates = {
            "frames_per_second": frames / elapsed,
            "step_seconds": elapsed / num_steps,
            "data_wait_fraction": min(1.0, self._waited / elapsed),
        }
        peak = (
            operations.peak_operations(jax.devices()[0].device_kind)
            if settings.peak_teraflops is None
            else settings.peak_teraflops * 1e12
        )
        if peak is not None and self._step.num_operations:
            done = self._step.num_operations * num_steps / elapsed
            rates["share_of_peak"] = done / (peak * self._step.num_devices)
        return rates
