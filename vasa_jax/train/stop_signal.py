"""Notices the wish to end a run: SIGTERM and SIGINT, agreed on by all processes."""

import signal
import threading
from typing import Any

import jax
from jax.experimental import multihost_utils


class StopSignal:
    """Listens for SIGTERM and SIGINT while it is entered."""

    def __init__(self) -> None:
        self._is_asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopSignal":
        # With several processes jax's own service has the signal and spreads it.
        is_main = threading.current_thread() is threading.main_thread()
        if jax.process_count() == 1 and is_main:
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: Any) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: Any) -> None:
        del frame
        self._is_asked = True
        # A second signal ends the process at once, as if nobody listened.
        signal.signal(number, self._before[number])

    def is_asked(self, step: int) -> bool:
        """Whether the run shall end, the same in all processes at the same step."""
        if jax.process_count() > 1:
            return multihost_utils.reached_preemption_sync_point(step)
        return self._is_asked
