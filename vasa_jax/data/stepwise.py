"""Batches as a pure function of their number: the simplest data that can resume."""

from collections.abc import Callable
from typing import Any


class StepwiseBatches:
    """Iterates over `make_batch(0)`, `make_batch(1)`, ... without end.

    Ours: for data that lies in memory or is made from seeds this is an exact position
    without Grain, and it runs where Grain is not installed.

    Args:
        make_batch: takes the batch's number, returns a dict of numpy arrays; draws
            randomness from that number alone.
    """

    def __init__(self, make_batch: Callable[[int], dict[str, Any]]):
        self._make_batch = make_batch
        self._next = 0

    def __iter__(self) -> "StepwiseBatches":
        return self

    def __next__(self) -> dict[str, Any]:
        batch = self._make_batch(self._next)
        self._next += 1
        return batch

    def get_state(self) -> dict[str, int]:
        """Return the position: how many batches have been given."""
        return {"next": self._next}

    def set_state(self, state: dict[str, int]) -> None:
        """Go to a position that `get_state` returned."""
        self._next = int(state["next"])
