"""A face for FastRTC: a handler that hears the user and shows who answers.

    Stream(FaceHandler(faces), modality="audio-video", mode="send-receive")

FastRTC opens the picture's way back only to who sends a picture: the page asks for the
camera, too, which nothing here looks at.
"""

import asyncio

import numpy as np

from vasa_jax import types
from vasa_jax.live import agents, microphone, session, sessions, tick_queue
from vasa_jax.live.adapters import extras

try:
    import fastrtc
except ImportError as error:
    raise extras.missing(error, "fastrtc") from error


class FaceHandler(fastrtc.AsyncAudioVideoStreamHandler):
    """Let each user speak with a face of their own."""

    def __init__(
        self,
        faces: sessions.Sessions,
        agent: agents.AgentFactory = agents.EchoAgent,
        portrait_id: str | None = None,
    ):
        """Prepare; a session begins when a user comes.

        Args:
            faces: warmed up.
            agent: who answers; the usual one says back what it heard.
            portrait_id: of `Sessions.add_portrait`; None is the default portrait.
        """
        super().__init__(
            expected_layout="mono",
            input_sample_rate=types.SAMPLE_RATE_HZ,
            output_sample_rate=types.SAMPLE_RATE_HZ,
            fps=types.FRAME_RATE_HZ,
        )
        self._faces, self._agent, self._portrait_id = faces, agent, portrait_id
        self._gain = microphone.SlowGain()
        self._session: session.Session | None = None
        self._sounds: tick_queue.TickQueue | None = None
        self._pictures: tick_queue.TickQueue | None = None
        self._has_begun = asyncio.Event()

    def copy(self) -> "FaceHandler":
        """Return a handler for the next user."""
        return FaceHandler(self._faces, self._agent, self._portrait_id)

    async def start_up(self) -> None:
        """Begin a session.

        Raises:
            UserError: there is no room, or the portrait is not known any more.
        """
        self._session = await self._faces.begin(self._portrait_id)
        self._session.set_agent(self._agent)
        self._sounds = self._session.subscribe(types.FRAME_RATE_HZ)
        self._pictures = self._session.subscribe()
        self._has_begun.set()

    async def receive(self, frame: tuple[int, np.ndarray]) -> None:
        """Hear the user, int16 `[1, S]` at 16 kHz."""
        if self._session is not None:
            samples = frame[1][0].astype(np.float32) / 32768
            self._session.hear(self._gain.level(samples))

    async def video_receive(self, frame: np.ndarray) -> None:
        """Look away."""

    async def emit(self) -> tuple[int, np.ndarray, str] | fastrtc.CloseStream:
        """Give the sound of the next tick, silence too: it keeps step by counting.

        Ours: the same on two channels, since FastRTC plays one 3 dB too quietly.
        """
        await self._has_begun.wait()
        try:
            _, tick = await self._sounds.get()
        except tick_queue.TickQueueClosed:
            return self._close_stream()
        levels = np.round(np.clip(tick.samples, -1, 1) * 32767).astype(np.int16)
        return types.SAMPLE_RATE_HZ, np.stack([levels, levels]), "stereo"

    async def video_emit(self) -> np.ndarray | fastrtc.CloseStream:
        """Give the picture of the next tick, blue first as FastRTC takes it."""
        await self._has_begun.wait()
        try:
            _, tick = await self._pictures.get()
        except tick_queue.TickQueueClosed:
            return self._close_stream()
        return np.ascontiguousarray(tick.frame[..., ::-1])

    async def shutdown(self) -> None:
        """End the session; the user has gone."""
        if self._session is not None:
            self._session.end()

    def _close_stream(self) -> fastrtc.CloseStream:
        return fastrtc.CloseStream(self._session.ended.result() or sessions.HAS_ENDED)
