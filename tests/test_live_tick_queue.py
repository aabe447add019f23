"""Ticks on their way to a reader."""

import asyncio

import numpy as np
import pytest

from vasa_jax.live import performance, tick_queue


def _tick(number):
    silence = np.zeros(640, np.float32)
    frame = np.zeros((2, 2, 3), np.uint8)
    tick = performance.Tick(frame, silence, True, False, np.nan)
    return tick_queue.NumberedTick(number, tick)


def test_who_reads_gets_all_ticks_in_order_and_then_the_end():
    async def work():
        one = tick_queue.TickQueue()
        for number in range(4):
            one.put(_tick(number))
        one.close()
        assert [(await one.get()).number for _ in range(4)] == [0, 1, 2, 3]
        with pytest.raises(tick_queue.TickQueueClosed):
            await one.get()
        assert one.num_lost == 0

    asyncio.run(work())


def test_who_does_not_read_loses_the_oldest_and_takes_no_more_memory():
    async def work():
        one = tick_queue.TickQueue(max_ticks=3)
        for number in range(100):
            one.put(_tick(number))
        assert one.num_lost == 97
        assert (await one.get()).number == 97

    asyncio.run(work())


def test_a_reader_that_waits_is_woken():
    async def work():
        one = tick_queue.TickQueue()
        waiting = asyncio.create_task(one.get())
        await asyncio.sleep(0)
        one.put(_tick(7))
        assert (await waiting).number == 7

    asyncio.run(work())
