"""Traced and lowered programs are kept on disk, so that a second start skips both.

Ours: jax's compilation cache keeps what XLA makes of a program, but to look it up the
program is traced and lowered anew, which takes most of a start. So the program itself
is kept beside it, as `jax.export` writes it (StableHLO). Like the compilation cache it
is code: it is read only from the folder that the user has chosen for that cache
(`jax_compilation_cache_dir`), which must be the user's own; without one nothing is kept.
"""

import contextlib
import functools
import hashlib
import os
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import einops
import flax
import jax
import jax.export
import numpy as np

_JAX_SETTINGS = (
    "jax_default_matmul_precision",
    "jax_default_prng_impl",
    "jax_enable_x64",
    "jax_threefry_partitionable",
)


def register(*classes: type) -> None:
    """Name the dataclasses that kept programs give back; others cannot be kept.

    Args:
        classes: `flax.struct.dataclass`es whose fields are all data.
    """
    for cls in classes:
        jax.export.register_pytree_node_serialization(
            cls,
            serialized_name=f"{cls.__module__}.{cls.__qualname__}",
            serialize_auxdata=lambda fields: b"",
            deserialize_auxdata=lambda data: (),
        )


@functools.cache
def kept(function: Callable, *static: Any, **settings: Any) -> Callable:
    """Compile a function whose program is read from disk, or else written there.

    Ours: what is read gives what the function gives, bit for bit; a damaged file, or
    one of other sources, versions, settings or shapes, is made anew; a folder that
    cannot be written leaves the function as fast as it was.

    Args:
        function: from trees of arrays to a tree of arrays, without side effects.
        static: its first arguments; hashable, and told apart by their `repr`.
        settings: its keyword arguments, likewise.

    Returns:
        The compiled function of the other arguments, for arrays on one device.
    """
    bound = functools.partial(function, *static, **settings)

    # This body runs only where jit meets new shapes.
    def call(*arguments: Any) -> Any:
        folder = jax.config.jax_compilation_cache_dir
        if not folder:
            return bound(*arguments)
        leaves, tree = jax.tree.flatten(arguments)
        shapes = [jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for leaf in leaves]
        described = repr((function.__qualname__, static, settings, tree, shapes))
        key = _key(described)
        path = pathlib.Path(folder) / f"{function.__name__}-{key}.program"
        program = _read(path)
        if program is None:
            flat = jax.jit(lambda *leaves: bound(*jax.tree.unflatten(tree, leaves)))
            program = jax.export.export(flat)(*shapes).serialize()
            _write(path, program)
        return jax.export.deserialize(bytearray(program)).call(*leaves)

    call.__name__ = function.__name__
    return jax.jit(call)


def _key(described: str) -> str:
    """Hash all that a program depends on."""
    settings = [(name, getattr(jax.config, name)) for name in _JAX_SETTINGS]
    versions = [module.__version__ for module in (jax, flax, einops, np)]
    text = repr((_source_hash(), versions, settings, jax.default_backend(), described))
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def _source_hash() -> str:
    """Hash every source of the package."""
    folder = pathlib.Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(
            repr((path.relative_to(folder).as_posix(), path.read_bytes())).encode()
        )
    return digest.hexdigest()


def _digest(path: pathlib.Path, program: bytes) -> bytes:
    return hashlib.sha256(path.name.encode() + program).digest()


def _read(path: pathlib.Path) -> bytes | None:
    """Return what was written under this name, or None where it is not whole."""
    with contextlib.suppress(OSError):
        content = path.read_bytes()
        program = content[: -hashlib.sha256().digest_size]
        if content == program + _digest(path, program):
            return program
    return None


def _write(path: pathlib.Path, program: bytes) -> None:
    """Write beside and rename, so that no reader meets half a file."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(program + _digest(path, program))
        os.replace(partial, path)
