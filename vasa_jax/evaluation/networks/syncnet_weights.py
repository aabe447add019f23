"""Weights of SyncNet, out of the published `syncnet_v2.model` or the same names."""

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import einops
import jax
import numpy as np

from vasa_jax import export
from vasa_jax.evaluation.networks import syncnet, weights_files

CURE = (
    "give syncnet_v2.model of Chung and Zisserman (robots.ox.ac.uk/~vgg/software/"
    "lipsync), or its arrays as npz or safetensors under the same names"
)
"""What to do without the file."""

_CONV_PLACES = (0, 4, 8, 11, 14, 18)
_HALVES = {
    "sound": ("netcnnaud", "netfcaud", "o c h w -> h w c o"),
    "lips": ("netcnnlip", "netfclip", "o c t h w -> h w (t c) o"),
}


class _Array(NamedTuple):
    """An array of the file: its name, its place here and how to turn it."""

    name: str
    place: str
    pattern: str | None = None


def read(
    path: str | os.PathLike[str], network: syncnet.SyncNet | None = None
) -> dict[str, Any]:
    """Read the published file as parameters of the network.

    Follows: syncnet_python, a state dict of `SyncNetModel.S`; read by PyTorch's own
    reader of plain tensors, or from npz or safetensors.

    Args:
        path: the file.
        network: whose sizes it must have; None is the published one.

    Returns:
        Parameters of `network`, float32.

    Raises:
        UserError: the file is missing, cannot be read, or is of another network.
    """
    network = syncnet.SyncNet() if network is None else network
    shapes = export.flatten(
        jax.eval_shape(network.init, jax.random.key(0), *syncnet.example_inputs())[
            "params"
        ]
    )
    wanted = {a.name: _their_shape(a, shapes[a.place].shape) for a in _arrays()}
    tensors = weights_files.read_arrays(path, wanted, CURE)
    return export.unflatten(
        {array.place: _turned(tensors[array.name], array) for array in _arrays()}
    )


def _turned(tensor: np.ndarray, array: _Array) -> np.ndarray:
    if array.pattern is None:
        return tensor
    return np.ascontiguousarray(einops.rearrange(tensor, array.pattern))


def _their_shape(array: _Array, ours: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that an array has in the file."""
    if array.pattern is None:
        return ours
    if len(ours) == 2:
        return ours[::-1]
    height, width, inputs, outputs = ours
    if "t" not in array.pattern:
        return outputs, inputs, height, width
    # The first convolution of the lips spans all frames, the others one.
    depth = syncnet.WINDOW_FRAMES if array.place == "lips/conv_0/kernel" else 1
    return outputs, inputs // depth, depth, height, width


def _arrays() -> Iterator[_Array]:
    """List the arrays of the network."""
    for half, (convolutions, head, pattern) in _HALVES.items():
        for layer, place in enumerate(_CONV_PLACES):
            name = f"{convolutions}.{place}"
            yield _Array(f"{name}.weight", f"{half}/conv_{layer}/kernel", pattern)
            yield _Array(f"{name}.bias", f"{half}/conv_{layer}/bias")
            yield from _norm(f"{convolutions}.{place + 1}", f"{half}/norm_{layer}")
        for place, ours in ((0, "hidden"), (3, "embedding")):
            name = f"{head}.{place}"
            yield _Array(f"{name}.weight", f"{half}/head/{ours}/kernel", "o i -> i o")
            yield _Array(f"{name}.bias", f"{half}/head/{ours}/bias")
        yield from _norm(f"{head}.1", f"{half}/head/norm")


def _norm(name: str, place: str) -> Iterator[_Array]:
    for theirs, ours in (
        ("weight", "scale"),
        ("bias", "bias"),
        ("running_mean", "mean"),
        ("running_var", "variance"),
    ):
        yield _Array(f"{name}.{theirs}", f"{place}/{ours}")
