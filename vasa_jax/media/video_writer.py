"""Write videos with sound that every browser plays: mp4, or WebM, which holds alpha."""

import contextlib
import fractions
import functools
import io
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import av
import numpy as np

from vasa_jax import errors, types
from vasa_jax.media import frame_folder, image, partial_file, video_formats

AUDIO_BIT_RATE = 64_000
"""Ours: bits a second, transparent for mono speech."""

_AUDIO_BLOCK = 16_384


def encode_video(
    frames: np.ndarray,
    frame_rate_hz: int = types.FRAME_RATE_HZ,
    constant_rate_factor: int = video_formats.CONSTANT_RATE_FACTOR,
    keyframe_interval: int = video_formats.KEYFRAME_INTERVAL,
    preset: str = video_formats.X264_PRESET,
) -> bytes:
    """Encode frames as an mp4 file in memory; equal frames give equal bytes.

    Ours: one thread and no clock in the file, for records that can be made again.

    Args:
        frames: uint8 `[T, H, W, 3]`, RGB; H and W even.
        frame_rate_hz: frames a second.
        constant_rate_factor: x264's quality, 0 (lossless luma) to 51.
        keyframe_interval: frames a group of pictures.
        preset: x264's name of how long it tries.

    Returns:
        The whole file: H.264, yuv420p, BT.709.

    Raises:
        ValueError: not uint8 RGB, no frame, or odd sizes.
    """
    image.check_pixels(frames, num_dimensions=4)
    num_frames, height, width, _ = frames.shape
    if not num_frames or height % 2 or width % 2:
        raise ValueError(
            "frames must be at least one, of even height and width; got "
            f"{list(frames.shape)}"
        )
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = video_formats.add_h264(
            container,
            height,
            width,
            frame_rate_hz,
            constant_rate_factor=constant_rate_factor,
            keyframe_interval=keyframe_interval,
            preset=preset,
        )
        stream.thread_count = 1
        for index, frame in enumerate(frames):
            picture = video_formats.to_yuv(frame, index, frame_rate_hz)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def check_video_path(
    path: str | os.PathLike[str],
    inputs: Iterable[str | os.PathLike[str]] = (),
    has_alpha: bool = False,
) -> None:
    """Refuse what `VideoWriter` could or should not write, before any work.

    Args:
        path: of the video to come.
        inputs: files that it is made of.
        has_alpha: whether its frames will have an alpha channel.

    Raises:
        UserError: the path does not end in .mp4 or .webm, or not in .webm with alpha,
            and is no pattern of `frame_folder`; it is a folder, is in a folder that is
            missing or cannot be written, or is one of the inputs.
    """
    if not frame_folder.is_pattern(path):
        _format_of(path, has_alpha)
    for name in inputs:
        with contextlib.suppress(OSError):
            if os.path.samefile(path, name):
                raise errors.UserError(
                    f"The output {path} is one of the inputs and would be replaced; "
                    "name another."
                )
    partial_file.check_place(path)


def open_writer(
    path: str | os.PathLike[str],
    height: int,
    width: int,
    *,
    has_alpha: bool = False,
    **of_video: Any,
) -> "VideoWriter | frame_folder.FrameWriter":
    """Return what writes a path: a video, or pictures, which hold no sound.

    Args:
        path: as of `check_video_path`.
        height, width, has_alpha: of the frames.
        of_video: the other arguments of `VideoWriter`.

    Raises:
        UserError: as of `VideoWriter`.
    """
    if frame_folder.is_pattern(path):
        return frame_folder.FrameWriter(path, height, width, has_alpha)
    return VideoWriter(path, height, width, has_alpha=has_alpha, **of_video)


def _format_of(
    path: str | os.PathLike[str], has_alpha: bool = False
) -> video_formats.Format:
    """Return what a path asks for by its end."""
    format_ = video_formats.FORMATS.get(os.path.splitext(path)[1].lower())
    if format_ is None:
        raise errors.UserError(
            f"The output {path} must end in .mp4 or .webm, or name pictures as "
            "frames/%05d.png does; rename it."
        )
    if has_alpha and not format_.holds_alpha:
        raise errors.UserError(
            f"The output {path} cannot be transparent: of videos only .webm holds "
            "alpha, and pictures do (frames/%05d.png); rename it."
        )
    return format_


