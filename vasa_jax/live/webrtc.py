"""WebRTC: the face goes out as VP8 and Opus, the microphone comes in as Opus."""

import asyncio
import fractions
from collections.abc import Sequence

import aiortc
import av
import numpy as np
from aioice import ice
from aiortc import exceptions, mediastreams
from aiortc import sdp as sdp_lib
from aiortc.codecs import h264, vpx
from av.video.reformatter import ColorRange, Colorspace

from vasa_jax import types
from vasa_jax.errors import UserError
from vasa_jax.live import microphone, tick_queue
from vasa_jax.live import session as session_lib

BITS_A_SECOND = 1_500_000
"""Of the picture, first, least and most. Ours: with other ends aiortc starts a new
encoder at each change of the browser's estimate, and the face pulses."""

CODECS = ("vp8", "h264")
"""VP8 costs 3 to 5 ms a frame, H.264 15 to 20."""

STILL_TICKS = 5
"""Ticks after which a picture is sent again. Ours: 0.2 s; each sending costs 7 to 9 ms
of a core, as much as a new one, and browsers show the last picture by themselves."""

CONSENT_FAILURES = 120
"""Questions that go unanswered, one in five seconds, before aioice ends a connection.
Ours: it waits 0.5 s for each answer and ends after six, as a busy browser's page can
miss them; that the page is there its socket tells."""

_COLOUR_SPACES = {"video/vp8": Colorspace.ITU601, "video/h264": Colorspace.ITU709}
# What browsers take each codec's colours for; aiortc would convert to 601 for both.
_OPUS_RATE_HZ = 48_000
_OPUS_SAMPLES = 960
_VIDEO_CLOCK_HZ = 90_000
_FILTER_SAMPLES = 32  # At 16 kHz, 2 ms; FFmpeg's filter looks 16 ahead.


def bear_busy_browsers() -> None:
    """Let no connection end because a browser is slow; aioice keeps it in its module.

    Measured: a browser that ran 0.6 s of every 6.6 lost its session after 25 s.
    """
    ice.CONSENT_FAILURES = CONSENT_FAILURES


def set_bit_rate(bits_a_second: int = BITS_A_SECOND) -> None:
    """Fix the rate of every encoder to come; aiortc keeps it in its modules."""
    for module in (vpx, h264):
        module.DEFAULT_BITRATE = bits_a_second
        module.MIN_BITRATE = bits_a_second
        module.MAX_BITRATE = bits_a_second


class Peer:
    """One connection of one session."""

    def __init__(
        self,
        session: session_lib.Session,
        ice_servers: Sequence[aiortc.RTCIceServer] = (),
        codec: str = "vp8",
    ):
        """Prepare the tracks.

        Args:
            session: whose face is sent.
            ice_servers: STUN and TURN; none are asked unless they are named.
            codec: of `CODECS`.
        """
        # Without a list of its own aiortc asks an outside STUN server.
        configuration = aiortc.RTCConfiguration(iceServers=list(ice_servers))
        self._connection = aiortc.RTCPeerConnection(configuration)
        self._session = session
        self._codec = codec
        self._queues = [session.subscribe(), session.subscribe()]
        self._listener: asyncio.Task | None = None
        self._connection.on("track", self._on_track)
        self._connection.on("connectionstatechange", self._on_state)

    @property
    def state(self) -> str:
        """The state of the connection, in WebRTC's words."""
        return self._connection.connectionState

    async def answer(self, sdp: str) -> aiortc.RTCSessionDescription:
        """Take an offer and return the answer.

        Raises:
            UserError: it is no offer, or one without picture and sound.
        """
        picture_ticks, sound_ticks = self._queues
        picture = PictureTrack(picture_ticks)
        try:
            self._connection.addTrack(SoundTrack(sound_ticks))
            self._connection.addTrack(picture)
            self._prefer_codec()
            offer = aiortc.RTCSessionDescription(sdp=sdp, type="offer")
            await self._connection.setRemoteDescription(offer)
            await self._connection.setLocalDescription(
                await self._connection.createAnswer()
            )
            picture.colour_space = self._agreed_colours()
        except _BAD_OFFERS as error:
            await self.close()
            raise UserError(
                "The offer is no WebRTC session description that asks for one picture "
                "and one sound; reload the page, or use another browser."
            ) from error
        return self._connection.localDescription

    async def close(self) -> None:
        """Let go of everything."""
        for one in self._queues:
            self._session.unsubscribe(one)
        if self._listener is not None:
            self._listener.cancel()
        await self._connection.close()

    def _prefer_codec(self) -> None:
        """Put a codec first; after the offer is set, it would change nothing."""
        known = aiortc.RTCRtpSender.getCapabilities("video").codecs
        wanted = [c for c in known if c.mimeType.lower() == f"video/{self._codec}"]
        others = [c for c in known if c not in wanted]
        for transceiver in self._connection.getTransceivers():
            if transceiver.kind == "video":
                transceiver.setCodecPreferences(wanted + others)

    def _agreed_colours(self) -> Colorspace:
        """Return the colours that browsers expect of the codec agreed upon."""
        answer = sdp_lib.SessionDescription.parse(self._connection.localDescription.sdp)
        for media in answer.media:
            if media.kind == "video" and media.rtp.codecs:
                name = media.rtp.codecs[0].mimeType.lower()
                return _COLOUR_SPACES.get(name, Colorspace.ITU601)
        raise ValueError("there is no picture in the answer")

    def _on_track(self, track: mediastreams.MediaStreamTrack) -> None:
        if track.kind == "audio" and self._listener is None:
            self._listener = asyncio.create_task(self._listen(track))
            self._listener.add_done_callback(self._listener_ended)

    async def _listen(self, track: mediastreams.MediaStreamTrack) -> None:
        """Read the track as it comes: aiortc would keep all that is not read."""
        heard = microphone.Microphone()
        try:
            while True:
                self._session.hear(heard.take(await track.recv()))
        except mediastreams.MediaStreamError:
            return  # The track has ended.

    def _listener_ended(self, task: asyncio.Task) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._session.fail(task.exception())

    def _on_state(self) -> None:
        if self.state in ("failed", "closed"):
            self._session.end(
                "The connection for picture and sound was lost; start again, or choose "
                "the plain connection."
            )


