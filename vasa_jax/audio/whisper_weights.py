"""Weights of Whisper's encoder: from CTranslate2's names, and packed in 8 bits."""

import os
import pathlib
from typing import Any

import einops
import numpy as np
import safetensors
import safetensors.numpy
from flax import traverse_util

from vasa_jax import errors

SHIPPED = pathlib.Path(__file__).parents[1] / "weights/whisper_tiny/encoder.safetensors"
"""Ours: the packed weights of Whisper tiny.en (MIT), inside the package."""

HALF_PRECISION_LAYERS = ("conv1", "block_0/query_key_value", "block_0/attention_output")
"""Ours: a twelfth of the weights, and the most sensitive (measured one by one): kept
in 16 bits, they halve the error of the features for 0.65 MiB."""

_SCALE_SUFFIX = "_scale"
_MAX_CODE = 127
_CLIP_CANDIDATES = np.linspace(0.7, 1.0, 31)

# Our module -> CTranslate2's layer; the tensors in it are named by kind.
_OUTER_NAMES = {
    "conv1": "conv1",
    "conv2": "conv2",
    "final_norm": "layer_norm",
}
_BLOCK_NAMES = {
    "attention_norm": "self_attention/layer_norm",
    "query_key_value": "self_attention/linear_0",
    "attention_output": "self_attention/linear_1",
    "mlp_norm": "ffn/layer_norm",
    "mlp_in": "ffn/linear_0",
    "mlp_out": "ffn/linear_1",
}


def read_ctranslate2(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read an encoder stored as npz under CTranslate2's names.

    Follows: CTranslate2's Whisper layout: kernels are `[out, in]` or `[out, in, 3]`,
    ours `[in, out]` or `[3, in, out]`; the position encodings are fixed and computed.

    Args:
        path: npz with names such as `encoder/layer_0/ffn/linear_0/weight`.

    Returns:
        Parameters of `whisper.WhisperNetwork`, float32.

    Raises:
        UserError: the file is missing, no npz, or lacks a tensor.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            tensors = {name: archive[name].astype(np.float32) for name in archive.files}
        params = {
            ours: _read_layer(tensors, f"encoder/{theirs}")
            for ours, theirs in _OUTER_NAMES.items()
        }
        num_layers = len({name.split("/")[1] for name in tensors if "layer_" in name})
        num_layers -= "encoder/layer_norm/gamma" in tensors
        for layer in range(num_layers):
            params[f"block_{layer}"] = {
                ours: _read_layer(tensors, f"encoder/layer_{layer}/{theirs}")
                for ours, theirs in _BLOCK_NAMES.items()
            }
    except KeyError as error:
        raise errors.UserError(
            f"The weights {path} lack the tensor {error}; give CTranslate2's encoder "
            "of a Whisper model as npz."
        ) from error
    except (OSError, ValueError) as error:
        raise errors.UserError(
            f"The weights {path} cannot be read ({error}); give CTranslate2's encoder "
            "of a Whisper model as npz."
        ) from error
    return params


def _read_layer(tensors: dict[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    if name.endswith("layer_norm"):
        return {"scale": tensors[f"{name}/gamma"], "bias": tensors[f"{name}/beta"]}
    weight = tensors[f"{name}/weight"]
    pattern = "o i -> i o" if weight.ndim == 2 else "o i k -> k i o"
    kernel = np.ascontiguousarray(einops.rearrange(weight, pattern))
    return {"kernel": kernel, "bias": tensors[f"{name}/bias"]}


def quantise(kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Round a kernel to 8 bits, with one scale for each output channel.

    Ours: symmetric; of 31 clipping points per channel the one of least squared error.

    Args:
        kernel: float32 `[..., out]`.

    Returns:
        int8 codes `[..., out]` and float32 scales `[out]`; their product is about
        the kernel.
    """
    flat = einops.rearrange(kernel, "... o -> (...) o")
    peak = np.maximum(np.abs(flat).max(axis=0), np.finfo(np.float32).tiny)
    best_scale = peak / _MAX_CODE
    best_error = np.full(peak.shape, np.inf)
    for candidate in _CLIP_CANDIDATES:
        scale = candidate * peak / _MAX_CODE
        error = np.square(_codes(flat, scale) * scale[None] - flat).sum(axis=0)
        best_scale = np.where(error < best_error, scale, best_scale)
        best_error = np.minimum(error, best_error)
    best_scale = best_scale.astype(np.float32)
    return _codes(kernel, best_scale).astype(np.int8), best_scale


def _codes(kernel: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(kernel / scale), -_MAX_CODE, _MAX_CODE)


def pack(params: dict[str, Any]) -> bytes:
    """Store parameters as safetensors, kernels in 8 bits, the rest in 16.

    Ours: half precision is that of the published weights, so that only the kernels
    in 8 bits differ from them.

    Args:
        params: of `whisper.WhisperNetwork`.

    Returns:
        The file's content; equal parameters give equal bytes.
    """
    tensors = {}
    for name, value in traverse_util.flatten_dict(params, sep="/").items():
        layer, _, kind = name.rpartition("/")
        if kind == "kernel" and layer not in HALF_PRECISION_LAYERS:
            tensors[name], tensors[name + _SCALE_SUFFIX] = quantise(value)
        else:
            tensors[name] = np.asarray(value, np.float16)
    # safetensors 0.8.0 writes the memory of transposed arrays as it lies
    # (safetensors/safetensors#825): they come back with their values out of order.
    ordered = {name: np.ascontiguousarray(tensors[name]) for name in sorted(tensors)}
    return safetensors.numpy.save(ordered)


def read_packed(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read what `pack` stored.

    Ours: kernels are unpacked once, at reading.

    Args:
        path: a safetensors file.

    Returns:
        Parameters of `whisper.WhisperNetwork`, float32.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        tensors = safetensors.numpy.load(pathlib.Path(path).read_bytes())
    except (OSError, safetensors.SafetensorError) as error:
        raise errors.UserError(
            f"The weights {path} cannot be read ({error}); install the package again "
            "or make them with experiments.tools.pack_whisper."
        ) from error
    flat = {}
    for name, value in tensors.items():
        if name.endswith(_SCALE_SUFFIX):
            continue
        scale = tensors.get(name + _SCALE_SUFFIX)
        value = value.astype(np.float32)
        flat[name] = value if scale is None else value * scale
    return traverse_util.unflatten_dict(flat, sep="/")
