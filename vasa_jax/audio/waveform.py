"""Load any sound that FFmpeg reads as 16 kHz mono samples, whole or in pieces."""

import dataclasses
import fractions
import logging
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator

import av
import einops
import numpy as np

from vasa_jax import container, errors, types

MIN_SECONDS = 0.2
"""Ours: five frames; less is a mistake rather than speech."""

PIECE_SAMPLES = 10 * types.SAMPLE_RATE_HZ
"""Samples of each piece of a sound but its last. Ours: 640 kB."""

LARGEST_DRIFT_SECONDS = fractions.Fraction(15, 1000)
"""How far samples may be from their time stamps before they are moved there. Ours: less
than a packet of AAC or Opus lasts, and more than files round their stamps by."""

CANCELLED_MIX = 0.1
"""Loudness of the mix of two channels, over that of the louder one, below which they
cancel each other. Ours: 20 dB; of two voices that have nothing in common, the mix has
0.7 of one's, and of one voice in one channel 0.5."""

_READABLE = "give a file that FFmpeg plays, such as wav, flac, mp3, m4a, ogg or mp4"
# A mix of channels must not grow louder than its loudest part.
_MIXING = {"rematrix_maxval": "1"}
_LOGGER = logging.getLogger(__name__)


def load_waveform(
    path: str | os.PathLike[str],
    warn: Callable[[str], None] = _LOGGER.warning,
    start_seconds: float = 0.0,
    end_seconds: float | None = None,
) -> np.ndarray:
    """Load the first sound track of a file, resampled and mixed to mono.

    Ours: as `iterate_waveform`. Memory stays near that of the result.

    Args:
        path: any sound or video file.
        warn: as of `iterate_waveform`.
        start_seconds: as of `iterate_waveform`.
        end_seconds: where to end, or None for all.

    Returns:
        float32 `[S]`, 16 kHz, full scale at 1.

    Raises:
        UserError: as of `iterate_waveform`.
    """
    samples, most = bytearray(), None
    if end_seconds is not None:
        span = max(0.0, end_seconds - start_seconds)
        most = np.dtype(np.float32).itemsize * round(span * types.SAMPLE_RATE_HZ)
    for piece in iterate_waveform(path, warn, start_seconds=start_seconds):
        samples.extend(piece.tobytes())
        if most is not None and len(samples) >= most:
            break
    return np.frombuffer(samples[:most], np.float32)


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
    path: str | os.PathLike[str],
    warn: Callable[[str], None] = _LOGGER.warning,
    container_format: str | None = None,
    start_seconds: float = 0.0,
) -> Iterator[np.ndarray]:
    """Yield the first sound track of a file, resampled and mixed to mono, in pieces.

    Ours: samples lie where their time stamps say, time 0 being the file's beginning as
    in `media.iterate_video`: a late start and holes are silence, and what overlaps is
    left out. Format, channels and rate may change on the way. As in players, a packet
    that cannot be decoded is passed over and so becomes a hole; where damage hides the
    packets themselves (the headers of an mp3, a page of an Ogg file), nobody knows
    how many there were, and what follows comes earlier by them. A file that breaks off
    gives what came before. Of two channels of which one is the other's negative, as
    some microphones give them, the louder is taken.

    What an encoder has put before the sound is taken out where the file tells how long
    it is. A bare AAC stream does not, and neither does an mp3 without a Xing header:
    they come 23 to 46 ms late, here as in browsers.

    Args:
        path: any sound or video file.
        warn: called at the end with a sentence, where packets were passed over, the
            file breaks off, or channels cancelled each other.
        container_format: FFmpeg's name of the one format that is read; None is any.
            Files of strangers may be play lists, which name other files.
        start_seconds: yields what lies from here on, maybe nothing, and reads little
            more.

    Yields:
        float32 `[PIECE_SAMPLES]`, 16 kHz, full scale at 1; the last may be shorter.

    Raises:
        UserError: the file is missing, unreadable or broken, holds no sound, its time
            stamps jump by over an hour, or (told at the end) it has less than 0.2 s
            that can be decoded.
    """
    path = pathlib.Path(path)
    only = None if container_format is None else {"format_whitelist": container_format}
    num_decoded = num_cancelled = 0
    with container.opened(path, path, "sound", _READABLE, only) as recording:
        if recording.sound is None:
            raise errors.UserError(f"The file {path} holds no sound; {_READABLE}.")
        track = _Track(num_placed=round(start_seconds * types.SAMPLE_RATE_HZ))
        frames = recording.decode(recording.sound, start_seconds)
        for channels in _in_pieces(track.place(frames)):
            if not np.isfinite(channels).all():
                raise errors.UserError(
                    f"The sound {path} holds samples that are no finite numbers; save "
                    "it again."
                )
            piece, is_cancelled = _mix(channels)
            num_cancelled += is_cancelled
            yield piece
        num_decoded, damage = track.num_decoded, recording.damage()
    if not start_seconds:
        _check(path, num_decoded, damage)
    if damage:
        warn(
            f"The sound {path} is damaged: {damage}; save or download it again if that "
            "is heard."
        )
    if num_cancelled:
        warn(
            f"The two channels of {path} cancel each other when mixed, so the louder "
            "one is taken; save it as mono to choose."
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
    blocks = [*resampling.push(frame), *resampling.finish()]
    return np.concatenate(blocks, axis=1)[0]


def _check(path: pathlib.Path, num_decoded: int, damage: str | None) -> None:
    """Refuse a sound of which too little could be decoded."""
    seconds = num_decoded / types.SAMPLE_RATE_HZ
    if seconds >= MIN_SECONDS:
        return
    if damage:
        raise errors.UserError(
            f"The sound {path} is broken: {damage}, which leaves {seconds:.3f} s, and "
            f"at least {MIN_SECONDS} s is needed; save or download it again."
        )
    raise errors.UserError(
        f"The sound {path} lasts {seconds:.3f} s; at least {MIN_SECONDS} s is needed, "
        "so give a longer one."
    )


def _mix(channels: np.ndarray) -> tuple[np.ndarray, bool]:
    """Mix float32 `[C, S]` to `[S]`; of two that cancel each other, take the louder."""
    if len(channels) == 1:
        return channels[0], False
    mixed = einops.reduce(channels, "c s -> s", "mean")
    power = einops.reduce(np.square(channels), "c s -> c", "mean")
    is_cancelled = bool(np.square(mixed).mean() < CANCELLED_MIX**2 * power.max())
    return (channels[power.argmax()] if is_cancelled else mixed), is_cancelled


@dataclasses.dataclass
class _Track:
    """Lays the samples of a track on the clock of its time stamps.

    Ours: `aresample` does it too (its option `async`), but makes the silence of a hole
    of any length at once.

    Attributes:
        num_placed: samples at 16 kHz so far, with silence.
        num_decoded: those of them that were decoded.
        num_early: samples still to come that lie before what was placed.
    """

    num_placed: int = 0
    num_decoded: int = 0
    num_early: int = 0

    def place(
        self, frames: Iterable[tuple[fractions.Fraction | None, av.AudioFrame]]
    ) -> Iterator[np.ndarray]:
        """Yield blocks float32 `[C, S]` of one or two channels, from `num_placed` on.

        Args:
            frames: of the track, with their times.
        """
        resampling = _Resampling()
        due = fractions.Fraction(self.num_placed, types.SAMPLE_RATE_HZ)
        for time, frame in frames:
            if time is not None and abs(time - due) > LARGEST_DRIFT_SECONDS:
                yield from self._in_time(resampling.finish())
                missing = round(time * types.SAMPLE_RATE_HZ) - self.num_placed
                self.num_placed += max(0, missing)
                self.num_early = max(0, -missing)
                yield from _silence(missing)
                due = time
            due += fractions.Fraction(frame.samples, frame.sample_rate)
            yield from self._in_time(resampling.push(frame))
        yield from self._in_time(resampling.finish())

    def _in_time(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Count what was decoded and leave out what lies before its place."""
        for block in blocks:
            kept = block[:, self.num_early :]
            self.num_early -= block.shape[1] - kept.shape[1]
            self.num_decoded += kept.shape[1]
            self.num_placed += kept.shape[1]
            yield kept


class _Resampling:
    """Bring frames of any kind to 16 kHz; their kind may change between frames."""

    def __init__(self):
        self._kind = self._resampler = None

    def push(self, frame: av.AudioFrame) -> Iterator[np.ndarray]:
        """Take a frame and yield blocks float32 `[C, S]`, of two channels at most."""
        kind = frame.format.name, frame.layout.name, frame.sample_rate
        if kind != self._kind:
            yield from self.finish()
            self._kind = kind
            self._resampler = av.AudioResampler(
                format="fltp",
                layout="mono" if frame.layout.nb_channels == 1 else "stereo",
                rate=types.SAMPLE_RATE_HZ,
                options=_MIXING,
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
        yield frame.to_ndarray()


def _silence(num_samples: int) -> Iterator[np.ndarray]:
    for start in range(0, num_samples, PIECE_SAMPLES):
        yield np.zeros((1, min(PIECE_SAMPLES, num_samples - start)), np.float32)


def _in_pieces(blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Join blocks of any lengths to pieces of one length, and a shorter last one."""
    held, num_missing = [], PIECE_SAMPLES
    for block in blocks:
        while block.shape[1]:
            held.append(block[:, :num_missing])
            block = block[:, num_missing:]
            num_missing -= held[-1].shape[1]
            if not num_missing:
                yield _join(held)
                held, num_missing = [], PIECE_SAMPLES
    if held:
        yield _join(held)


def _join(blocks: list[np.ndarray]) -> np.ndarray:
    """Join blocks `[C, S]`; where some have two channels, all have."""
    num_channels = max(len(block) for block in blocks)
    parts = [np.broadcast_to(b, (num_channels, b.shape[1])) for b in blocks]
    return np.concatenate(parts, axis=1)
