"""Load any sound that FFmpeg reads as 16 kHz mono samples, whole or in pieces."""

import contextlib
import dataclasses
import logging
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator

import av
import numpy as np

from vasa_jax import errors, types

MIN_SECONDS = 0.2
"""Ours: five frames; less is a mistake rather than speech."""

PIECE_SAMPLES = 10 * types.SAMPLE_RATE_HZ
"""Samples of each piece of a sound but its last. Ours: 640 kB."""

_MICROSECONDS = 1_000_000
_READABLE = "give a file that FFmpeg plays, such as wav, flac, mp3, m4a, ogg or mp4"
# A mix of channels must not grow louder than its loudest part.
_MIXING = {"rematrix_maxval": "1"}
_LOGGER = logging.getLogger(__name__)


def load_waveform(path: str | os.PathLike[str]) -> np.ndarray:
    """Load the first sound track of a file, resampled and mixed to mono.

    Ours: as `iterate_waveform`. Memory stays near that of the result.

    Args:
        path: any sound or video file.

    Returns:
        float32 `[S]`, 16 kHz, full scale at 1.

    Raises:
        UserError: as of `iterate_waveform`.
    """
    samples = bytearray()
    for piece in iterate_waveform(path):
        samples.extend(piece.tobytes())
    return np.frombuffer(samples, np.float32)


def count_samples(
    path: str | os.PathLike[str], warn: Callable[[str], None] = _LOGGER.warning
) -> int:
    """Return how many samples `iterate_waveform` yields; all are decoded to be sure.

    Ours: finds what is wrong with a sound of any length before it is used.

    Args:
        path: any sound or video file.
        warn: as of `iterate_waveform`.

    Raises:
        UserError: as of `iterate_waveform`.
    """
    return sum(map(len, iterate_waveform(path, warn)))


def iterate_waveform(
    path: str | os.PathLike[str], warn: Callable[[str], None] = _LOGGER.warning
) -> Iterator[np.ndarray]:
    """Yield the first sound track of a file, resampled and mixed to mono, in pieces.

    Ours: time 0 is the file's beginning, as in `media.iterate_video`, so that a track
    that starts late begins with zeros. Format, channels and rate may change on the
    way. As in players, a packet that cannot be decoded is skipped: it leaves silence as
    long as its container says, so that what follows stays in time; where damage hides
    the packets themselves (the headers of an mp3, a page of an Ogg file), nobody knows
    how many there were, and what follows comes earlier by them.

    Args:
        path: any sound or video file.
        warn: called at the end with a sentence, where packets were skipped.

    Yields:
        float32 `[PIECE_SAMPLES]`, 16 kHz, full scale at 1; the last may be shorter.

    Raises:
        UserError: the file is missing, unreadable or broken, holds no sound, or (told
            at the end) less than 0.2 s that can be decoded.
    """
    path = pathlib.Path(path)
    tally = _Tally()
    with _reported(path), av.open(path) as container:
        if not container.streams.audio:
            raise errors.UserError(f"The file {path} holds no sound; {_READABLE}.")
        for piece in _in_pieces(_decode(container, tally)):
            if not np.isfinite(piece).all():
                raise errors.UserError(
                    f"The sound {path} holds samples that are no finite numbers; save "
                    "it again."
                )
            yield piece
    _check(path, tally)
    if tally.num_skipped:
        warn(
            f"The sound {path} is damaged: {tally.num_skipped} packets cannot be "
            "decoded and are silent; save or download it again if that is heard."
        )


