"""Compiled kernels, cached on disk until any source that they are made of changes."""

import functools
import hashlib
import pathlib
from collections.abc import Callable

import numba

SOURCES = (
    "rendering/correspondence",
    "person/geometry",
    "rendering/ground_truth",
    "person/head",
    "rendering/kernels",
    "rendering/lighting",
    "rendering/materials",
    "names",
    "rendering/occlusion",
    "rendering/rasterizer",
    "rendering/shading",
    "person/skin",
)
"""Modules whose code or constants end up inside kernels."""


def cached(function: Callable) -> Callable:
    """Compile a kernel of this package; see `compiled`."""
    return compiled(function, pathlib.Path(__file__).parents[1], SOURCES)


def compiled(
    function: Callable, package: pathlib.Path, sources: tuple[str, ...]
) -> Callable:
    """Compile a function with numba, for one thread, and keep it on disk.

    Ours: numba itself looks only at the file of the kernel, and would go on using
    old code of what the kernel calls in other files.

    Args:
        function: to be compiled.
        package: its package's folder.
        sources: modules there whose code or constants end up inside kernels.
    """
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(_folder(package, sources))
    try:
        return numba.njit(cache=True, fastmath=True)(function)
    finally:
        numba.config.CACHE_DIR = before


@functools.cache
def _folder(package, sources):
    digest = hashlib.sha256()
    for name in sources:
        digest.update((package / f"{name}.py").read_bytes())
    return package / "__pycache__" / f"kernels_{digest.hexdigest()[:16]}"
