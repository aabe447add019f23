"""Motion at another frame rate, so that frames need not be blended."""

from collections.abc import Iterable, Iterator

import numpy as np

from vasa_jax import types
from vasa_jax.errors import UserError

FRAME_RATE_RANGE = (24, 60)
"""Frames a second that videos may have. Ours: of cinema to that of screens."""


def check(frame_rate_hz: int) -> None:
    """Refuse a frame rate that is no whole number in the range.

    Raises:
        UserError: it is not.
    """
    low, high = FRAME_RATE_RANGE
    if frame_rate_hz != int(frame_rate_hz) or not low <= frame_rate_hz <= high:
        raise UserError(
            f"frame_rate is {frame_rate_hz:g}; give a whole number of frames a second, "
            f"{low} to {high}."
        )


def num_frames(num_motion_frames: int, frame_rate_hz: int) -> int:
    """Return how many whole frames fit into the time of frames at 25 a second."""
    return num_motion_frames * frame_rate_hz // types.FRAME_RATE_HZ


def resample(
    motion: Iterable[np.ndarray], frame_rate_hz: int = types.FRAME_RATE_HZ
) -> Iterator[np.ndarray]:
    """Bring motion at 25 frames a second to another rate, piece by piece.

    Ours: straight lines between the middles of frames, angles and facial dynamics
    alike, since heads stay far from half a turn. A frame shows the middle of its own
    time, so that lips stay with the sound; before the first and after the last middle
    motion rests.

    Args:
        motion: pieces float32 `[n, M]` of any length above 0.
        frame_rate_hz: frames a second.

    Yields:
        Pieces float32 `[n, M]`; over all `num_frames` of what was given, whichever the
        pieces were.
    """
    if frame_rate_hz == types.FRAME_RATE_HZ:
        yield from motion
        return
    held: np.ndarray | None = None  # The last frames that are still needed.
    first, done = 0, 0  # The position of `held`'s first in time, and frames given.
    for piece in motion:
        held = piece if held is None else np.concatenate([held, piece])
        total = first + len(held)
        # A frame is due when both of its neighbours are there.
        times = _times(done, num_frames(total, frame_rate_hz), frame_rate_hz)
        times = times[times <= total - 1]
        if len(times):
            yield _between(held, first, times)
            done += len(times)
            keep = min(int(np.floor(max(times[-1], 0.0))), total - 1)
            held, first = held[keep - first :], keep
    if held is not None:
        total = first + len(held)
        times = _times(done, num_frames(total, frame_rate_hz), frame_rate_hz)
        if len(times):
            yield _between(held, first, times)


def _times(start: int, stop: int, frame_rate_hz: int) -> np.ndarray:
    """Return when frames `start` to `stop` have their middle, in frames of motion."""
    return (np.arange(start, stop) + 0.5) * types.FRAME_RATE_HZ / frame_rate_hz - 0.5


def _between(motion: np.ndarray, first: int, times: np.ndarray) -> np.ndarray:
    """Read motion `[n, M]` from frame `first` on at times; beyond it, it rests."""
    last = first + len(motion) - 1
    times = np.clip(times, first, last)
    before = np.floor(times).astype(int)
    share = np.float32(times - before)[:, None]
    start, end = motion[before - first], motion[np.minimum(before + 1, last) - first]
    return start + share * (end - start)
