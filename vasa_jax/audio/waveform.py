"""Load any sound that FFmpeg reads as 16 kHz mono samples."""

import os
import pathlib

import av
import numpy as np

from vasa_jax import errors, types

MIN_SECONDS = 0.2
"""Ours: five frames; less is a mistake rather than speech."""

_MICROSECONDS = 1_000_000
_READABLE = "give a file that FFmpeg plays, such as wav, flac, mp3, m4a, ogg or mp4"
# A mix of channels must not grow louder than its loudest part.
_MIXING = {"rematrix_maxval": "1"}


def load_waveform(path: str | os.PathLike[str]) -> np.ndarray:
    """Load the first sound track of a file, resampled and mixed to mono.

    Ours: time 0 is the file's beginning, as in `media.iterate_video`, so that a
    track that starts late begins with zeros. Memory stays near that of the result.

    Args:
        path: any sound or video file.

    Returns:
        float32 `[S]`, 16 kHz, full scale at 1.

    Raises:
        UserError: the file is missing, unreadable or broken, holds no sound, or less
            than 0.2 s of it.
    """
    path = pathlib.Path(path)
    samples = bytearray()
    try:
        with av.open(path) as container:
            if not container.streams.audio:
                raise errors.UserError(f"The file {path} holds no sound; {_READABLE}.")
            _decode_into(samples, container)
    except FileNotFoundError as error:
        raise errors.UserError(
            f"The sound {path} does not exist; check the path."
        ) from error
    except (av.error.FFmpegError, OSError) as error:
        raise errors.UserError(
            f"The sound {path} cannot be read ({error.strerror}); {_READABLE}."
        ) from error
    waveform = np.frombuffer(samples, np.float32)
    if len(waveform) < MIN_SECONDS * types.SAMPLE_RATE_HZ:
        raise errors.UserError(
            f"The sound {path} lasts {len(waveform) / types.SAMPLE_RATE_HZ:.3f} s; at "
            f"least {MIN_SECONDS} s is needed, so give a longer one."
        )
    if not np.isfinite(waveform.sum(dtype=np.float64)):
        raise errors.UserError(
            f"The sound {path} holds samples that are no finite numbers; save it again."
        )
    return waveform


def _decode_into(samples: bytearray, container) -> None:
    """Append the track's float32 samples, beginning at the container's start."""
    stream = container.streams.audio[0]
    resampler = av.AudioResampler(
        format="flt", layout="mono", rate=types.SAMPLE_RATE_HZ, options=_MIXING
    )
    num_to_skip = None
    for frame in container.decode(stream):
        if num_to_skip is None:
            late = (frame.time or 0) - (container.start_time or 0) / _MICROSECONDS
            num_late = round(late * types.SAMPLE_RATE_HZ)
            samples.extend(bytes(4 * max(0, num_late)))
            num_to_skip = max(0, -num_late)
        frame.pts = None
        num_to_skip = _append(samples, resampler.resample(frame), num_to_skip)
    if num_to_skip is not None:
        _append(samples, resampler.resample(None), num_to_skip)


def _append(samples: bytearray, frames, num_to_skip: int) -> int:
    """Append the frames' samples but the first ones; return how many remain to skip."""
    for frame in frames:
        block = frame.to_ndarray()[0]
        samples.extend(block[num_to_skip:].tobytes())
        num_to_skip = max(0, num_to_skip - len(block))
    return num_to_skip
