"""Compiled kernels of this package, see `synthetic_heads.kernels`."""

import pathlib
from collections.abc import Callable

from datasets.synthetic_heads import kernels

SOURCES = ("kernels", "posing", "rasterizer", "tracing")
"""Modules whose code or constants end up inside kernels."""


def cached(function: Callable) -> Callable:
    """Compile a kernel of this package, and keep it on disk."""
    return kernels.compiled(function, pathlib.Path(__file__).parent, SOURCES)
