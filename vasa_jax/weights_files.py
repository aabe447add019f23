"""Reads weights that others publish, by the names and shapes a network needs.

Ours: they are passed by path, because their licences or sizes keep them out of this
package; a file that does not fit is refused before anything is computed.
"""

import importlib.util
import os
import pathlib
import zipfile
from collections.abc import Mapping

import numpy as np
import safetensors
import safetensors.numpy

from vasa_jax import errors

TORCH_SUFFIXES = (".pt", ".pth", ".model", ".pkl")
"""Of files that only PyTorch reads; it admits tensors alone, whatever their suffix."""

SUFFIXES = (".npz", ".safetensors", *TORCH_SUFFIXES)

_UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    zipfile.BadZipFile,
    safetensors.SafetensorError,
)


def read_arrays(
    path: str | os.PathLike[str], shapes: Mapping[str, tuple[int, ...]], cure: str
) -> dict[str, np.ndarray]:
    """Read the arrays that a network needs, and no others.

    Args:
        path: npz, safetensors, or a state dict of PyTorch, where PyTorch is installed.
        shapes: of the arrays by name.
        cure: what a user should do about a file that does not fit, a clause.

    Returns:
        float32 arrays by name.

    Raises:
        UserError: the file is missing, cannot be read, lacks an array, or holds one of
            another shape.
    """
    return select(path, read_all(path, cure), shapes, cure)


def read_all(path: str | os.PathLike[str], cure: str) -> dict[str, np.ndarray]:
    """Read every array of a file.

    Args:
        path, cure: see `read_arrays`.

    Returns:
        Arrays by name, of their own types.

    Raises:
        UserError: the file is missing or cannot be read.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise errors.UserError(f"There is no file '{path}': {cure}.")
    if path.suffix not in SUFFIXES:
        raise errors.UserError(
            f"'{path}' ends in none of {', '.join(SUFFIXES)}: {cure}."
        )
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as archive:
                return dict(archive)
        if path.suffix == ".safetensors":
            return safetensors.numpy.load_file(path)
        return _read_torch(path)
    except errors.UserError:
        raise
    except _UNREADABLE as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise errors.UserError(
            f"'{path}' cannot be read ({reason}): {cure}."
        ) from error


def select(
    path: str | os.PathLike[str],
    arrays: Mapping[str, np.ndarray],
    shapes: Mapping[str, tuple[int, ...]],
    cure: str,
) -> dict[str, np.ndarray]:
    """Take the arrays that a network needs out of those of a file.

    Args:
        path, shapes, cure: see `read_arrays`.
        arrays: as from `read_all`.

    Returns:
        float32 arrays by name.

    Raises:
        UserError: one is missing, or of another shape.
    """
    missing = [name for name in shapes if name not in arrays]
    if missing:
        raise errors.UserError(
            f"'{path}' lacks {len(missing)} of the {len(shapes)} arrays needed, first "
            f"'{missing[0]}': {cure}."
        )
    found = {}
    for name, shape in shapes.items():
        array = arrays[name]
        if array.shape != tuple(shape):
            raise errors.UserError(
                f"'{path}' holds '{name}' of shape {array.shape}, needed is "
                f"{tuple(shape)}: {cure}."
            )
        found[name] = array.astype(np.float32)
    return found


def _read_torch(path: pathlib.Path) -> dict[str, np.ndarray]:
    """Read a state dict; PyTorch itself admits nothing but tensors."""
    if importlib.util.find_spec("torch") is None:
        raise errors.UserError(
            f"'{path}' is a file of PyTorch, which is not installed: pip install torch,"
            " or convert it to safetensors under the same names."
        )
    # Imported late, because nothing else here needs it.
    import torch

    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # PyTorch raises what its formats' readers raise, of many kinds.
        raise ValueError(str(error)[:200]) from error
    if not isinstance(tensors, Mapping):
        raise ValueError("it holds no state dict")
    return {
        name: value.numpy()
        for name, value in tensors.items()
        if isinstance(value, torch.Tensor)
    }
