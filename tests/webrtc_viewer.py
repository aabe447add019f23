"""Who is at the other end of a connection by WebRTC, and notes what is seen and heard.

Who imports this is skipped where the extra `live` is not installed.
"""

import asyncio
import fractions
import time

import numpy as np
import pytest

aiortc = pytest.importorskip("aiortc", reason="the extra `live` is not installed")

import av  # noqa: E402
from aiortc.mediastreams import AudioStreamTrack  # noqa: E402

_RATE = 48_000
_SIZE = _RATE // 50


class Microphone(AudioStreamTrack):
    """Say int16 `[S]` at 48 kHz once `say` was called, and silence around it."""

    def __init__(self):
        super().__init__()
        self._waiting = np.zeros(0, np.int16)
        self._count = 0
        self._began = time.monotonic()

    def say(self, samples):
        """Say this next."""
        self._waiting = np.concatenate([self._waiting, samples])

    async def recv(self):
        """Return 20 ms."""
        due = self._began + self._count * 0.02
        await asyncio.sleep(max(0, due - time.monotonic()))
        piece, self._waiting = self._waiting[:_SIZE], self._waiting[_SIZE:]
        piece = np.pad(piece, (0, _SIZE - len(piece)))
        frame = av.AudioFrame.from_ndarray(piece[None], format="s16", layout="mono")
        frame.sample_rate = _RATE
        frame.pts = self._count * _SIZE
        frame.time_base = fractions.Fraction(1, _RATE)
        self._count += 1
        return frame


class Viewer:
    """Note when pictures and sounds came, and how bright and loud they were.

    Attributes:
        pictures, sounds: `(seconds, level)` of each, the level from 0 to 1.
        messages: that came by the data channel.
    """

    def __init__(self):
        self.pictures, self.sounds, self.messages = [], [], []
        config = aiortc.RTCConfiguration(iceServers=[])
        self._peer = aiortc.RTCPeerConnection(config)
        self._peer.on("track", self._follow)
        self._tasks = []

    async def offer(self, answer, *sent):
        """Connect; `answer` turns an offer into an answer, both `{sdp, type}`."""
        for kind in ("audio", "video"):
            tracks = [one for one in sent if one.kind == kind]
            direction = "sendrecv" if tracks else "recvonly"
            self._peer.addTransceiver(*(tracks or [kind]), direction=direction)
        channel = self._peer.createDataChannel("messages")
        channel.on("message", self.messages.append)
        await self._peer.setLocalDescription(await self._peer.createOffer())
        local = self._peer.localDescription
        answered = await answer({"sdp": local.sdp, "type": local.type})
        await self._peer.setRemoteDescription(
            aiortc.RTCSessionDescription(sdp=answered["sdp"], type=answered["type"])
        )

    def _follow(self, track):
        watch = self._see if track.kind == "video" else self._hear
        self._tasks.append(asyncio.create_task(watch(track)))

    async def _see(self, track):
        while True:
            frame = await track.recv()
            brightness = frame.to_ndarray(format="rgb24").mean() / 255
            self.pictures.append((time.monotonic(), brightness))

    async def _hear(self, track):
        while True:
            samples = (await track.recv()).to_ndarray().astype(float)
            self.sounds.append((time.monotonic(), np.abs(samples).max() / 32768))

    async def aclose(self):
        """Go."""
        for task in self._tasks:
            task.cancel()
        await self._peer.close()


def loud(seen, level=0.2):
    """Return when what was seen or heard was above a level."""
    return np.array([when for when, value in seen if value > level])


def onsets(seen, level=0.2):
    """Return when it came to be above a level."""
    times = np.array([when for when, _ in seen])
    is_loud = np.array([value for _, value in seen]) > level
    return times[1:][is_loud[1:] & ~is_loud[:-1]]
