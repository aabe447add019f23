"""Turn decoded frames into what players show: colours, square pixels, upright, whole.

Ours: the program `ffmpeg` does this by filters that it puts in by itself; who decodes
with its libraries gets frames as they are stored.
"""

import collections
import fractions
from collections.abc import Iterable, Iterator

import av
import av.filter
import numpy as np
from av.video.reformatter import ColorPrimaries, Colorspace, ColorTrc, VideoReformatter

from vasa_jax.media import image, swscale

_HD_HEIGHT = 720
_UNSPECIFIED = 2
_LARGEST_STRETCH = 8
"""Ours: no recording has pixels so wide or so high; a broken header does."""

_ANY_TIME_BASE = fractions.Fraction(1, 1000)

_FOREIGN_TO_SCREENS = {
    "color_trc": {ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67},
    "color_primaries": {
        ColorPrimaries.BT2020,
        ColorPrimaries.SMPTE431,
        ColorPrimaries.SMPTE432,
    },
}
"""PQ and HLG, BT.2020 and P3: what looks grey or dark unless it is converted."""


_DOLBY_TAGS = {"dvh1", "dvhe", "dva1", "dvav", "dav1"}
_DOLBY_DATA = ("DOVI_METADATA", "DOVI_RPU_BUFFER")


def is_for_dolby_alone(stream: av.VideoStream, frame: av.VideoFrame) -> bool:
    """Tell whether a video's colours are known to decoders of Dolby Vision alone.

    Ours: so is profile 5, which bears the marks of Dolby Vision and names no transfer;
    the other profiles hold a picture in SDR, HLG or PQ, which says so.

    Args:
        stream: of the video.
        frame: decoded from it.
    """
    if frame.color_trc != ColorTrc.UNSPECIFIED:
        return False
    is_tagged = stream.codec_context.codec_tag in _DOLBY_TAGS
    return is_tagged or any(frame.side_data.get(kind) for kind in _DOLBY_DATA)


class Screen:
    """Converts a video's frames to RGB as they are meant to be seen.

    Follows: FFmpeg's own player, for turns and flips; the common reading of untagged
    video, BT.709 from 720 rows on; and swscale's colour management, by which HLG and PQ
    are shown as BT.709, the white of paper (203 nits) as white.

    Args:
        stream: of the frames; it tells the shape of their pixels.
    """

    def __init__(self, stream: av.VideoStream):
        self._stream = stream
        # Kept for all frames: the first of a wide range takes swscale three seconds.
        self._reformatter = VideoReformatter()

    def show(self, frame: av.VideoFrame) -> np.ndarray:
        """Return a decoded frame as uint8 `[H, W, 3]`, upright, of square pixels."""
        colours = {"src_colorspace": None}
        is_foreign = any(getattr(frame, n) in v for n, v in _FOREIGN_TO_SCREENS.items())
        if is_foreign:
            colours["dst_color_trc"] = ColorTrc.BT709
            colours["dst_color_primaries"] = ColorPrimaries.BT709
        if frame.colorspace == _UNSPECIFIED and frame.format.name[0] == "y":
            is_hd = frame.height >= _HD_HEIGHT
            named = Colorspace.ITU709 if is_hd else Colorspace.ITU601
            colours["src_colorspace"] = Colorspace.BT2020 if is_foreign else named
        shown = self._reformatter.reformat(
            frame,
            format="rgb24",
            width=_square_width(frame, self._stream.sample_aspect_ratio),
            interpolation=swscale.CONVERSION,
            **colours,
        )
        return _upright(shown.to_ndarray(), frame)


def _square_width(frame, pixel_shape):
    """Return how wide the frame is in pixels as wide as high."""
    shape = pixel_shape or 1
    if not 1 / _LARGEST_STRETCH <= shape <= _LARGEST_STRETCH:
        shape = 1
    width = max(1, round(frame.width * shape))
    return width if width * frame.height <= image.MAX_PIXELS else frame.width


def _upright(pixels, frame):
    """Turn and flip as the frame's display matrix says.

    Ours: by the matrix, since a flip cannot be told from a turn by PyAV's `rotation`.
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return pixels
    # It takes (x, y) to (a x + c y, b x + d y), stored as a, b, u, c, d, ...
    a, b, _, c, d = np.frombuffer(matrix, np.int32)[:5].astype(np.int64)
    if abs(b) > abs(a):
        pixels, a, d = np.swapaxes(pixels, 0, 1), c, b
    if a < 0:
        pixels = pixels[:, ::-1]
    if d < 0:
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def deinterlaced(
    frames: Iterable[tuple[fractions.Fraction | None, av.VideoFrame]],
) -> Iterator[tuple[fractions.Fraction | None, av.VideoFrame]]:
    """Make whole frames of those that were recorded as two half frames.

    Follows: FFmpeg's bwdif, one frame out for a frame in.

    Args:
        frames: of a video with their times, in order.

    Yields:
        The same times; of the frames, those that are not interlaced as they were.
    """
    deinterlacer = None
    for time, frame in frames:
        if deinterlacer is not None and not deinterlacer.takes(frame):
            yield from deinterlacer.finish()
            deinterlacer = None
        if deinterlacer is None and frame.interlaced_frame:
            deinterlacer = _Deinterlacer(frame)
        if deinterlacer is None:
            yield time, frame
        else:
            yield from deinterlacer.push(time, frame)
    if deinterlacer is not None:
        yield from deinterlacer.finish()


class _Deinterlacer:
    """A filter of FFmpeg for frames of one kind; it holds one back to see the next."""

    def __init__(self, frame: av.VideoFrame):
        self._kind = _kind(frame)
        self._times = collections.deque()
        self._graph = av.filter.Graph()
        options = {
            "video_size": f"{frame.width}x{frame.height}",
            "pix_fmt": frame.format.name,
            "time_base": frame.time_base or _ANY_TIME_BASE,
            "colorspace": int(frame.colorspace),
            "range": int(frame.color_range),
        }
        stages = [
            self._graph.add("buffer", **{n: str(v) for n, v in options.items()}),
            self._graph.add("bwdif", mode="send_frame", deint="interlaced"),
            self._graph.add("buffersink"),
        ]
        self._graph.link_nodes(*stages).configure()

    def takes(self, frame: av.VideoFrame) -> bool:
        return _kind(frame) == self._kind

    def push(self, time: fractions.Fraction | None, frame: av.VideoFrame):
        self._times.append(time)
        yield from self._filtered(frame)

    def finish(self):
        yield from self._filtered(None)

    def _filtered(self, frame):
        self._graph.vpush(frame)
        while True:
            try:
                whole = self._graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            yield self._times.popleft(), whole


def _kind(frame):
    return (
        frame.format.name,
        frame.width,
        frame.height,
        frame.colorspace,
        frame.color_range,
    )
