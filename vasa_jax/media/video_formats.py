"""The kinds of video files that are written, and how their streams are set up."""

import fractions
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from vasa_jax.media import swscale

CONSTANT_RATE_FACTOR = 18
"""Ours: x264's quality at which loss is hard to see."""

VP9_RATE_FACTOR = 24
"""Ours: 41.6 dB on a rendered talk where x264's 18 gives 43.7, in 0.7 of the bytes."""

KEYFRAME_INTERVAL = 25
"""Ours: a second of frames a group; a seek or a single frame costs one group."""

X264_PRESET = "fast"
"""Ours: what slower ones save in bytes is not worth their time in live videos."""

# swscale puts each chroma sample amid its four pixels; H.264 would suppose it beside
# the left two, and readers would shift the colours by half a pixel.
_CHROMA_IN_THE_CENTRE = "chromaloc=1"
# With its macroblock tree, x264 lets memory that nobody has written decide on bits of
# very small pictures.
_X264 = f"{_CHROMA_IN_THE_CENTRE}:mbtree=0"
# libvpx drops alpha where it hides reference frames; at `cpu-used` 4 a frame of 512
# pixels takes one core 32 ms, at 1 57, for 0.1 dB more.
_VP9 = {"b": "0", "deadline": "good", "cpu-used": "4", "auto-alt-ref": "0"}
_TAGS = {
    "color_range": ColorRange.MPEG,
    "color_primaries": ColorPrimaries.BT709,
    "color_trc": ColorTrc.BT709,
    "colorspace": Colorspace.ITU709,
}


class Format(NamedTuple):
    """A kind of file.

    Attributes:
        container: FFmpeg's name of it.
        options: of the container.
        sound: FFmpeg's name of the sound's codec.
        add_video: adds a stream; see `add_h264`.
        holds_alpha: whether frames may have an alpha channel.
    """

    container: str
    options: Mapping[str, str]
    sound: str
    add_video: Callable[..., Any]
    holds_alpha: bool


def add_h264(
    container: av.container.OutputContainer,
    height: int,
    width: int,
    frame_rate_hz: int,
    *,
    has_alpha: bool = False,
    constant_rate_factor: int = CONSTANT_RATE_FACTOR,
    keyframe_interval: int = KEYFRAME_INTERVAL,
    preset: str = X264_PRESET,
) -> av.VideoStream:
    """Add a stream of H.264.

    Args:
        container: the open file.
        height, width: of the frames, even.
        frame_rate_hz: frames a second.
        has_alpha: must be false.
        constant_rate_factor: x264's quality, 0 (lossless luma) to 51.
        keyframe_interval: frames a group of pictures.
        preset: x264's name of how long it tries.
    """
    if has_alpha:
        raise ValueError("H.264 holds no alpha")
    options = {
        "crf": str(constant_rate_factor),
        "preset": preset,
        "x264-params": _X264,
    }
    return _add(
        container,
        "libx264",
        "yuv420p",
        (height, width),
        (frame_rate_hz, keyframe_interval),
        options,
    )


def add_vp9(
    container: av.container.OutputContainer,
    height: int,
    width: int,
    frame_rate_hz: int,
    *,
    has_alpha: bool = False,
    constant_rate_factor: int = VP9_RATE_FACTOR,
    keyframe_interval: int = KEYFRAME_INTERVAL,
) -> av.VideoStream:
    """Add a stream of VP9; as `add_h264`, but it may hold alpha."""
    return _add(
        container,
        "libvpx-vp9",
        "yuva420p" if has_alpha else "yuv420p",
        (height, width),
        (frame_rate_hz, keyframe_interval),
        {"crf": str(constant_rate_factor), **_VP9},
    )


FORMATS = {
    ".mp4": Format("mp4", {"movflags": "+faststart"}, "aac", add_h264, False),
    ".webm": Format("webm", {}, "libopus", add_vp9, True),
}
"""By the end of the file's name. Ours: every browser plays both; WebM is the one that
holds alpha."""


def to_yuv(
    pixels: np.ndarray, index: int, frame_rate_hz: int, pixel_format: str = "yuv420p"
) -> av.VideoFrame:
    """Turn a frame into what encoders take.

    Args:
        pixels: uint8 `[H, W, 3]`, or `[H, W, 4]` with alpha.
        index: its number in the video.
        frame_rate_hz: frames a second.
        pixel_format: FFmpeg's name, of the stream.
    """
    given = "rgb24" if pixels.shape[2] == 3 else "rgba"
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format=given)
    frame = frame.reformat(
        format=pixel_format,
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        interpolation=swscale.CONVERSION,
        threads=1,
    )
    frame.pts = index
    frame.time_base = fractions.Fraction(1, frame_rate_hz)
    return frame


def _add(container, codec, pixel_format, size, rates, options):
    frame_rate_hz, keyframe_interval = rates
    stream = container.add_stream(codec, rate=frame_rate_hz)
    stream.height, stream.width = size
    stream.pix_fmt = pixel_format
    stream.time_base = fractions.Fraction(1, frame_rate_hz)
    stream.gop_size = keyframe_interval
    stream.options = options
    for name, value in _TAGS.items():
        setattr(stream.codec_context, name, value)
    return stream
