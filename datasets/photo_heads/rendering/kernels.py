"""Compiled kernels of this package, see `synthetic_heads.kernels`."""

import pathlib
from collections.abc import Callable

from datasets.synthetic_heads.rendering import kernels

SOURCES = (
    "rendering/kernels",
    "rendering/posing",
    "rendering/rasterizer",
    "rendering/tracing",
)
"""Modules whose code or constants end up inside kernels."""


def cached(function: Callable) -> Callable:
    """Compile a kernel of this package, and keep it on disk."""
    return kernels.compiled(function, pathlib.Path(__file__).parents[1], SOURCES)
