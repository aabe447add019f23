"""Writes and reads the folders that are published: weights, settings, model card.

Ours: an export carries a hash over all that it holds, so that a damaged download
fails with a sentence and not with a strange face; and it is read without optimizer
code, Orbax or pickles.
"""

import hashlib
import json
import os
import pathlib
import shutil
from collections.abc import Mapping
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np
import safetensors.numpy

from vasa_jax import older_parameters, older_settings
from vasa_jax.errors import UserError

FORMAT = "vasa_jax export"
VERSION = 4
"""Of what is written: 4, all weights in one file."""

READABLE_VERSIONS = (3, 4)
"""3, with weights in several files, large arrays in pieces, is what shipped before."""

MANIFEST_NAME = "manifest.json"
CONFIG_NAME = "config.json"
CARD_NAME = "README.md"
WEIGHTS_NAME = "weights.safetensors"

_MEND = "fetch or export the checkpoint again."


def without_folders(value: Any) -> Any:
    """Cut paths out of the working folder, in metadata, down to their last part.

    Ours: what is published should not tell where somebody keeps their files. Lists of
    paths, with commas between them, keep every name.

    Args:
        value: what JSON can hold.

    Returns:
        The same, with other strings.
    """
    if isinstance(value, dict):
        return {name: without_folders(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [without_folders(part) for part in value]
    if isinstance(value, str):
        return ",".join(map(_without_folder, value.split(",")))
    return value


def _without_folder(text: str) -> str:
    path = pathlib.PurePath(text)
    leads_out = path.is_absolute() or path.parts[:1] in ((os.pardir,), ("~",))
    return path.name if leads_out else text


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested dicts to names with slashes."""
    flat = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{name}/")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def unflatten(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Undo `flatten`."""
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *parents, last = name.split("/")
        inner = tree
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[last] = value
    return tree


def save_export(
    folder: str | os.PathLike,
    params: Mapping[str, Any],
    configs: Mapping[str, str],
    metadata: Mapping[str, Any],
    card: str,
    dtype: Literal["float32", "bfloat16", "float16"] = "float32",
) -> str:
    """Write parameters and settings as one folder to publish; replace an older one.

    Ours: arrays of fewer than two axes (biases, scales, statistics) stay float32; they
    weigh nothing and rounding them costs most.

    Args:
        folder: written beside and then renamed.
        params: nested dicts of arrays.
        configs: JSON text of each configuration, by name.
        metadata: what JSON can hold: metrics, step, data description.
        card: the model card, Markdown; the hash of the weights is added at its end.
        dtype: of floating-point arrays of two axes or more.

    Returns:
        The hash over all that the folder holds, hexadecimal.

    Raises:
        UserError: an unknown dtype, or the folder holds something else.
    """
    if dtype not in ("float32", "bfloat16", "float16"):
        raise UserError(
            f"The dtype {dtype!r} is unknown; give float32, bfloat16 or float16."
        )
    folder = pathlib.Path(folder)
    is_foreign = folder.exists() and not (folder / MANIFEST_NAME).exists()
    if is_foreign and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(
            f"{os.fspath(folder)!r} holds something that is not an export; name an "
            "empty folder or a new one."
        )
    weights = safetensors.numpy.save(
        {name: _cast(value, dtype) for name, value in flatten(params).items()}
    )
    contents: dict[str, bytes] = {
        CONFIG_NAME: json.dumps(
            {name: json.loads(text) for name, text in configs.items()}, indent=2
        ).encode(),
        WEIGHTS_NAME: weights,
        CARD_NAME: (
            f"{card.rstrip()}\n\nSHA-256 of `{WEIGHTS_NAME}`: "
            f"`{hashlib.sha256(weights).hexdigest()}`.\n`{MANIFEST_NAME}` holds that "
            "of each file; `vasa_jax.load` refuses a folder that does not fit it.\n"
        ).encode(),
    }
    manifest = {
        "format": FORMAT,
        "format_version": VERSION,
        "files": {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in contents.items()
        },
        "metadata": dict(metadata),
    }
    manifest["hash"] = _manifest_hash(manifest)
    contents[MANIFEST_NAME] = json.dumps(manifest, indent=1).encode()

    beside = folder.with_name(f".{folder.name}.{os.getpid()}.writing")
    beside.mkdir(parents=True)
    try:
        for name, data in contents.items():
            (beside / name).write_bytes(data)
        if folder.exists():
            shutil.rmtree(folder)
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return manifest["hash"]


def load_export(
    folder: str | os.PathLike,
) -> tuple[dict[str, Any], dict[str, str], dict[str, Any]]:
    """Read a folder that `save_export` wrote.

    Args:
        folder: the folder.

    Returns:
        Parameters as nested dicts of numpy arrays (float32 where they are
        floating-point), the JSON text of each configuration by name, and the metadata.

    Raises:
        UserError: the folder is missing, is of another version, lacks a file, or does
            not hold what its hashes say.
    """
    folder = pathlib.Path(folder)
    manifest = _read_manifest(folder)
    for name, known in manifest["files"].items():
        _read_checked(folder / name, known)
    stored: dict[str, np.ndarray] = {}
    for name in manifest["files"]:
        if name.endswith(".safetensors"):
            # As jax arrays, every shape would be a program of its own to compile.
            stored |= safetensors.numpy.load_file(folder / name)
    if "tensors" in manifest:
        stored = _put_together(stored, manifest["tensors"])
    flat = {
        name: array.astype(np.float32)
        if jnp.issubdtype(array.dtype, jnp.floating)
        else array
        for name, array in stored.items()
    }
    flat = older_parameters.renew(flat)
    return unflatten(flat), load_configs(folder), manifest["metadata"]


def load_configs(folder: str | os.PathLike) -> dict[str, str]:
    """Read only the configurations of a folder that `save_export` wrote.

    Ours: what a checkpoint can do is known at once, before its weights are read.

    Args:
        folder: the folder.

    Returns:
        The JSON text of each configuration by name.

    Raises:
        UserError: the folder is missing, is of another version, or lacks or has
            changed configurations.
    """
    folder = pathlib.Path(folder)
    known = _read_manifest(folder)["files"][CONFIG_NAME]
    stored = older_settings.renew(
        json.loads(_read_checked(folder / CONFIG_NAME, known))
    )
    return {name: json.dumps(value, indent=2) for name, value in stored.items()}


def _read_manifest(folder: pathlib.Path) -> dict[str, Any]:
    """Read what an export says of itself, and refuse one that is none or damaged."""
    file = folder / MANIFEST_NAME
    if not file.is_file():
        raise UserError(
            f"There is no checkpoint at {os.fspath(folder)!r} (no {MANIFEST_NAME}); "
            "name a folder that experiments.export wrote."
        )
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{file} is truncated or damaged; {_MEND}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise UserError(f"{file} is not the manifest of a vasa_jax export; {_MEND}")
    if manifest.get("format_version") not in READABLE_VERSIONS:
        raise UserError(
            f"The checkpoint {os.fspath(folder)!r} has format version "
            f"{manifest.get('format_version')} and this vasa_jax reads versions "
            f"{' and '.join(map(str, READABLE_VERSIONS))}; install the vasa_jax it was "
            f"made with, or {_MEND}"
        )
    if manifest.get("hash") != _manifest_hash(manifest):
        raise UserError(f"{file} was changed after it was written; {_MEND}")
    return manifest


def _read_checked(path: pathlib.Path, known: Mapping[str, Any]) -> bytes:
    """Read a file of an export, and refuse another than the manifest knows."""
    if not path.is_file():
        raise UserError(f"The checkpoint lacks the file {path}; {_MEND}")
    data = path.read_bytes()
    if len(data) != known["bytes"]:
        raise UserError(
            f"{path} has {len(data)} bytes instead of {known['bytes']}: it is "
            f"truncated or changed; {_MEND}"
        )
    if hashlib.sha256(data).hexdigest() != known["sha256"]:
        raise UserError(f"{path} does not match its hash; {_MEND}")
    return data


def _manifest_hash(manifest: Mapping[str, Any]) -> str:
    rest = {name: value for name, value in manifest.items() if name != "hash"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _cast(value: Any, dtype: str) -> np.ndarray:
    """Bring numbers of two axes or more to the dtype, other ones to float32."""
    array = np.asarray(value)
    if not jnp.issubdtype(array.dtype, jnp.floating):
        return array
    return array.astype(jnp.dtype(dtype) if array.ndim >= 2 else np.float32)


def _put_together(
    pieces: Mapping[str, np.ndarray], tensors: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """Join the pieces of version 3, which kept its files below 15 MiB."""
    return {
        name: np.concatenate(
            [pieces[f"{name}@{i}"] for i in range(tensor["pieces"])]
        ).reshape(tensor["shape"])
        for name, tensor in tensors.items()
    }
