"""Starts a run from the parameters of another: an export, or a run's checkpoint."""

import os
import pathlib
import sys
from collections.abc import Mapping
from typing import Any

import jax
import tqdm
from flax import traverse_util

from vasa_jax import export, older_parameters
from vasa_jax.errors import UserError
from vasa_jax.train import checkpoint
from vasa_jax.train.task import Params

NUM_NAMED_ARRAYS = 20
"""Arrays that did not fit which are named. Ours: what a screen shows."""


def read(folder: str | os.PathLike) -> Params:
    """Read parameters to start from.

    Ours: a run's folder also gives what an export leaves out, such as a discriminator,
    so that a run at a larger size goes on with face model and discriminator.

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
    with checkpoint.RunCheckpoints(checkpoints, is_read_only=True) as run:
        step = run.latest_step()
        if step is None:
            raise UserError(
                f"The run {os.fspath(folder)!r} has no checkpoint yet; wait for one, "
                "or name another folder."
            )
        parts = run.restore_part(step, ("params", "ema"))
    return by_todays_names({**parts["params"], **parts.get("ema", {})})


def by_todays_names(params: Params) -> Params:
    """Rename parameters of a run of an older version; see `older_parameters`."""
    flat = export.flatten(params)
    return export.unflatten(older_parameters.renew(flat))


def take(params: Params, loaded: Mapping[str, Any]) -> Params:
    """Put loaded arrays in the state's place where they fit, and say which did not.

    Args:
        params: the state's parameters, placed on devices.
        loaded: from `read`.

    Returns:
        The parameters.

    Raises:
        UserError: not one array fits.
    """
    params, taken, left = place(params, loaded)
    if not taken:
        raise UserError(
            "What to start from has no array that fits by name and shape; give "
            f"one of the same model. First differences: {'; '.join(left[:3])}."
        )
    lines = [f"warm start: {len(taken)} arrays taken, {len(left)} not"]
    lines += [f"  {line}" for line in left[:NUM_NAMED_ARRAYS]]
    tqdm.tqdm.write("\n".join(lines), file=sys.stderr)
    return params


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
    wanted = traverse_util.flatten_dict(loaded, sep="/")
    taken, left = [], []

    def choose(path: tuple[str, ...], old: jax.Array) -> jax.Array:
        name = "/".join(path)
        new = wanted.pop(name, None)
        if new is None:
            left.append(f"{name}: not in the export")
        elif new.shape != old.shape:
            left.append(f"{name}: {new.shape} in the export, {old.shape} here")
        else:
            taken.append(name)
            return jax.device_put(new.astype(old.dtype), old.sharding)
        return old

    params = traverse_util.path_aware_map(choose, params)
    left += [f"{name}: only in the export" for name in wanted]
    return params, taken, left
