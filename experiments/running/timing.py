"""Medians of repeated runs, and the rates that floors are counted with."""

import dataclasses
import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

COPY_BYTES = 2**28
"""Bytes read to learn the memory's rate. Ours: far more than any cache holds."""

MATRIX_SIZES = {"cpu": 1536, "gpu": 8192, "tpu": 8192}
"""Sides of the matrices multiplied to learn the rate of arithmetic. Ours."""


def all_seconds(function: Callable[[], Any], num_repeats: int) -> list[float]:
    """Time each run of a function that returns jax arrays, after one to warm up.

    Args:
        function: what to time.
        num_repeats: how often.

    Returns:
        Seconds of each run.
    """
    jax.block_until_ready(function())
    times = []
    for _ in range(num_repeats):
        start = time.perf_counter()
        jax.block_until_ready(function())
        times.append(time.perf_counter() - start)
    return times


def median_seconds(function: Callable[[], Any], num_repeats: int) -> float:
    """Return the median of `all_seconds`, which a single slow run does not move."""
    return statistics.median(all_seconds(function, num_repeats))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rates:
    """What the device does at best, as measured here: the fastest of five runs.

    Attributes:
        operations: floating-point operations a second, in large matrix products.
        bytes: bytes a second, read and written.
    """

    operations: float
    bytes: float

    def floor_seconds(self, num_operations: float, num_bytes: float) -> float:
        """Return the least time that so much work can take."""
        return max(num_operations / self.operations, num_bytes / self.bytes)


def measure_rates(dtype: str) -> Rates:
    """Measure the rates of this device.

    Ours: floors from measured rates also hold where a data sheet's do not, such as on
    two cores of a larger machine.

    Args:
        dtype: of the matrix product.

    Returns:
        The rates.
    """
    size = MATRIX_SIZES[jax.default_backend()]
    matrix = jnp.ones((size, size), dtype)
    multiply = jax.jit(lambda a: a @ a)
    seconds = min(all_seconds(lambda: multiply(matrix), 5))
    line = jnp.ones(COPY_BYTES // 4, jnp.float32)
    add = jax.jit(lambda a: a + 1)
    copy_seconds = min(all_seconds(lambda: add(line), 5))
    return Rates(operations=2 * size**3 / seconds, bytes=2 * COPY_BYTES / copy_seconds)


def count_operations(function: Callable[..., Any], *arguments: Any) -> float:
    """Count the operations of a traced function; loops count once.

    Args:
        function: of jax arrays.
        *arguments: arrays, or their shapes.

    Returns:
        Floating-point operations, as XLA counts them before it optimises.
    """
    cost = jax.jit(function).lower(*arguments).cost_analysis() or {}
    return float(cost.get("flops", 0.0))


def num_bytes(*trees: Any) -> int:
    """Return the bytes that trees of arrays hold."""
    return sum(leaf.nbytes for leaf in jax.tree.leaves(trees))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        name: what was run.
        seconds: median of a run.
        amount: how many of `unit` a run makes.
        unit: what is counted a second.
        floor_seconds: least time that the work can take; None where it is not counted.
        baseline: what it is compared with, if anything.
        baseline_seconds: median of that.
    """

    name: str
    seconds: float
    amount: float
    unit: str
    floor_seconds: float | None = None
    baseline: str | None = None
    baseline_seconds: float | None = None

    def cells(self) -> list[str]:
        """Return the row as the table shows it."""
        floor = self.floor_seconds
        return [
            self.name,
            f"{self.seconds:.4g}",
            f"{self.amount / self.seconds:.4g} {self.unit}/s",
            "" if floor is None else f"{floor:.3g}",
            "" if floor is None else f"{self.seconds / floor:.1f}",
            ""
            if self.baseline_seconds is None
            else f"{self.baseline_seconds / self.seconds:.2f} ({self.baseline})",
        ]


def to_table(rows: list[Row]) -> str:
    """Lay rows out as a Markdown table."""
    head = ["what", "seconds", "rate", "floor (s)", "times the floor", "faster than"]
    lines = [head, ["---"] * len(head), *(row.cells() for row in rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
