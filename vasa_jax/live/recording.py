"""Record what a session plays as an ordinary video, in a folder of the server's own."""

import asyncio
import collections
import logging
import pathlib

import numpy as np

from vasa_jax import media, types
from vasa_jax.live import session as session_lib
from vasa_jax.live import tick_queue

WAITING_TICKS = 50
"""Ticks that wait for the encoder. Ours: 2 s; then both sound and picture are left
out."""

_LOGGER = logging.getLogger(__name__)


class Recording:
    """One recording of one session.

    Attributes:
        path: where the video lies once it is finished.
    """

    def __init__(
        self, session: session_lib.Session, path: pathlib.Path, max_seconds: float
    ):
        """Begin to record.

        Args:
            session: that is recorded.
            path: of the video, .mp4, or .webm with alpha, in a folder that only the
                server writes to.
            max_seconds: after which it stops by itself.
        """
        self.path = path
        self._session = session
        self._queue = session.subscribe(WAITING_TICKS)
        self._max_frames = int(max_seconds * types.FRAME_RATE_HZ)
        self._task = asyncio.create_task(self._write())

    async def finish(self) -> pathlib.Path | None:
        """Stop, and return the file; None where nothing was played."""
        self._session.unsubscribe(self._queue)
        num_frames = await self._task
        return self.path if num_frames else None

    async def _write(self) -> int:
        sound = _Sound()
        height, width = self._session.frame_shape
        first = await self._next()
        if first is None:
            return 0
        writer = media.VideoWriter(
            self.path,
            height,
            width,
            waveform=sound,
            has_alpha=self._session.has_alpha,
            finish=self._sign,
        )
        with writer:
            tick = first
            while tick is not None and writer.num_frames < self._max_frames:
                sound.pieces.append(tick.tick.samples)
                # x264 takes 10 ms and more a frame, which the loop cannot spare.
                await asyncio.to_thread(writer.write, tick.tick.frame[None])
                tick = await self._next()
        return writer.num_frames

    def _sign(self, path: pathlib.Path) -> None:
        if self._session.seal is not None:
            self._session.seal.sign(
                path, self._session.is_composite, warn=_LOGGER.warning
            )

    async def _next(self) -> tick_queue.NumberedTick | None:
        try:
            return await self._queue.get()
        except tick_queue.TickQueueClosed:
            return None


class _Sound:
    """Samples that come with their frames, as `VideoWriter` asks for them."""

    def __init__(self):
        self.pieces: collections.deque[np.ndarray] = collections.deque()

    def __iter__(self) -> "_Sound":
        return self

    def __next__(self) -> np.ndarray:
        if not self.pieces:
            raise StopIteration
        return self.pieces.popleft()
