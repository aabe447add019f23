"""Read videos: any file frame by frame at one rate, or chosen frames of a clip."""

import bisect
import contextlib
import dataclasses
import fractions
import io
import itertools
import logging
import os
from collections.abc import Callable, Iterator, Sequence

import av
import numpy as np

from vasa_jax import container, errors, types
from vasa_jax.media import image, shown_frame

_READABLE = "give a file that FFmpeg plays, such as mp4, mov, webm or mpg"
_LIMITS = {"max_pixels": str(image.MAX_PIXELS)}
_MICROSECONDS = 1_000_000
_LOGGER = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, kw_only=True)
class VideoInfo:
    """What a video file says of itself.

    Attributes:
        height: rows of the frames that `iterate_video` yields.
        width: pixels a row of them.
        frame_rate_hz: mean frames a second as stored; 0 where unknown.
        duration_seconds: as the file says; 0 where unknown.
        has_sound: whether there is an audio stream.
    """

    height: int
    width: int
    frame_rate_hz: float
    duration_seconds: float
    has_sound: bool


def probe_video(path: str | os.PathLike[str]) -> VideoInfo:
    """Read size, rate and length of a video; one frame is decoded to be sure.

    Ours: the size is that of the upright frame with square pixels.

    Args:
        path: the file.

    Returns:
        A `VideoInfo`.

    Raises:
        UserError: the file is missing, broken, or holds no picture.
    """
    with _opened(path) as (recording, screen):
        _, frame = next(_decode(recording, path))
        pixels = _show(screen, frame, path)
        return VideoInfo(
            height=pixels.shape[0],
            width=pixels.shape[1],
            frame_rate_hz=float(recording.picture.average_rate or 0),
            duration_seconds=(recording.container.duration or 0) / _MICROSECONDS,
            has_sound=recording.sound is not None,
        )


def iterate_video(
    path: str | os.PathLike[str],
    frame_rate_hz: int = types.FRAME_RATE_HZ,
    every: int = 1,
    warn: Callable[[str], None] = _LOGGER.warning,
    start_seconds: float = 0.0,
    end_seconds: float | None = None,
) -> Iterator[np.ndarray]:
    """Yield a video's frames at an even rate, one at a time.

    Ours: output frame k is the stored frame nearest to time k / rate, which keeps
    lips and sound within half a stored frame; time 0 is the file's beginning, which
    it shares with `audio.load_waveform`. They are shown as players show them: upright,
    of square pixels, deinterlaced, and in BT.709 where they were HLG or PQ; Dolby
    Vision of profile 5 is refused. Where the file breaks off, what came before is kept.

    Args:
        path: the file.
        frame_rate_hz: frames a second, of which to yield some or all.
        every: n yields the first of every n of them, and spares the others'
            conversion to RGB.
        warn: called at the end with a sentence, where some of the file is lost.
        start_seconds, end_seconds: yields the frames due from one to before the other,
            equal to those of the whole, and reads little more; None is the end.

    Yields:
        uint8 `[H, W, 3]`, RGB.

    Raises:
        UserError: the file is missing, broken, holds no picture, or has frames of
            over 64 megapixels.
    """
    count = 0
    first = round(start_seconds * frame_rate_hz)
    last = None if end_seconds is None else round(end_seconds * frame_rate_hz)
    with _opened(path) as (recording, screen):
        for frame, num_times in _shown(recording, path, frame_rate_hz, first, last):
            wanted = range(-count % every, num_times, every)
            count += num_times
            if wanted:
                pixels = _show(screen, frame, path)
                yield from itertools.repeat(pixels, len(wanted))
        damage = recording.damage()
    if damage:
        warn(
            f"The video {path} is damaged: {damage}; the {count} frames that remain "
            "are used."
        )


def count_frames(
    path: str | os.PathLike[str], frame_rate_hz: int = types.FRAME_RATE_HZ
) -> int:
    """Return how many frames `iterate_video` yields; all are decoded to be sure.

    Args:
        path: the file.
        frame_rate_hz: frames a second.

    Raises:
        UserError: as of `iterate_video`.
    """
    with _opened(path) as (recording, _):
        return sum(count for _, count in _shown(recording, path, frame_rate_hz))


