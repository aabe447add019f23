"""Traced and lowered programs are kept on disk, so that a second start skips both.

Ours: jax's compilation cache keeps what XLA makes of a program, but to look it up the
program is traced and lowered anew, which takes most of a start. So the program itself
is kept beside it, as `jax.export` writes it (StableHLO).

Like the compilation cache it is code, and whoever can write there can have it run: it
is read from the folder of that cache alone (`jax_compilation_cache_dir`), which must be
the user's own. Without such a folder nothing is kept.
"""

import contextlib
import functools
import hashlib
import os
import pathlib
from collections.abc import Callable
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
_DIGEST_BYTES = hashlib.sha256().digest_size


def register(*classes: type) -> None:
    """Name the dataclasses that kept programs give back; others cannot be kept.

    Args:
        classes: of `flax.struct.dataclass`, all of whose fields are trees of arrays.
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

    Ours: what is read gives what the function gives, bit for bit. A file that is
    damaged, or of other sources, versions, settings or shapes, is never used but
    made anew; where none can be written, every start takes as long as the first.

    Args:
        function: from trees of arrays to a tree of arrays, without side effects.
        static: its first arguments, hashable; their `repr` tells them apart.
        settings: its keyword arguments, likewise.

    Returns:
        The compiled function of its other arguments, for one device.
    """
    bound = functools.partial(function, *static, **settings)

    # jit runs this once for the shapes of each call, to know what to compile.
    def call(*arguments: Any) -> Any:
        folder = jax.config.jax_compilation_cache_dir
        if not folder or "://" in folder:
            return bound(*arguments)
        leaves, tree = jax.tree.flatten(arguments)
        shapes = [jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for leaf in leaves]
        key = _key((function.__qualname__, static, settings, tree, shapes))
        path = pathlib.Path(folder) / f"{function.__name__}-{key}.program"
        program = _read(path)
        if program is None:
            flat = jax.jit(lambda *leaves: bound(*jax.tree.unflatten(tree, leaves)))
            program = bytes(jax.export.export(flat)(*shapes).serialize())
            _write(path, program)
        return jax.export.deserialize(bytearray(program)).call(*leaves)

    call.__name__ = function.__name__
    return jax.jit(call)


def _key(called: tuple[Any, ...]) -> str:
    """Hash all that a program depends on."""
    settings = [(name, getattr(jax.config, name)) for name in _JAX_SETTINGS]
    versions = [module.__version__ for module in (jax, flax, einops, np)]
    text = repr((_source_hash(), versions, settings, jax.default_backend(), called))
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def _source_hash() -> str:
    """Hash every source of the package."""
    folder = pathlib.Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _digest(path: pathlib.Path, program: bytes) -> bytes:
    """Hash a program and its name, so that no file passes for another."""
    return hashlib.sha256(path.name.encode() + program).digest()


def _read(path: pathlib.Path) -> bytes | None:
    """Return what `_write` wrote, or None where it is not there or not whole."""
    with contextlib.suppress(OSError):
        content = path.read_bytes()
        program, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
        if digest == _digest(path, program):
            return program
    return None


def _write(path: pathlib.Path, program: bytes) -> None:
    """Write a program beside its place, then rename it, if the folder lets us."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_bytes(program + _digest(path, program))
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
