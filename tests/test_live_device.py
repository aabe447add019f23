"""The threads that compute."""

import asyncio
import threading

from vasa_jax.live import device


def test_frames_are_rendered_beside_all_else_and_each_in_turn():
    async def work():
        one = device.Device()
        both = threading.Barrier(2, timeout=30)
        order = []
        # Neither would come back if they took turns.
        await asyncio.gather(one.run(both.wait), one.render(both.wait))
        for run in (one.run, one.render):
            order.clear()
            await asyncio.gather(*(run(lambda i=i: order.append(i)) for i in range(20)))
            assert order == list(range(20))
        one.close()

    asyncio.run(work())
