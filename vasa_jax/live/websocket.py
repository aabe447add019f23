"""The socket beside each session: its messages, and the face where WebRTC cannot pass.

Out of a media socket come binary messages, of one of `socket_formats`. In come samples,
16-bit numbers at 16 kHz.
"""

import asyncio
import contextlib
import functools
import itertools
import json
import pathlib

import numpy as np
from aiohttp import WebSocketError, WSCloseCode, WSMsgType, web

from vasa_jax.errors import UserError
from vasa_jax.live import (
    control_messages,
    reading_aloud,
    recording,
    socket_formats,
    tick_queue,
)
from vasa_jax.live import microphone as microphone_lib
from vasa_jax.live import session as session_lib
from vasa_jax.live import voices as voices_lib

STATE_SECONDS = 0.5
"""Ours: between two reports of how the session fares."""

SEND_SECONDS = 60.0
"""Of a message that nobody takes; then the client is gone. Ours: until then a slow
client loses frames and never its session."""

HEARTBEAT_SECONDS = 120.0
"""Between two questions whether the other end is there, which has half of it to answer.
Ours: a browser on a busy machine takes seconds; a closed tab is noticed at once."""

FAREWELL_SECONDS = 1.0
"""For the last message to leave. Ours: it waits at the other end for who reads late."""

NOT_TAKEN = (
    "This page took nothing of what the server sent for a long time, so the session "
    "has ended; start again."
)
NOT_ANSWERED = (
    "This page did not answer the server for a long time, so the session has ended; "
    "start again."
)
TOO_LARGE = "This page sent a message that is too large; start again, and send less."

_numbers = itertools.count()


class Connection:
    """One socket that holds one session: when it closes, the session ends.

    Attributes:
        recorded: where the last finished recording lies, or None.
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        one: session_lib.Session,
        folder: pathlib.Path,
        record_seconds: float,
        known_voices: voices_lib.Voices | None,
    ):
        """Prepare.

        Args:
            socket: prepared.
            one: the session that it holds.
            folder: of the server's own, for recordings.
            record_seconds: of the longest recording.
            known_voices: that say typed text; None are none.
        """
        self._socket, self._session = socket, one
        self._folder, self._record_seconds = folder, record_seconds
        self.recorded: pathlib.Path | None = None
        self._recording: recording.Recording | None = None
        self._gain = microphone_lib.SlowGain()
        self._voices = known_voices
        self._refused: asyncio.Queue[str] = asyncio.Queue()

    async def serve(self, media: type[socket_formats.Format] | None) -> None:
        """Serve until either end goes.

        Args:
            media: how picture and sound are sent; None sends them another way.
        """
        work = [self._read(), self._report(), self._refuse(), self._wait_for_end()]
        if media is not None:
            work.append(self._send_ticks(media))
        tasks = [asyncio.create_task(one) for one in work]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            self._end([task.exception() for task in done])
            with contextlib.suppress(ConnectionError, TimeoutError):
                await self._send_end()
        finally:
            for task in tasks:
                task.cancel()
            self._session.end()
            if self._recording is not None:
                self.recorded = await self._recording.finish() or self.recorded
            self._forget_recorded()

    async def _read(self) -> None:
        async for message in self._socket:
            try:
                if message.type == WSMsgType.TEXT:
                    await self._follow(message.data)
                elif message.type == WSMsgType.BINARY:
                    self._session.hear(self._gain.level(_samples(message.data)))
                elif message.type == WSMsgType.ERROR:
                    self._session.end(_sentence(message.data))
            except UserError as error:
                await self._send_json(type="error", sentence=str(error))

    async def _follow(self, text: str) -> None:
        asked = control_messages.follow(text, self._session)
        if isinstance(asked, control_messages.Record):
            await self._record(asked.is_on)
        elif isinstance(asked, control_messages.Say):
            self._say(asked)

    def _say(self, asked: control_messages.Say) -> None:
        if self._voices is None:
            raise UserError(voices_lib.MISSING)
        make = functools.partial(self._voices.speaker, asked.voice, asked.language)
        text = reading_aloud.Text(asked.text, make, self._refused.put_nowait)
        self._session.read(text)

    async def _refuse(self) -> None:
        """Tell what turned out later to be no text that can be said."""
        while True:
            await self._send_json(type="error", sentence=await self._refused.get())

    async def _report(self) -> None:
        while True:
            await self._send_json(
                type="state",
                speaking=self._session.is_speaking,
                preparing=self._session.is_preparing,
                lead_frames=self._session.lead_frames,
            )
            await asyncio.sleep(STATE_SECONDS)

    async def _wait_for_end(self) -> None:
        await asyncio.shield(self._session.ended)

    def _end(self, errors: list[BaseException | None]) -> None:
        """End the session; where it has ended by itself, its own sentence stands."""
        for error in errors:
            if isinstance(error, TimeoutError):
                self._session.end(NOT_TAKEN)
            elif error is not None and not isinstance(error, ConnectionError):
                self._session.fail(error)
        self._session.end()  # The user has gone.

    async def _send_end(self) -> None:
        """Say why the session has ended, where it was not the user who ended it."""
        ended = self._session.ended
        if ended.result() is not None:
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self._send_json(type="ended", sentence=ended.result())

    async def _send_ticks(self, chosen: type[socket_formats.Format]) -> None:
        # Encoders take milliseconds, which the loop cannot spare.
        media = await asyncio.to_thread(chosen, *self._session.frame_shape)
        ticks = self._session.subscribe()
        await self._send_json(type="media", **media.describe())
        try:
            while True:
                packed = await asyncio.to_thread(media.pack, await ticks.get())
                if packed:
                    async with asyncio.timeout(SEND_SECONDS):
                        await self._socket.send_bytes(packed)
        except tick_queue.TickQueueClosed:
            return
        finally:
            self._session.unsubscribe(ticks)
            # A thread may still pack the last, and the loop must not wait for it.
            asyncio.get_running_loop().run_in_executor(None, media.close)

    async def _record(self, is_on: bool) -> None:
        if is_on and self._recording is None:
            suffix = "webm" if self._session.has_alpha else "mp4"
            path = self._folder / f"recording_{next(_numbers)}.{suffix}"
            self._recording = recording.Recording(
                self._session, path, self._record_seconds
            )
        elif not is_on and self._recording is not None:
            finished, self._recording = self._recording, None
            path = await finished.finish()
            if path is not None:
                self._forget_recorded()
                self.recorded = path
            await self._send_json(type="recorded", is_there=path is not None)

    def _forget_recorded(self) -> None:
        if self.recorded is not None:
            self.recorded.unlink(missing_ok=True)
            self.recorded = None

    async def _send_json(self, **fields) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await self._socket.send_str(json.dumps(fields))


def _sentence(error: Exception) -> str | None:
    """Return why aiohttp closed a socket; None where it was lost."""
    if isinstance(error, TimeoutError):
        return NOT_ANSWERED
    code = error.code if isinstance(error, WebSocketError) else None
    return TOO_LARGE if code == WSCloseCode.MESSAGE_TOO_BIG else None


def _samples(data: bytes) -> np.ndarray:
    if len(data) % 2:
        raise UserError("A piece of sound has half a sample; send 16-bit numbers.")
    return np.frombuffer(data, "<i2").astype(np.float32) / 32768
