"""How long a training step takes, beside the same step with XLA's own convolutions."""

import contextlib
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import jax

from experiments.running import experiment_file, timing
from vasa_jax import layers
from vasa_jax.train import batch_names, operations
from vasa_jax.train import state as state_lib
from vasa_jax.train import step as step_lib

OURS, STOCK = "ours", "XLA's convolutions"


def train_rows(
    rates: timing.Rates, path: str, preset: str, changes: list[str], repeats: int
) -> list[timing.Row]:
    """Time training steps on one batch of an experiment's data.

    Ours: on a CPU both kinds of convolution take turns, so that whatever else the
    machine does slows both; elsewhere there is only one kind.

    Args:
        rates: of the device.
        path: of the experiment file.
        preset: of its settings.
        changes: of the settings, `name=value`.
        repeats: steps of each kind.

    Returns:
        A row for each kind, ours first and compared with the other.

    Raises:
        UserError: no such experiment, preset, setting or data.
    """
    module = experiment_file.load(path)
    settings = experiment_file.settings_of(module, preset, changes)
    experiment = experiment_file.build(module, settings)
    data = experiment.train_data()
    batch, _ = batch_names.split_names(next(data))
    if hasattr(data, "close"):
        data.close()
    batch = jax.device_put(batch)
    contexts = {OURS: contextlib.nullcontext}
    if jax.default_backend() == "cpu":
        contexts[STOCK] = layers.stock_convolutions
    runs, floors = {}, {}
    for name, context in contexts.items():
        with context():
            runs[name], floors[name] = _make_run(experiment, batch, rates)
    seconds = in_turn(runs, repeats)
    title = f"training step of {experiment.name}, {preset}, batch "
    title += str(experiment.settings.batch_size)
    rows = [
        timing.Row(
            name=title if name == OURS else f"{title}, {name}",
            seconds=seconds[name],
            amount=1,
            unit="steps",
            floor_seconds=floors[name],
            baseline=STOCK if name == OURS and STOCK in seconds else None,
            baseline_seconds=seconds.get(STOCK) if name == OURS else None,
        )
        for name in contexts
    ]
    return rows


def in_turn(runs: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Return the median seconds of each run, taken in turn after one to warm up.

    Args:
        runs: by name; each returns jax arrays.
        repeats: of each.

    Returns:
        Seconds by name.
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        jax.block_until_ready(run())
    for _ in range(repeats):
        for name, run in runs.items():
            start = time.perf_counter()
            jax.block_until_ready(run())
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(taken) for name, taken in times.items()}


def _make_run(experiment, batch, rates):
    """Compile a step, and return what takes it again and again, and its floor."""
    state = jax.jit(lambda: state_lib.init_state(experiment))()
    make_step = step_lib.make_step(experiment)
    traced = jax.jit(make_step, donate_argnums=0).trace(state, batch)
    moved = timing.num_bytes(state.params, state.opt_state, state.ema)
    floor = rates.floor_seconds(operations.count(traced.jaxpr), 2 * moved)
    step = traced.lower().compile()

    def run():
        nonlocal state
        state, metrics = step(state, batch)
        return metrics

    return run, floor