class VideoWriter:
    """Write a video, with sound or without, a few frames at a time.

    Ours: memory stays bounded for any length; the file appears under its name only
    when it is whole (at a clean exit of the `with` block); the sound ends with the
    picture; odd sizes repeat their last row or column, which yuv420p cannot hold.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        height: int,
        width: int,
        waveform: np.ndarray | Iterable[np.ndarray] | None = None,
        frame_rate_hz: int = types.FRAME_RATE_HZ,
        has_alpha: bool = False,
        finish: Callable[[pathlib.Path], None] | None = None,
    ):
        """Remember what to write; nothing is opened before the `with` block.

        Args:
            path: a file that ends in .mp4 or .webm; an older one is replaced.
            height: rows of each frame.
            width: pixels a row.
            waveform: float `[S]` in [-1, 1], 16 kHz mono, or an iterable of pieces of
                it, which are read as the frames need them; None for no sound.
            frame_rate_hz: frames a second.
            has_alpha: whether frames have an alpha channel, which WebM alone holds.
            finish: called with the whole file before it takes its place, to change it;
                its errors leave no file.

        Raises:
            UserError: the path does not end in .mp4 or .webm, or not in .webm with
                alpha.
        """
        self._format = _format_of(path, has_alpha)
        self.num_frames = 0
        self._path = path
        self._size = height, width
        self._sound = None if waveform is None else _Sound(waveform)
        self._frame_rate_hz = frame_rate_hz
        self._has_alpha = has_alpha
        self._num_samples = 0
        self._finish_file = finish

    def __enter__(self) -> "VideoWriter":
        with contextlib.ExitStack() as stack:
            partial = stack.enter_context(partial_file.written_beside(self._path))
            stack.push(functools.partial(self._hand_on, partial))
            # Of a whole path FFmpeg takes no part before a colon for a protocol.
            self._container = av.open(
                os.path.abspath(partial),
                "w",
                format=self._format.container,
                options=dict(self._format.options),
            )
            stack.push(self._close)
            height, width = self._size
            self._video = self._format.add_video(
                self._container,
                height + height % 2,
                width + width % 2,
                self._frame_rate_hz,
                has_alpha=self._has_alpha,
            )
            if self._sound is not None:
                self._audio = self._container.add_stream(
                    self._format.sound, rate=types.SAMPLE_RATE_HZ, layout="mono"
                )
                self._audio.bit_rate = AUDIO_BIT_RATE
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception) -> None:
        if exception[0] is None:
            with self._stack:
                self._finish()
        else:
            self._stack.__exit__(*exception)

    def _hand_on(self, partial: pathlib.Path, *exception) -> None:
        """Let the whole file be changed."""
        if exception[0] is None and self._finish_file is not None:
            self._finish_file(partial)

    def _close(self, *exception) -> None:
        """Close the file; after an error, which is what matters, without another."""
        is_in_error = exception[0] is not None
        with contextlib.suppress(av.error.FFmpegError) if is_in_error else self._io():
            self._container.close()

    @contextlib.contextmanager
    def _io(self) -> Iterator[None]:
        """Say in a sentence that the disk is full or gone."""
        try:
            yield
        except OSError as error:
            raise errors.UserError(
                f"Cannot write {self._path}: {error.strerror}; make room or name "
                "another place."
            ) from error

    def write(self, frames: np.ndarray) -> None:
        """Append frames.

        Args:
            frames: uint8 `[T, H, W, 3]`, RGB, of the size given at the start;
                `[T, H, W, 4]` with alpha.

        Raises:
            ValueError: another dtype or size.
        """
        height, width = self._size
        image.check_frames(frames, height, width, 4 if self._has_alpha else 3)
        padding = (0, 0), (0, height % 2), (0, width % 2), (0, 0)
        for frame in np.pad(frames, padding, mode="edge"):
            picture = video_formats.to_yuv(
                frame, self.num_frames, self._frame_rate_hz, self._video.pix_fmt
            )
            self._mux(self._video.encode(picture))
            self.num_frames += 1
        self._write_sound()

    def _write_sound(self) -> None:
        """Encode the sound up to the end of the last frame written."""
        if self._sound is None:
            return
        due = self.num_frames * types.SAMPLE_RATE_HZ // self._frame_rate_hz
        for samples in self._sound.next_blocks(due - self._num_samples):
            frame = av.AudioFrame.from_ndarray(samples[None], "fltp", "mono")
            frame.sample_rate = types.SAMPLE_RATE_HZ
            frame.time_base = fractions.Fraction(1, types.SAMPLE_RATE_HZ)
            frame.pts = self._num_samples
            self._mux(self._audio.encode(frame))
            self._num_samples += len(samples)

    def _finish(self) -> None:
        if not self.num_frames:
            raise ValueError("no frame was written")
        self._mux(self._video.encode(None))
        if self._sound is not None:
            self._mux(self._audio.encode(None))

    def _mux(self, packets) -> None:
        with self._io():
            self._container.mux(packets)


class _Sound:
    """Samples given at once or in pieces, taken in blocks that the encoder likes."""

    def __init__(self, waveform: np.ndarray | Iterable[np.ndarray]):
        is_whole = hasattr(waveform, "dtype")
        self._pieces = iter([waveform] if is_whole else waveform)
        self._held = np.zeros(0, np.float32)

    def next_blocks(self, num_samples: int) -> Iterator[np.ndarray]:
        """Yield the next samples, float32 in [-1, 1]; fewer where the sound ends."""
        while num_samples > 0:
            while not len(self._held):
                piece = next(self._pieces, None)
                if piece is None:
                    return
                self._held = piece
            block = self._held[: min(num_samples, _AUDIO_BLOCK)]
            self._held = self._held[len(block) :]
            num_samples -= len(block)
            yield np.ascontiguousarray(np.clip(block, -1.0, 1.0), np.float32)
