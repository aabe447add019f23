"""A light client of `vasa serve`, which notes when what was sent and what arrived."""

import asyncio
import fractions
import time

import aiohttp
import aiortc
import av
import numpy as np
from aiortc import mediastreams

RATE_HZ = 48_000
PIECE_SAMPLES = RATE_HZ // 50


class Voice(mediastreams.MediaStreamTrack):
    """A microphone that hears a sound again and again.

    Attributes:
        levels: `(seconds, loudness)` of each 20 ms that was sent.
    """

    kind = "audio"

    def __init__(self, samples: np.ndarray):
        """Prepare.

        Args:
            samples: float `[S]`, 48 kHz.
        """
        super().__init__()
        self.levels: list[tuple[float, float]] = []
        self._samples = samples
        self._start: float | None = None
        self._number = 0

    async def recv(self) -> av.AudioFrame:
        """Return the next 20 ms when it is due."""
        if self._start is None:
            self._start = time.monotonic()
        due = self._start + 0.02 * (self._number + 1)
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        first = self._number * PIECE_SAMPLES
        indices = np.arange(first, first + PIECE_SAMPLES) % len(self._samples)
        piece = self._samples[indices]
        # By its own time, not by when this loop was awake.
        self.levels.append((due - 0.02, float(np.sqrt(np.mean(piece**2)))))
        frame = av.AudioFrame.from_ndarray(
            np.round(piece * 32767).astype(np.int16)[None], format="s16", layout="mono"
        )
        frame.sample_rate, frame.pts = RATE_HZ, first
        frame.time_base = fractions.Fraction(1, RATE_HZ)
        self._number += 1
        return frame


class Client:
    """One connection.

    Attributes:
        voice: what is sent.
        sound, picture: `(seconds, level)` of each piece and frame that arrived; the
            level of a frame is its mean brightness, 0 to 1.
        session_id: of the server.
    """

    def __init__(self, http: aiohttp.ClientSession, url: str, voice: Voice):
        """Prepare.

        Args:
            http: carries the requests.
            url: of the page, with a slash at its end.
            voice: what is sent.
        """
        self.voice = voice
        self.sound: list[tuple[float, float]] = []
        self.picture: list[tuple[float, float]] = []
        self.session_id = ""
        self._http, self._url = http, url
        self._peer = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=[]))
        self._tasks: list[asyncio.Task] = []

    async def connect(self, agent: str) -> aiohttp.ClientWebSocketResponse:
        """Connect, and return the socket that holds the session."""
        self._peer.on("track", self._on_track)
        self._peer.addTrack(self.voice)
        self._peer.addTransceiver("video", direction="recvonly")
        await self._peer.setLocalDescription(await self._peer.createOffer())
        offer = {"sdp": self._peer.localDescription.sdp, "type": "offer"}
        async with self._http.post(f"{self._url}offer", json=offer) as response:
            answer = await response.json()
            response.raise_for_status()
        self.session_id = answer["session_id"]
        await self._peer.setRemoteDescription(
            aiortc.RTCSessionDescription(answer["sdp"], answer["type"])
        )
        socket = await self._http.ws_connect(f"{self._url}control/{self.session_id}")
        # Unread, the server's questions whether one is there go unanswered.
        self._tasks.append(asyncio.create_task(_drain(socket)))
        await socket.send_json({"type": "agent", "name": agent})
        return socket

    async def close(self) -> None:
        """Go."""
        for task in self._tasks:
            task.cancel()
        await self._peer.close()

    def _on_track(self, track: mediastreams.MediaStreamTrack) -> None:
        read = {"audio": self._hear, "video": self._see}[track.kind]
        self._tasks.append(asyncio.create_task(read(track)))

    async def _hear(self, track: mediastreams.MediaStreamTrack) -> None:
        while True:
            frame = await track.recv()
            samples = frame.to_ndarray()[0, ::2].astype(np.float32) / 32768
            level = float(np.sqrt(np.mean(samples**2)))
            self.sound.append((time.monotonic(), level))

    async def _see(self, track: mediastreams.MediaStreamTrack) -> None:
        while True:
            frame = await track.recv()
            # The luma plane alone, sparsely: this client is to be light.
            plane = np.frombuffer(frame.planes[0], np.uint8)[::16]
            level = (float(plane.mean()) - 16) / 219
            self.picture.append((time.monotonic(), level))


async def _drain(socket: aiohttp.ClientWebSocketResponse) -> None:
    async for _ in socket:
        pass
