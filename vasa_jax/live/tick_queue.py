"""Ticks on their way to one reader; who does not read loses the oldest."""

import asyncio
import collections
from typing import NamedTuple

from vasa_jax.live import performance

MAX_TICKS = 5
"""Ticks that wait for a reader. Ours: 0.2 s; more would be late, and grow without end
for a client that never reads."""


class NumberedTick(NamedTuple):
    """A tick and its number: `number / 25` seconds since the session began."""

    number: int
    tick: performance.Tick


class TickQueueClosed(Exception):
    """The session has ended."""


class TickQueue:
    """A short queue; sound and picture are left out together.

    Attributes:
        num_lost: ticks that the reader did not fetch in time.
    """

    def __init__(self, max_ticks: int = MAX_TICKS):
        """Begin empty."""
        self.num_lost = 0
        self._ticks: collections.deque[NumberedTick] = collections.deque()
        self._max_ticks = max_ticks
        self._changed = asyncio.Event()
        self._is_closed = False

    def __len__(self) -> int:
        """Return how many ticks wait."""
        return len(self._ticks)

    def put(self, tick: NumberedTick) -> None:
        """Append a tick, and drop the oldest where the reader is too slow."""
        if len(self._ticks) >= self._max_ticks:
            self._ticks.popleft()
            self.num_lost += 1
        self._ticks.append(tick)
        self._changed.set()

    def clear(self) -> None:
        """Forget what waits."""
        self._ticks.clear()

    def close(self) -> None:
        """Let the reader know that nothing more comes."""
        self._is_closed = True
        self._changed.set()

    async def get(self) -> NumberedTick:
        """Wait for the next tick.

        Raises:
            TickQueueClosed: the session has ended.
        """
        while not self._ticks:
            if self._is_closed:
                raise TickQueueClosed
            self._changed.clear()
            await self._changed.wait()
        return self._ticks.popleft()