# What aiortc raises for what is no offer, or not one that fits.
_BAD_OFFERS = (
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    AssertionError,
    exceptions.InvalidStateError,
    exceptions.OperationError,
)


class PictureTrack(mediastreams.MediaStreamTrack):
    """The new frames of a session, stamped by the session's clock.

    Attributes:
        colour_space: of what is sent.
    """

    kind = "video"

    def __init__(self, ticks: tick_queue.TickQueue):
        """Send what a queue gives."""
        super().__init__()
        self.colour_space = Colorspace.ITU601
        self._ticks = ticks
        self._sent: np.ndarray | None = None
        self._number = 0  # Of the tick that was sent last.

    async def recv(self) -> av.VideoFrame:
        """Return the next frame, a new object each time.

        Ours: an object that is sent again after a key frame was asked for is a key
        frame for ever.
        """
        number, tick = await _next(self, self._ticks)
        while tick.frame is self._sent and number < self._number + STILL_TICKS:
            number, tick = await _next(self, self._ticks)
        self._sent, self._number = tick.frame, number
        frame = av.VideoFrame.from_ndarray(
            np.ascontiguousarray(tick.frame), format="rgb24"
        ).reformat(
            format="yuv420p",
            dst_colorspace=self.colour_space,
            dst_color_range=ColorRange.MPEG,
        )
        frame.pts = (number - 1) * _VIDEO_CLOCK_HZ // types.FRAME_RATE_HZ
        frame.time_base = fractions.Fraction(1, _VIDEO_CLOCK_HZ)
        return frame


class SoundTrack(mediastreams.MediaStreamTrack):
    """The sound of a session in pieces of 20 ms, stamped by the same clock."""

    kind = "audio"

    def __init__(self, ticks: tick_queue.TickQueue):
        """Send what a queue gives."""
        super().__init__()
        self._ticks = ticks
        self._pieces: list[av.AudioFrame] = []
        self._number = 0  # Of the last tick.
        self._due = 0  # The stamp of the next piece.
        # At Opus' own rate here, so that aiortc's encoder gets whole packets. What its
        # filter holds back is given first, so that each tick leaves whole: sound that
        # left 20 ms late would be played so, since reports pair stamps with the time.
        self._resampler = av.AudioResampler(
            format="s16", layout="stereo", rate=_OPUS_RATE_HZ, frame_size=_OPUS_SAMPLES
        )
        self._resampler.resample(_sound_frame(np.zeros(_FILTER_SAMPLES, np.float32)))

    async def recv(self) -> av.AudioFrame:
        """Return the next 20 ms."""
        while not self._pieces:
            number, tick = await _next(self, self._ticks)
            self._add(number, tick.samples)
        return self._pieces.pop(0)

    def _add(self, number: int, samples: np.ndarray) -> None:
        num_lost = number - self._number - 1
        self._due += num_lost * _OPUS_RATE_HZ // types.FRAME_RATE_HZ
        self._number = number
        for piece in self._resampler.resample(_sound_frame(samples)):
            piece.pts = self._due
            self._due += _OPUS_SAMPLES
            piece.time_base = fractions.Fraction(1, _OPUS_RATE_HZ)
            self._pieces.append(piece)


def _sound_frame(samples: np.ndarray) -> av.AudioFrame:
    levels = np.round(np.clip(samples, -1, 1) * 32767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(levels[None], format="s16", layout="mono")
    frame.sample_rate = types.SAMPLE_RATE_HZ
    frame.pts = None
    return frame


async def _next(
    track: mediastreams.MediaStreamTrack, ticks: tick_queue.TickQueue
) -> tick_queue.NumberedTick:
    """Wait for a tick; the end of the session is the end of the track."""
    try:
        return await ticks.get()
    except tick_queue.TickQueueClosed as error:
        track.stop()
        raise mediastreams.MediaStreamError from error
