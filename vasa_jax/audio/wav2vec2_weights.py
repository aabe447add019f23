"""Weights of wav2vec 2.0, out of the safetensors file that Hugging Face publishes."""

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import einops
import numpy as np
import safetensors
from flax import traverse_util

from vasa_jax import errors
from vasa_jax.audio import wav2vec2

SOURCE = "facebook/wav2vec2-base-960h (model.safetensors)"
"""Where the base model is published. Paper: VASA-1 §3.2 takes wav2vec 2.0; Ours: this
form of it, the one that wav2vec-based talking faces use most."""

_FILE_PREFIX = "wav2vec2."
_HEADS = ("lm_head.", "quantizer.", "project_q.", "project_hid.", "masked_spec_embed")
_FLOATING = ("F64", "F32", "F16", "BF16")

_POSITION = "encoder.pos_conv_embed.conv"
# Old name -> name by torch's parametrisations of the norm and of the direction.
_WEIGHT_NORM = {
    f"{_POSITION}.weight_g": f"{_POSITION}.parametrizations.weight.original0",
    f"{_POSITION}.weight_v": f"{_POSITION}.parametrizations.weight.original1",
}
_BLOCK_DENSE = {
    "attention.q_proj": "query",
    "attention.k_proj": "key",
    "attention.v_proj": "value",
    "attention.out_proj": "attention_output",
    "feed_forward.intermediate_dense": "mlp_in",
    "feed_forward.output_dense": "mlp_out",
}
_BLOCK_NORMS = {"layer_norm": "attention_norm", "final_layer_norm": "mlp_norm"}


class _Array(NamedTuple):
    """An array of the file: its name, its shape, its place here and how to turn it."""

    name: str
    shape: tuple[int, ...]
    path: str
    pattern: str | None = None


def read(
    path: str | os.PathLike[str], network: wav2vec2.Wav2Vec2Network
) -> dict[str, Any]:
    """Read the published file as parameters of a network.

    Follows: `Wav2Vec2Model` of Hugging Face's transformers, with or without the heads
    of recognition and of pre-training, which are left out. The weight norm of the
    position convolution, under its old names or torch's new ones, is folded into the
    kernel. Ours: folded once, because the encoder is frozen.

    Args:
        path: a safetensors file.
        network: whose sizes the file must have.

    Returns:
        Parameters of `network`, float32.

    Raises:
        UserError: the file is missing or damaged, lacks arrays, or is of another
            architecture or size.
    """
    path = os.fspath(path)
    try:
        with safetensors.safe_open(path, framework="flax") as file:
            stored = _stored_names(file.keys())
            _check(path, file, stored, list(_arrays(network)))
            tensors = {
                array.path: _turned(
                    np.asarray(file.get_tensor(stored[array.name]), np.float32), array
                )
                for array in _arrays(network)
            }
    except (OSError, safetensors.SafetensorError) as error:
        raise errors.UserError(
            f"The wav2vec 2.0 weights {path!r} cannot be read ({error}); give {SOURCE}."
        ) from error
    norm, direction = (
        tensors.pop(path) for path in ("position/norm", "position/direction")
    )
    length = np.sqrt(np.square(direction).sum(axis=(1, 2), keepdims=True))
    tensors["position/kernel"] = np.asarray(norm * direction / length, np.float32)
    return traverse_util.unflatten_dict(tensors, sep="/")


def _stored_names(names: list[str]) -> dict[str, str]:
    """Return where each array of the model stands, by its old name and no prefix."""
    old_names = {new: old for old, new in _WEIGHT_NORM.items()}
    found = {}
    for name in names:
        short = name.removeprefix(_FILE_PREFIX)
        if not short.startswith(_HEADS):
            found[old_names.get(short, short)] = name
    return found


