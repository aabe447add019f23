"""A face as a camera that meetings and recorders can choose.

A virtual camera has no sound: `hear` gets it, in step with the picture.
"""

import asyncio
from collections.abc import Callable

import numpy as np

from vasa_jax import types
from vasa_jax.errors import UserError
from vasa_jax.live import session, tick_queue
from vasa_jax.live.adapters import extras

try:
    import pyvirtualcam
except ImportError as error:
    raise extras.missing(error, "camera") from error


async def show(
    one: session.Session,
    hear: Callable[[np.ndarray], None] | None = None,
    device: str | None = None,
    backend: str | None = None,
) -> None:
    """Show a face 25 times a second until its session ends.

    Args:
        one: from `Sessions.begin`.
        hear: called with the sound of each frame, float32 `[640]`, 16 kHz; it must not
            take longer than a few milliseconds.
        device: of the virtual camera, such as /dev/video4; None is the first.
        backend: of pyvirtualcam; None is the system's.

    Raises:
        UserError: there is no virtual camera.
    """
    height, width = one.frame_shape
    try:
        camera = pyvirtualcam.Camera(
            width, height, types.FRAME_RATE_HZ, device=device, backend=backend
        )
    except RuntimeError as error:
        raise UserError(
            f"There is no virtual camera ({error}); on Linux load one by "
            "`modprobe v4l2loopback`, elsewhere install OBS."
        ) from error
    ticks = one.subscribe()
    with camera:
        try:
            while True:
                _, tick = await ticks.get()
                if hear is not None:
                    hear(tick.samples)
                await asyncio.to_thread(camera.send, np.ascontiguousarray(tick.frame))
        except tick_queue.TickQueueClosed:
            return
        finally:
            one.unsubscribe(ticks)
