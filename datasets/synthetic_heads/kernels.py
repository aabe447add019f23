"""Compiled kernels, cached on disk until any source that they are made of changes."""

import functools
import hashlib
import pathlib
from collections.abc import Callable

import numba

SOURCES = (
    "correspondence",
    "geometry",
    "ground_truth",
    "head",
    "kernels",
    "lighting",
    "materials",
    "names",
    "occlusion",
    "rasterizer",
    "shading",
    "skin",
)
"""Modules whose code or constants end up inside kernels."""


def cached(function: Callable) -> Callable:
    """Compile a function with numba, for one thread, and keep it on disk.

    Ours: numba itself looks only at the file of the kernel, and would go on using
    old code of what the kernel calls in other files.
    """
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(_folder())
    try:
        return numba.njit(cache=True, fastmath=True)(function)
    finally:
        numba.config.CACHE_DIR = before


@functools.lru_cache(maxsize=1)
def _folder():
    here = pathlib.Path(__file__).parent
    digest = hashlib.sha256()
    for name in SOURCES:
        digest.update((here / f"{name}.py").read_bytes())
    return here / "__pycache__" / f"kernels_{digest.hexdigest()[:16]}"