def _check(path: str, file: Any, stored: dict[str, str], arrays: list[_Array]) -> None:
    """Refuse a file whose arrays are not those of the network."""
    wanted = {array.name: array.shape for array in arrays}
    if not wanted.keys() & stored.keys():
        raise errors.UserError(
            f"The file {path!r} holds no wav2vec 2.0 model; give {SOURCE}."
        )
    missing = [name for name in wanted if name not in stored]
    if missing:
        raise errors.UserError(
            f"The wav2vec 2.0 weights {path!r} lack {len(missing)} of {len(wanted)} "
            f"arrays, such as {missing[0]!r}; give {SOURCE}."
        )
    for name, shape in wanted.items():
        array = file.get_slice(stored[name])
        if tuple(array.get_shape()) != shape or array.get_dtype() not in _FLOATING:
            raise errors.UserError(
                f"The wav2vec 2.0 weights {path!r} hold {name!r} as "
                f"{array.get_dtype()} {array.get_shape()} instead of F32 "
                f"{list(shape)}; give {SOURCE}."
            )
    unknown = sorted(stored.keys() - wanted.keys())
    if unknown:
        raise errors.UserError(
            f"The weights {path!r} hold {unknown[0]!r}, which is no part of this "
            f"wav2vec 2.0: they are of another architecture; give {SOURCE}."
        )


def _turned(tensor: np.ndarray, array: _Array) -> np.ndarray:
    if array.pattern is None:
        return tensor
    return np.ascontiguousarray(einops.rearrange(tensor, array.pattern))


def _arrays(network: wav2vec2.Wav2Vec2Network) -> Iterator[_Array]:
    """List the arrays of a model of these sizes."""
    inputs, convolution = 1, "o i k -> k i o"
    sizes = zip(network.conv_channels, network.conv_kernels, strict=True)
    for layer, (channels, kernel) in enumerate(sizes):
        name = f"feature_extractor.conv_layers.{layer}"
        yield _Array(
            f"{name}.conv.weight",
            (channels, inputs, kernel),
            f"samples/conv_{layer}/kernel",
            convolution,
        )
        if network.use_conv_bias:
            path = f"samples/conv_{layer}/bias"
            yield _Array(f"{name}.conv.bias", (channels,), path)
        if layer == 0 or network.conv_norm == "layer":
            path = f"samples/conv_norm_{layer}"
            yield from _norm(f"{name}.layer_norm", channels, path)
        inputs = channels
    width = network.width
    yield from _norm("feature_projection.layer_norm", inputs, "projection_norm")
    yield from _dense("feature_projection.projection", inputs, width, "projection")
    kernel = width, width // network.position_groups, network.position_kernel
    yield _Array(f"{_POSITION}.bias", (width,), "position/bias")
    yield _Array(
        f"{_POSITION}.weight_g", (1, 1, kernel[-1]), "position/norm", convolution
    )
    yield _Array(f"{_POSITION}.weight_v", kernel, "position/direction", convolution)
    yield from _norm("encoder.layer_norm", width, "norm")
    for layer in range(network.num_layers):
        name, path = f"encoder.layers.{layer}", f"block_{layer}"
        for theirs, ours in _BLOCK_NORMS.items():
            yield from _norm(f"{name}.{theirs}", width, f"{path}/{ours}")
        for theirs, ours in _BLOCK_DENSE.items():
            ends = {"mlp_in": (width, network.mlp_width)}
            ends["mlp_out"] = network.mlp_width, width
            yield from _dense(
                f"{name}.{theirs}", *ends.get(ours, (width, width)), f"{path}/{ours}"
            )


def _norm(name: str, channels: int, path: str) -> Iterator[_Array]:
    yield _Array(f"{name}.weight", (channels,), f"{path}/scale")
    yield _Array(f"{name}.bias", (channels,), f"{path}/bias")


def _dense(name: str, inputs: int, outputs: int, path: str) -> Iterator[_Array]:
    yield _Array(f"{name}.weight", (outputs, inputs), f"{path}/kernel", "o i -> i o")
    yield _Array(f"{name}.bias", (outputs,), f"{path}/bias")
