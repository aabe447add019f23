"""Describes a run before it allocates anything: sizes, shardings, operations."""

import math

import jax
import numpy as np

from vasa_jax import optimizer, sharding, training
from vasa_jax.errors import UserError


def describe(experiment: training.Experiment, mesh: sharding.Mesh) -> str:
    """Say what a run would hold on each device and compute in each step.

    Reads one batch to learn its shapes, where there are data; activations are not
    counted.

    Args:
        experiment: what would be trained.
        mesh: where.

    Returns:
        Lines of text.

    Raises:
        UserError: the batch does not divide by devices and accumulation steps.
    """
    settings = experiment.settings
    sharding.check_batch_size(settings.batch_size, mesh, settings.accumulation_steps)
    state = training.abstract_state(experiment, mesh)
    batch, missing = _batch_shapes(experiment, mesh)
    cost = {}
    if batch:
        step = jax.jit(training.make_step(experiment))
        cost = step.lower(state, batch).cost_analysis() or {}

    lines = [
        f"experiment {experiment.name}: {settings.num_steps} steps, batch "
        f"{settings.batch_size} in {settings.accumulation_steps} parts",
        "mesh " + ", ".join(f"{k}:{v}" for k, v in mesh.shape.items()),
        "",
        "group parameters trained",
    ]
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
    lines += ["", "GiB per device (without activations)"]
    parts = {
        "parameters": state.params,
        "optimizer": state.opt_state,
        "average": state.ema,
        "gradients": {group: state.params[group] for group in state.opt_state},
        "batch": batch,
    }
    total = 0
    for name, tree in parts.items():
        shardings = jax.tree.map(lambda leaf: leaf.sharding, tree)
        size = sharding.bytes_per_device(tree, shardings)
        total += size
        lines.append(f"  {name} {size / 2**30:.4f}")
    lines.append(f"  sum {total / 2**30:.4f}")
    flops = cost.get("flops")
    if flops:
        lines += ["", f"operations per step {flops:.4g}"]
    if missing:
        lines += ["", f"no batch was read, so its size is not counted: {missing}"]
    for title, tree in (("batch", batch), ("parameters", state.params)):
        lines += ["", f"{title}: name shape dtype sharding"]
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
            lines.append(
                f"  {optimizer.path_name(path)} {list(leaf.shape)} {leaf.dtype} "
                f"{leaf.sharding.spec}"
            )
    return "\n".join(lines)


def _batch_shapes(
    experiment: training.Experiment, mesh: sharding.Mesh
) -> tuple[training.Batch, str]:
    """Return shapes of a batch, or none and why."""
    try:
        data = experiment.train_data()
        arrays, _ = training.split_names(next(data))
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
