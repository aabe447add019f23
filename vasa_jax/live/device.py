"""The one thread that computes.

Ours: a thread and no process, since jax lets go of the interpreter's lock while it
computes: the loop's frames were 9 ms late beside such a thread (32 ms beside one of
pure Python), and models and compiled programs are there once for all sessions. One
thread and no more, since there is one device: jobs of many sessions take turns in the
order they came, each session has at most one, and so none starves another. The networks
that find faces must not serve two threads either.
"""

import asyncio
import concurrent.futures
import time
from collections.abc import Callable
from typing import Any


class Device:
    """Compute in turn, away from the loop."""

    def __init__(self):
        """Start the thread when it is first needed."""
        self._thread = concurrent.futures.ThreadPoolExecutor(
            max_workers=1, thread_name_prefix="device"
        )

    async def run(self, compute: Callable[[], Any]) -> Any:
        """Compute something and return its result."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, compute)

    def close(self) -> None:
        """Let the job that runs end, and begin no other."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def now() -> float:
    """Return the seconds that all stamps are in; they never go back."""
    return time.monotonic()