def decode_video(data: bytes, indices: Sequence[int] | None = None) -> np.ndarray:
    """Decode all or some frames of a short clip held in memory.

    Ours: only the groups of pictures that hold a wanted frame are decoded, so that
    one frame of a record costs one group (`encode_video`'s `keyframe_interval`).

    Args:
        data: the whole file, as from `encode_video`.
        indices: frames in the order of display, repeated or unsorted at will; None
            for all. Negative ones count from the end.

    Returns:
        uint8 `[T, H, W, 3]`, RGB; T is `len(indices)` where given.

    Raises:
        UserError: the data is broken.
        IndexError: an index is outside the clip.
    """
    name = "given as bytes"
    with _opened(io.BytesIO(data), name) as (recording, screen):
        stream = recording.picture
        stream.thread_type = "NONE"
        if indices is None:
            frames = [f for _, f in _decode(recording, name)]
            return np.stack([_show(screen, f, name) for f in frames])
        with _reported(name):
            packets = recording.container.demux(stream)
            packets = [packet for packet in packets if packet.pts is not None]
        times = sorted(packet.pts for packet in packets)
        wanted = [times[index] for index in indices]
        found: dict[int, np.ndarray] = {}
        with _reported(name):
            for first, last in _runs(packets, sorted(set(wanted))):
                for frame in _decode_run(stream.codec_context, packets[first:last]):
                    if frame.pts in wanted:
                        found[frame.pts] = _show(screen, frame, name)
        if missing := set(wanted) - found.keys():
            raise errors.UserError(
                f"The video {name} is broken: {len(missing)} frames are missing; "
                "make it again."
            )
        return np.stack([found[time] for time in wanted])


@contextlib.contextmanager
def _reported(name) -> Iterator[None]:
    """Turn FFmpeg's errors into sentences."""
    try:
        yield
    except (av.error.FFmpegError, OSError) as error:
        raise errors.UserError(
            f"The video {name} cannot be read ({error.strerror}); {_READABLE}."
        ) from error


@contextlib.contextmanager
def _opened(source, name=None) -> Iterator[tuple]:
    name = source if name is None else name
    with container.opened(source, name, "video", _READABLE, _LIMITS) as recording:
        if recording.picture is None:
            raise errors.UserError(
                f"The file {name} holds no picture; give a video with one."
            )
        recording.picture.codec_context.options = _LIMITS
        recording.picture.thread_type = "AUTO"
        yield recording, shown_frame.Screen(recording.picture)


def _decode(recording, name, start_seconds=0.0) -> Iterator[tuple]:
    """Yield times and frames in the order of display; there is at least one."""
    is_empty = True
    frames = recording.decode(recording.picture, start_seconds)
    with _reported(name):
        for time, frame in shown_frame.deinterlaced(frames):
            if is_empty and shown_frame.is_for_dolby_alone(recording.picture, frame):
                raise errors.UserError(
                    f"The video {name} is Dolby Vision of profile 5, whose colours "
                    "come out purple and green elsewhere; convert it to SDR or HDR10."
                )
            is_empty = False
            yield time, frame
    if is_empty:
        raise errors.UserError(
            f"The video {name} holds no frame that can be decoded; make it again."
        )


def _show(screen, frame, name) -> np.ndarray:
    with _reported(name):
        return screen.show(frame)


def _num_ticks_before(time: fractions.Fraction, step: fractions.Fraction) -> int:
    """Return how many of 0, step, 2 step, ... lie before `time`."""
    return max(0, -(-time // step))


def _shown(
    recording, name, frame_rate_hz: int, first: int = 0, last: int | None = None
) -> Iterator[tuple[av.VideoFrame, int]]:
    """Yield stored frames, and how often each is due at an even rate.

    Of the even frames, those from number `first` to before `last` count.
    """
    step = fractions.Fraction(1, frame_rate_hz)
    stored_step = 1 / (recording.picture.average_rate or 1 / step)
    held, held_time, count = None, -stored_step, first
    for time, frame in _decode(recording, name, float(first * step)):
        if time is None:
            time = held_time + stored_step
        if held is not None:
            num_due = _num_ticks_before((held_time + time) / 2, step)
            num_due = num_due if last is None else min(num_due, last)
            yield held, max(0, num_due - count)
            count = max(count, num_due)
            if count == last:
                return
        held, held_time = frame, max(time, held_time)
    num_due = round((held_time + stored_step) / step)
    num_due = num_due if last is None else min(num_due, last)
    yield held, max(0, num_due - count)


def _runs(packets, wanted: list[int]) -> Iterator[tuple[int, int]]:
    """Yield ranges of packets, from keyframe to keyframe, that hold wanted times.

    A frame shown before its group's keyframe (an open group) may lean on the group
    before, which then belongs to the run.
    """
    starts = [i for i, packet in enumerate(packets) if packet.is_keyframe]
    if not starts or starts[0] != 0:
        starts.insert(0, 0)
    place = {packet.pts: i for i, packet in enumerate(packets)}
    run = None
    for time in wanted:
        group = bisect.bisect_right(starts, place[time]) - 1
        last = starts[group + 1] if group + 1 < len(starts) else len(packets)
        if group and time < packets[starts[group]].pts:
            group -= 1
        if run is not None and starts[group] < run[1]:
            run = run[0], max(last, run[1])
            continue
        if run is not None:
            yield run
        run = starts[group], last
    if run is not None:
        yield run


def _decode_run(decoder, packets) -> Iterator[av.VideoFrame]:
    for packet in packets:
        yield from decoder.decode(packet)
    yield from decoder.decode(None)
    decoder.flush_buffers()
