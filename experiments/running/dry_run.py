"""Describes a run before it allocates anything: sizes, shardings, operations."""

import math
from typing import Any

import jax
import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.train import batch_names, operations, optimizer, sharding, step, task
from vasa_jax.train import experiment as experiment_lib
from vasa_jax.train import state as state_lib

GIB = 2**30


def describe(
    experiment: experiment_lib.Experiment,
    mesh: sharding.Mesh,
    is_compiled: bool = False,
    device_memory_gib: float | None = None,
) -> str:
    """Say what a run would hold on each device and compute in each step.

    Reads one batch to learn its shapes, where there are data.

    Args:
        experiment: what would be trained.
        mesh: where; other machines' meshes can be tried with CPU devices
            (`JAX_PLATFORMS=cpu JAX_NUM_CPU_DEVICES=8`).
        is_compiled: compile the step, which takes minutes for large models, to learn
            what activations and temporaries take.
        device_memory_gib: what a device can hold; None asks the devices.

    Returns:
        Lines of text.

    Raises:
        UserError: the batch does not divide by devices and accumulation steps, or the
            run does not fit the devices' memory.
    """
    settings = experiment.settings
    sharding.check_batch_size(settings.batch_size, mesh, settings.accumulation_steps)
    state = state_lib.abstract_state(experiment, mesh)
    batch, missing = _batch_shapes(experiment, mesh)
    lines = [
        f"experiment {experiment.name}: {settings.num_steps} steps, batch "
        f"{settings.batch_size} in {settings.accumulation_steps} parts",
        "mesh " + ", ".join(f"{k}:{v}" for k, v in mesh.shape.items()),
        "",
        "group parameters trained",
        *_parameter_lines(experiment, state),
    ]
    sizes = _sizes(state, batch)
    traced = None
    if batch:
        traced = step.jit_step(experiment, state, mesh).trace(state, batch)
    if is_compiled and traced is not None:
        memory = traced.lower().compile().memory_analysis()
        # Gradients are temporaries of the step.
        sizes.pop("gradients")
        sizes["step (gradients, activations)"] = memory.temp_size_in_bytes
    note = "" if is_compiled else " (without activations: --dry_run_compiles)"
    total = sum(sizes.values())
    lines += ["", f"GiB per device{note}"]
    lines += [f"  {name} {size / GIB:.4f}" for name, size in sizes.items()]
    lines.append(f"  sum {total / GIB:.4f}")
    _check_memory(total, device_memory_gib)
    if traced is not None:
        lines += ["", *_operation_lines(traced, mesh)]
    if missing:
        lines += ["", f"no batch was read, so its size is not counted: {missing}"]
    for title, tree in (
        ("batch", batch),
        ("parameters", state.params),
        ("optimizer", state.opt_state),
        ("average", state.ema),
    ):
        lines += ["", f"{title}: name shape dtype sharding", *_array_lines(tree)]
    return "\n".join(lines)


def _operation_lines(traced: Any, mesh: sharding.Mesh) -> list[str]:
    """Count the operations of a step, and the time they take at best."""
    count = operations.count(traced.jaxpr)
    lines = [f"operations per step {count:.4g}"]
    peak = operations.peak_operations(mesh.devices.flat[0].device_kind)
    if peak is not None:
        lines.append(f"seconds per step at peak {count / (peak * mesh.size):.4g}")
    return lines


def _parameter_lines(
    experiment: experiment_lib.Experiment, state: state_lib.TrainState
) -> list[str]:
    """Count the parameters of each group, and those that are trained."""
    lines = []
    for group, params in state.params.items():
        leaves = jax.tree.leaves(params)
        count = sum(math.prod(leaf.shape) for leaf in leaves)
        trained = 0
        if group in experiment.task.losses:
            keep = optimizer.trainable(experiment.optimizers[group], params)
            trained = sum(
                math.prod(leaf.shape)
                for leaf, kept in zip(leaves, jax.tree.leaves(keep), strict=True)
                if kept
            )
        lines.append(f"  {group} {count:,} {trained:,}")
    return lines


def _sizes(state: state_lib.TrainState, batch: task.Batch) -> dict[str, int]:
    """Return bytes per device by kind."""
    parts = {
        "parameters": state.params,
        "optimizer": state.opt_state,
        "average": state.ema,
        "batch": batch,
        "gradients": {group: state.params[group] for group in state.opt_state},
    }
    return {
        name: sharding.bytes_per_device(
            tree, jax.tree.map(lambda leaf: leaf.sharding, tree)
        )
        for name, tree in parts.items()
    }


def _check_memory(num_bytes: float, device_memory_gib: float | None) -> None:
    limit = (jax.local_devices()[0].memory_stats() or {}).get("bytes_limit")
    if device_memory_gib is not None:
        limit = device_memory_gib * GIB
    if limit is not None and num_bytes > limit:
        raise UserError(
            f"The run needs {num_bytes / GIB:.2f} GiB on each device, which has "
            f"{limit / GIB:.2f}; split the state by --mesh=fsdp:N, or give a smaller "
            "train.batch_size, more train.accumulation_steps, or model.use_remat=True."
        )


def _array_lines(tree: Any) -> list[str]:
    return [
        f"  {jax.tree_util.keystr(path, simple=True, separator='/')} "
        f"{list(leaf.shape)} {leaf.dtype} "
        f"{tuple(leaf.sharding.spec) or 'whole'}"
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
    ]


def _batch_shapes(
    experiment: experiment_lib.Experiment, mesh: sharding.Mesh
) -> tuple[task.Batch, str]:
    """Return shapes of a batch, or none and why."""
    try:
        data = experiment.train_data()
        arrays, _ = batch_names.split_names(next(data))
    except UserError as error:
        return {}, str(error)
    if hasattr(data, "close"):
        data.close()
    shapes = jax.tree.map(
        lambda rows: jax.ShapeDtypeStruct(
            (np.shape(rows)[0] * jax.process_count(), *np.shape(rows)[1:]),
            jax.dtypes.canonicalize_dtype(np.asarray(rows).dtype),
            sharding=sharding.batch_sharding(mesh),
        ),
        arrays,
    )
    return shapes, ""
