"""The two threads that compute.

Ours: threads and no processes, since jax lets go of the interpreter's lock while it
computes: the loop's frames were 9 ms late beside such a thread (32 ms beside one of
pure Python), and models and compiled programs are there once for all sessions. One
thread makes motion and all else that takes turns, the other renders frames, so that
neither waits for the other where there are two cores. Jobs of many sessions take turns
in the order they came, each session has at most one in each thread, and so none starves
another. The networks that find faces must not serve two threads.
"""

import asyncio
import concurrent.futures
import time
from collections.abc import Callable
from typing import Any


class Device:
    """Compute in turn, away from the loop."""

    def __init__(self):
        """Start the threads when they are first needed."""
        self._thread, self._frames_thread = (
            concurrent.futures.ThreadPoolExecutor(
                max_workers=1, thread_name_prefix=f"device_{name}"
            )
            for name in ("motion", "frames")
        )

    async def run(self, compute: Callable[[], Any]) -> Any:
        """Compute something and return its result."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, compute)

    async def render(self, compute: Callable[[], Any]) -> Any:
        """Compute a frame likewise, beside all else."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._frames_thread, compute)

    def close(self) -> None:
        """Let the jobs that run end, and begin no other."""
        for thread in (self._thread, self._frames_thread):
            thread.shutdown(wait=False, cancel_futures=True)


def now() -> float:
    """Return the seconds that all stamps are in; they never go back."""
    return time.monotonic()
