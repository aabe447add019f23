r"""Take full training steps of a stage on this machine; print time and peak memory.

    python -m experiments.tools.full_step --stage=face
    python -m experiments.tools.full_step --stage=motion

By default one row of the `vasa1` preset as it is: bfloat16, activations computed again,
both networks of stage one, AdamW and averages, on records of noise. Each stage in a
process of its own, because the peak is the process's. A CPU takes stage one, with all
its parameters, in 24 GB and a little swap space by

    JAX_COMPILATION_CACHE_DIR=cache \
    XLA_FLAGS=--xla_cpu_enable_concurrency_optimized_scheduler=false \
        python -m experiments.tools.full_step --stage=face --dtype=float32 \
        --stock_convolutions

and in 16 GB at 256 px with `--preset=vasa1_256`.
"""

import contextlib
import gc
import json
import tempfile
import time

import jax
import numpy as np
from absl import flags

from experiments.running import program
from experiments.tools import one_step
from vasa_jax import config, layers
from vasa_jax.errors import UserError
from vasa_jax.train import batch_names, operations, sharding
from vasa_jax.train import experiment as experiment_lib
from vasa_jax.train import state as state_lib
from vasa_jax.train import step as step_lib

STAGE = flags.DEFINE_enum("stage", None, ["face", "motion"], "Which.", required=True)
PRESET = flags.DEFINE_string("preset", "vasa1", "Of the stage's experiment file.")
BATCH_SIZE = flags.DEFINE_integer("batch_size", 1, "Rows.", lower_bound=1)
NUM_STEPS = flags.DEFINE_integer(
    "num_steps", 1, "Steps after compiling; the last is timed.", lower_bound=1
)
DTYPE = flags.DEFINE_enum(
    "dtype", "bfloat16", ["bfloat16", "float32"], "Of the computation."
)
STOCK = flags.DEFINE_bool(
    "stock_convolutions",
    False,
    "XLA's own convolutions, which are slower on CPUs and need less memory.",
)


def main(_) -> int:
    """Step as the flags say; return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        experiment = one_step.make_experiment(
            STAGE.value, PRESET.value, DTYPE.value, True, BATCH_SIZE.value, folder
        )
        stock = layers.stock_convolutions if STOCK.value else contextlib.nullcontext
        try:
            with stock():
                found = take(experiment, NUM_STEPS.value)
        except jax.errors.JaxRuntimeError as error:
            reason = str(error).partition("\n")[0]
            raise UserError(
                f"The device could not take a step of --stage={STAGE.value} "
                f"--preset={PRESET.value} --batch_size={BATCH_SIZE.value}: {reason} "
                "Where memory ran out, give less of each or a larger machine."
            ) from error
    for name, value in found.items():
        print(f"{name}: {value}")
    return 0


def take(experiment: experiment_lib.Experiment, num_steps: int) -> dict[str, str]:
    """Take steps, and describe what they took.

    Args:
        experiment: what to step.
        num_steps: after compiling.

    Returns:
        Texts by name.

    Raises:
        UserError: a metric is not finite.
    """
    mesh = sharding.make_mesh(num_devices=1)
    data = experiment.train_data()
    batch, _ = batch_names.split_names(next(data))
    data.close()
    rows = sharding.shard_batch(batch, mesh)
    abstract = state_lib.abstract_state(experiment, mesh)
    placed = jax.tree.map(lambda leaf: leaf.sharding, abstract)
    # Ours: compiled before there is a state, so that what the compiler needs and leaves
    # is not held beside it.
    start = time.perf_counter()
    traced = step_lib.jit_step(experiment, abstract, mesh).trace(abstract, rows)
    done = operations.count(traced.jaxpr)
    step = traced.lower().compile()
    compile_seconds = time.perf_counter() - start
    del traced
    jax.clear_caches()
    gc.collect()
    start = time.perf_counter()
    state = jax.jit(lambda: state_lib.init_state(experiment), out_shardings=placed)()
    jax.block_until_ready(state)
    init_seconds = time.perf_counter() - start
    for _ in range(num_steps):
        start = time.perf_counter()
        state, metrics = step(state, rows)
        metrics = {name: float(value) for name, value in metrics.items()}
        seconds = time.perf_counter() - start
    bad = [name for name, value in metrics.items() if not np.isfinite(value)]
    config.require(not bad, f"Not finite after the step: {', '.join(bad)}.")
    counts = {
        group: sum(leaf.size for leaf in jax.tree.leaves(params))
        for group, params in state.params.items()
    }
    memory = operations.device_peak_memory()
    return {
        "device": mesh.devices.flat[0].device_kind,
        "rows": str(experiment.settings.batch_size),
        "parameters": json.dumps(counts),
        "operations of a step": f"{done:.3g}",
        "seconds to make the state": f"{init_seconds:.1f}",
        "seconds to compile": f"{compile_seconds:.1f}",
        "seconds of a step": f"{seconds:.2f}",
        "operations a second": f"{done / seconds:.3g}",
        "peak memory, GiB": "unknown" if memory is None else f"{memory / 2**30:.1f}",
        "metrics": json.dumps({k: round(v, 4) for k, v in metrics.items()}),
    }


if __name__ == "__main__":
    program.run(main)
