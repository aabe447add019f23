"""What a video of a talking face is to be, who is told of it, and how it is written."""

import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from vasa_jax import config, media, types
from vasa_jax.animate import (
    backdrop,
    canvas,
    frame_rate,
    motion_recorder,
    talking_face,
)
from vasa_jax.provenance import sealing

Path = str | os.PathLike[str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class VideoSettings:
    """What a video is to be, whatever the face does in it.

    Attributes:
        background: what stands behind the person; None is the picture's own.
        show_whole_picture: whether the video shows the whole picture, with the face
            laid back into it, rather than the face's crop.
        frame_rate_hz: frames a second, 24 to 60.
        seal: what says in the video that it is generated; None says nothing.
    """

    background: backdrop.Background | None = None
    show_whole_picture: bool = False
    frame_rate_hz: int = types.FRAME_RATE_HZ
    seal: sealing.Seal | None = None

    def __post_init__(self):
        frame_rate.check(self.frame_rate_hz)

    @property
    def is_transparent(self) -> bool:
        """Whether frames have an alpha channel."""
        return self.background is not None and self.background.is_transparent

    @property
    def is_composite(self) -> bool:
        """Whether a generated face is laid into a picture; see `manifest.Claim`."""
        return canvas.is_composite(self.background, self.show_whole_picture)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Listener:
    """Who is told while videos are made.

    Attributes:
        warn: called with a sentence where something is worth knowing.
        progress: called with the frames done and the frames in all, 0 if that is not
            known.
    """

    warn: Callable[[str], None] = lambda sentence: None
    progress: Callable[[int, int], None] = lambda done, total: None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Take:
    """What a face does in a video, read once.

    Attributes:
        motion: pieces float32 `[n, M]`, 25 frames a second.
        sound: pieces float `[S]`, 16 kHz, full scale at 1; None is silent.
        num_frames: of the motion, 0 if that is not known yet.
        turns_about: what the motion turns the head about, of `motion_files`.
        is_spoken: whether the sound is a voice that makes the motion.
        is_driven: whether the motion is encoded of frames of somebody.
    """

    motion: Iterator[np.ndarray]
    sound: Iterator[np.ndarray] | None
    num_frames: int
    turns_about: str
    is_spoken: bool = False
    is_driven: bool = False


def check_paths(
    output: Path,
    inputs: Iterable[Path],
    motion_output: Path | None,
    settings: VideoSettings,
) -> None:
    """Refuse, before any work, what `write` could or should not write.

    Args:
        output, motion_output, settings: as of `write`.
        inputs: files that the video is made of.

    Raises:
        UserError: as of `media.check_video_path` and `motion_recorder.check_path`.
    """
    media.check_video_path(output, inputs=inputs, has_alpha=settings.is_transparent)
    if motion_output is not None:
        motion_recorder.check_path(motion_output)


def write(
    output: Path,
    face: talking_face.TalkingFace,
    shown: canvas.Canvas,
    take: Take,
    motion_output: Path | None,
    settings: VideoSettings,
    listener: Listener,
) -> int:
    """Render a face and write it as a video, which appears when it is whole.

    Args:
        output: the .mp4 or .webm to write, or a pattern of pictures such as
            `frames/%05d.png`, which hold no sound; older ones are replaced.
        face: that is rendered.
        shown: the portrait, and what is shown of it.
        take: what it does.
        motion_output: file to write the motion that is shown to: of `motion_files`, or
            a CSV of ARKit's weights; None writes none.
        settings: of the video.
        listener: who is told.

    Returns:
        How many frames were written.

    Raises:
        UserError: a file cannot be written, or the voice is too short for a frame.
    """
    mark = sealing.marker(settings.seal)
    finish = sealing.finisher(settings.seal, settings.is_composite, listener.warn)
    num_frames = frame_rate.num_frames(take.num_frames, settings.frame_rate_hz)
    with (
        media.open_writer(
            output,
            shown.height,
            shown.width,
            waveform=take.sound,
            frame_rate_hz=settings.frame_rate_hz,
            has_alpha=settings.is_transparent,
            finish=finish,
        ) as writer,
        motion_recorder.recorded(
            take.motion, motion_output, face.editor, take.turns_about
        ) as motion,
    ):
        listener.progress(0, num_frames)
        for frames in face.render(
            shown.portrait,
            motion,
            settings.frame_rate_hz,
            take.is_driven,
            take.turns_about,
        ):
            writer.write(mark(shown.show(frames)))
            total = num_frames and max(num_frames, writer.num_frames)
            listener.progress(writer.num_frames, total)
        config.require(
            not take.is_spoken or writer.num_frames > 0,
            f"The voice is shorter than {types.SAMPLES_PER_FRAME} samples at 16 kHz, "
            "one frame; give a longer one.",
        )
    return writer.num_frames
