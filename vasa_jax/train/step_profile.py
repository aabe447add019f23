"""Writes a profiler trace of some steps, for TensorBoard or Perfetto."""

import os
from typing import Any

import jax

from vasa_jax.errors import UserError


def parse(text: str) -> tuple[int, int]:
    """Read steps such as `10:13`: first and last, counted from 1.

    Raises:
        UserError: no two numbers, or the last before the first.
    """
    first, colon, last = text.partition(":")
    is_whole = first.isdigit() and last.isdigit() and bool(colon)
    if not is_whole or not 1 <= int(first) <= int(last):
        raise UserError(
            f"--profile_steps is {text!r}; write the first and the last step, such as "
            "10:13."
        )
    return int(first), int(last)


class StepProfile:
    """Traces the steps from one number to another, both included.

    Ours: the first step compiles, so a trace that should show speed begins later.

    Args:
        folder: gets the trace.
        steps: first and last, counted from 1; None traces nothing.
    """

    def __init__(self, folder: str | os.PathLike, steps: tuple[int, int] | None):
        self._folder = os.fspath(folder)
        self._steps = steps
        self._is_running = False

    def __enter__(self) -> "StepProfile":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def before_step(self, number: int) -> None:
        """Start the trace if this step belongs to it."""
        if self._steps is None or self._is_running:
            return
        if self._steps[0] <= number <= self._steps[1]:
            jax.profiler.start_trace(self._folder)
            self._is_running = True

    def after_step(self, number: int, results: Any) -> None:
        """Write the trace if this step, which made the results, was its last."""
        if self._is_running and number >= self._steps[1]:
            jax.block_until_ready(results)
            self.close()

    def close(self) -> None:
        """Write what there is of a trace."""
        if self._is_running:
            self._is_running = False
            jax.profiler.stop_trace()