def to_16_khz(samples: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Resample mono samples as those of files are.

    Args:
        samples: float32 `[S]`.
        sample_rate_hz: of them.

    Returns:
        float32 `[S']`, 16 kHz.
    """
    if sample_rate_hz == types.SAMPLE_RATE_HZ:
        return samples
    frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
    frame.sample_rate = sample_rate_hz
    resampling = _Resampling()
    return np.concatenate([*resampling.push(frame), *resampling.finish()])


@dataclasses.dataclass
class _Tally:
    """What has come of a track so far.

    Attributes:
        num_decoded: samples at 16 kHz, without silence that was put in.
        num_skipped: packets that could not be decoded.
        num_early: samples still to come that lie before time 0; None before the first
            frame.
    """

    num_decoded: int = 0
    num_skipped: int = 0
    num_early: int | None = None


@contextlib.contextmanager
def _reported(path: pathlib.Path) -> Iterator[None]:
    """Turn FFmpeg's errors into sentences."""
    try:
        yield
    except FileNotFoundError as error:
        raise errors.UserError(
            f"The sound {path} does not exist; check the path."
        ) from error
    except (av.error.FFmpegError, OSError) as error:
        raise errors.UserError(
            f"The sound {path} cannot be read ({error.strerror}); {_READABLE}."
        ) from error


def _check(path: pathlib.Path, tally: _Tally) -> None:
    """Refuse a sound of which too little could be decoded."""
    seconds = tally.num_decoded / types.SAMPLE_RATE_HZ
    if seconds >= MIN_SECONDS:
        return
    if tally.num_skipped:
        raise errors.UserError(
            f"The sound {path} is broken: {tally.num_skipped} packets cannot be "
            f"decoded, which leaves {seconds:.3f} s, and at least {MIN_SECONDS} s is "
            "needed; save or download it again."
        )
    raise errors.UserError(
        f"The sound {path} lasts {seconds:.3f} s; at least {MIN_SECONDS} s is needed, "
        "so give a longer one."
    )


def _decode(container, tally: _Tally) -> Iterator[np.ndarray]:
    """Yield the track's float32 samples, beginning at the container's start."""
    resampling = _Resampling()
    for packet in container.demux(container.streams.audio[0]):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            tally.num_skipped += 1
            # Before the first frame, that frame's time tells what is missing.
            if tally.num_early is not None:
                yield from _in_time(resampling.finish(), tally)
                yield from _silence(_missing_samples(packet))
            continue
        for frame in frames:
            if tally.num_early is None:
                late = (frame.time or 0) - (container.start_time or 0) / _MICROSECONDS
                num_late = round(late * types.SAMPLE_RATE_HZ)
                yield from _silence(num_late)
                tally.num_early = max(0, -num_late)
            yield from _in_time(resampling.push(frame), tally)
    yield from _in_time(resampling.finish(), tally)


def _in_time(blocks: Iterable[np.ndarray], tally: _Tally) -> Iterator[np.ndarray]:
    """Count what was decoded and leave out what lies before time 0."""
    for block in blocks:
        kept = block[tally.num_early :]
        tally.num_early -= len(block) - len(kept)
        tally.num_decoded += len(kept)
        yield kept


class _Resampling:
    """Bring frames of any kind to 16 kHz mono; the kind may change between frames."""

    def __init__(self):
        self._kind = self._resampler = None

    def push(self, frame: av.AudioFrame) -> Iterator[np.ndarray]:
        """Take a frame and yield blocks float32 `[S]`."""
        kind = frame.format.name, frame.layout.name, frame.sample_rate
        if kind != self._kind:
            yield from self.finish()
            self._kind = kind
            self._resampler = av.AudioResampler(
                format="flt", layout="mono", rate=types.SAMPLE_RATE_HZ, options=_MIXING
            )
        frame.pts = None
        yield from _samples(self._resampler.resample(frame))

    def finish(self) -> Iterator[np.ndarray]:
        """Yield what is left, and begin anew."""
        if self._resampler is not None:
            yield from _samples(self._resampler.resample(None))
        self._kind = self._resampler = None


def _samples(frames: Iterable[av.AudioFrame]) -> Iterator[np.ndarray]:
    for frame in frames:
        yield frame.to_ndarray()[0]


def _missing_samples(packet: av.Packet) -> int:
    """Return how long a packet should have sounded; damage may have changed it."""
    if not packet.duration or packet.time_base is None:
        return 0
    seconds = packet.duration * packet.time_base
    return min(round(seconds * types.SAMPLE_RATE_HZ), PIECE_SAMPLES)


def _silence(num_samples: int) -> Iterator[np.ndarray]:
    for start in range(0, num_samples, PIECE_SAMPLES):
        yield np.zeros(min(PIECE_SAMPLES, num_samples - start), np.float32)


def _in_pieces(blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Join blocks of any lengths to pieces of one length, and a shorter last one."""
    held, num_missing = [], PIECE_SAMPLES
    for block in blocks:
        while len(block):
            held.append(block[:num_missing])
            block = block[num_missing:]
            num_missing -= len(held[-1])
            if not num_missing:
                yield np.concatenate(held)
                held, num_missing = [], PIECE_SAMPLES
    if held:
        yield np.concatenate(held)
