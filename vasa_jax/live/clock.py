"""Twenty-five ticks a second, which run later after a stall and never in a burst.

Measured: what is sent at once after a stall of 0.3 to 1 s leaves sound 250 to 690 ms
behind the picture in Chromium, for up to 8 s; sent later by the stall it stays in step.
"""

import asyncio
from collections.abc import Callable

from vasa_jax import types

TICK_SECONDS = 1 / types.FRAME_RATE_HZ
STALL_SECONDS = 0.06
"""Lateness that is made up for, at most. Ours: one tick and a half, which the buffer of
every browser takes."""


class Clock:
    """Call something at each tick.

    Attributes:
        num_stalls: how often time was put later.
        stalled_seconds: by how much, in all.
    """

    def __init__(self, now: Callable[[], float], sleep=asyncio.sleep):
        """Remember the time's source.

        Args:
            now: seconds that never go back, such as the loop's `time`.
            sleep: waits for some seconds, asynchronously.
        """
        self.num_stalls = 0
        self.stalled_seconds = 0.0
        self._now, self._sleep = now, sleep

    async def run(self, tick: Callable[[], None]) -> None:
        """Tick for ever."""
        due = self._now()
        while True:
            due += TICK_SECONDS
            late = self._now() - due
            if late > STALL_SECONDS:
                self.num_stalls += 1
                self.stalled_seconds += late
                due += late
            await self._sleep(max(0.0, due - self._now()))
            tick()
