"""How picture and sound go through a socket: as JPEG and samples, or as mp4 in pieces.

Pictures are there sooner and need nothing of the other end. An mp4 takes a quarter of
the data; browsers play it by MediaSource, which keeps a little in store.
"""

import abc
import fractions
import io
import struct
import threading
from typing import Any

import av
import numpy as np
import PIL.Image
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from vasa_jax import types
from vasa_jax.live import performance, tick_queue

JPEG_QUALITY = 85
"""Ours: 33 kB and 1.6 ms a frame."""

BITS_A_SECOND = 1_500_000
"""Of the mp4's picture, at most; as by WebRTC."""

KEYFRAME_INTERVAL = 25
"""Ours: a second, so that a browser that skips to the newest need not decode more."""

_SOUND_BITS_A_SECOND = 48_000
_OPUS_RATE_HZ = 48_000
_OPUS_SAMPLES = 960
_OPUS_DELAY = 312  # Samples that its encoder looks ahead; no stamp may be under 0.
_FRAGMENTED = {
    "movflags": "empty_moov+default_base_moof+skip_trailer",
    # A tick; by frames (`frag_every_frame`) sound would get no length.
    "frag_duration": str(1_000_000 // types.FRAME_RATE_HZ),
    "flush_packets": "1",
}
_X264 = {
    "preset": "veryfast",
    "tune": "zerolatency",
    "profile": "baseline",
    "maxrate": str(BITS_A_SECOND),
    "bufsize": str(BITS_A_SECOND),
    # swscale puts chroma samples amid their pixels; see `media.video_writer`.
    "x264-params": "chromaloc=1",
}


class Format(abc.ABC):
    """What a client is sent, one message a tick at most."""

    @abc.abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return what the client is told before the first message."""

    @abc.abstractmethod
    def pack(self, tick: tick_queue.NumberedTick) -> bytes:
        """Return the message of a tick; empty where there is none. May take 20 ms."""

    @abc.abstractmethod
    def close(self) -> None:
        """Let go of everything, once what is being packed in a thread is done."""


class Pictures(Format):
    """The tick's number (4 bytes, low first), its samples as 16-bit numbers, a picture.

    It is a JPEG, or a WebP with alpha where nothing stands behind the person, and is
    left out where the last picture still stands.
    """

    def __init__(self, height: int, width: int):
        """Prepare for frames of a size, pixels."""
        self._size = {"height": height, "width": width}

    def describe(self) -> dict[str, Any]:
        """See `Format`."""
        return {"sample_rate": types.SAMPLE_RATE_HZ, **self._size}

    def pack(self, tick: tick_queue.NumberedTick) -> bytes:
        """See `Format`."""
        number, played = tick
        picture = _encode(played.frame) if played.is_new else b""
        head = struct.pack("<I", number % 2**32)
        return head + _levels(played.samples).tobytes() + picture

    def close(self) -> None:
        """See `Format`; there is nothing."""


class Fragments(Format):
    """The beginning of an mp4 in the first message, and a fragment in each other.

    Ours: H.264 and Opus, which encode at once. Its time counts the ticks that were
    sent: what was lost before is left out of sound and picture together, for at a gap
    a browser stands still. A fragment leaves with the next tick.
    """

    def __init__(self, height: int, width: int):
        """Prepare for frames of a size, pixels."""
        self._size = {"height": height, "width": width}
        self._sink = _Sink()
        self._container = av.open(
            self._sink, "w", format="mp4", options=dict(_FRAGMENTED)
        )
        self._picture = self._container.add_stream(
            "libx264", rate=types.FRAME_RATE_HZ, options=dict(_X264)
        )
        self._picture.height, self._picture.width = height, width
        self._picture.pix_fmt, self._picture.gop_size = "yuv420p", KEYFRAME_INTERVAL
        self._picture.bit_rate, self._picture.thread_count = BITS_A_SECOND, 1
        context = self._picture.codec_context
        context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
        context.color_primaries, context.color_trc = (
            ColorPrimaries.BT709,
            ColorTrc.BT709,
        )
        self._sound = self._container.add_stream(
            "libopus", rate=_OPUS_RATE_HZ, layout="mono"
        )
        self._sound.bit_rate = _SOUND_BITS_A_SECOND
        self._resampler = av.AudioResampler(
            format="s16", layout="mono", rate=_OPUS_RATE_HZ, frame_size=_OPUS_SAMPLES
        )
        self._num_ticks = self._num_pieces = 0
        # Left to itself, FFmpeg would keep 0.4 MB of each that was not closed.
        self._lock, self._is_closed = threading.Lock(), False
        self._container.start_encoding()

    def describe(self) -> dict[str, Any]:
        """See `Format`."""
        # Profile and level stand first in the sequence parameter set, NAL unit 7.
        header = bytes(self._picture.codec_context.extradata)
        parameters = header.partition(b"\x00\x00\x01\x67")[2]
        kind = f'video/mp4; codecs="avc1.{parameters[:3].hex()},opus"'
        return {"mime": kind, **self._size}

    def pack(self, tick: tick_queue.NumberedTick) -> bytes:
        """See `Format`."""
        with self._lock:
            return b"" if self._is_closed else self._pack(tick.tick)

    def close(self) -> None:
        """See `Format`."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._container.close()

    def _pack(self, played: performance.Tick) -> bytes:
        picture = av.VideoFrame.from_ndarray(
            np.ascontiguousarray(played.frame), format="rgb24"
        ).reformat(
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )
        picture.pts = self._num_ticks
        picture.time_base = fractions.Fraction(1, types.FRAME_RATE_HZ)
        self._container.mux(self._picture.encode(picture))
        levels = _levels(played.samples)[None]
        sound = av.AudioFrame.from_ndarray(levels, format="s16", layout="mono")
        sound.sample_rate = types.SAMPLE_RATE_HZ
        for piece in self._resampler.resample(sound):
            piece.pts = self._num_pieces * _OPUS_SAMPLES + _OPUS_DELAY
            piece.time_base = fractions.Fraction(1, _OPUS_RATE_HZ)
            self._num_pieces += 1
            self._container.mux(self._sound.encode(piece))
        self._num_ticks += 1
        return self._sink.take()


FORMATS: dict[str, type[Format]] = {"pictures": Pictures, "mp4": Fragments}
"""By the name that a client asks for; the first is the usual one."""


class _Sink:
    """A file that is read while it is written."""

    def __init__(self):
        self._data = bytearray()

    def write(self, data: bytes) -> int:
        self._data += data
        return len(data)

    def take(self) -> bytes:
        data, self._data = bytes(self._data), bytearray()
        return data


def _encode(frame: np.ndarray) -> bytes:
    return encode_jpeg(frame) if frame.shape[2] == 3 else encode_webp(frame)


def encode_webp(frame: np.ndarray) -> bytes:
    """Return a frame uint8 `[H, W, 4]` as a WebP.

    Ours: 10 ms and 19 kB a frame, where PNG takes 30 and 250.
    """
    buffer = io.BytesIO()
    PIL.Image.fromarray(frame).save(buffer, "WEBP", quality=JPEG_QUALITY, method=0)
    return buffer.getvalue()


def encode_jpeg(frame: np.ndarray) -> bytes:
    """Return a frame uint8 `[H, W, 3]` as a JPEG."""
    buffer = io.BytesIO()
    PIL.Image.fromarray(frame).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


def _levels(samples: np.ndarray) -> np.ndarray:
    """Return float samples `[S]` as 16-bit numbers, low byte first."""
    return np.round(np.clip(samples, -1, 1) * 32767).astype("<i2")
