"""Starts a run from the parameters of another: an export, or a run's checkpoint."""

import os
import pathlib
from collections.abc import Mapping
from typing import Any

import jax

from vasa_jax import export
from vasa_jax.errors import UserError
from vasa_jax.train import checkpoint, optimizer

Params = dict[str, Any]


def read(folder: str | os.PathLike) -> Params:
    """Read parameters to start from.

    Ours: a run's folder also gives what an export leaves out, such as a discriminator,
    so that a run at a larger size goes on with both players.

    Args:
        folder: an export, or the work folder of a run, whose newest checkpoint counts.

    Returns:
        Parameters by group, averages where there are any.

    Raises:
        UserError: neither is there.
    """
    checkpoints = pathlib.Path(folder) / checkpoint.FOLDER
    if not checkpoints.is_dir():
        return export.load_export(folder)[0]
    run = checkpoint.RunCheckpoints(checkpoints, is_read_only=True)
    try:
        step = run.latest_step()
        if step is None:
            raise UserError(
                f"The run {os.fspath(folder)!r} has no checkpoint yet; wait for one, "
                "or name another folder."
            )
        parts = run.restore_part(step, ("params", "ema"))
    finally:
        run.close()
    return {**parts["params"], **parts.get("ema", {})}


def place(
    params: Params, loaded: Mapping[str, Any]
) -> tuple[Params, list[str], list[str]]:
    """Put loaded arrays in the place of those with the same name and shape.

    Args:
        params: the state's parameters, placed on devices.
        loaded: nested dicts of arrays, such as an export's.

    Returns:
        The parameters, the names that were taken over, and the names that were not,
        with the reason.
    """
    wanted = {
        optimizer.path_name(path): leaf
        for path, leaf in jax.tree_util.tree_leaves_with_path(loaded)
    }
    taken, left = [], []

    def choose(path: tuple[Any, ...], old: jax.Array) -> jax.Array:
        name = optimizer.path_name(path)
        if name not in wanted:
            left.append(f"{name}: not in the export")
            return old
        new = wanted.pop(name)
        if new.shape != old.shape:
            left.append(f"{name}: {new.shape} in the export, {old.shape} here")
            return old
        taken.append(name)
        return jax.device_put(new.astype(old.dtype), old.sharding)

    params = jax.tree_util.tree_map_with_path(choose, params)
    left += [f"{name}: only in the export" for name in wanted]
    return params, taken, left
