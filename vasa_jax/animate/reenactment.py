"""From a picture file and a driving video file to a video file."""

import os
import pathlib
from collections.abc import Callable

import numpy as np

from vasa_jax import audio, media, types
from vasa_jax.animate import (
    backdrop,
    canvas,
    driving_motion,
    motion_files,
    motion_recorder,
    talking_face,
)
from vasa_jax.animate.controls import Controls
from vasa_jax.provenance import sealing

Path = str | os.PathLike[str]

MOTION_SUFFIXES = (*motion_files.SUFFIXES, ".csv")
"""Ends of files that hold motion; others are videos."""


def reenact_files(
    image: Path,
    video: Path,
    output: Path,
    *,
    pose_from: Path | None = None,
    dynamics_from: Path | None = None,
    motion_output: Path | None = None,
    checkpoint: Path | None = None,
    audio_weights: Path | None = None,
    image_size: int | None = None,
    background: backdrop.Background | None = None,
    show_whole_picture: bool = False,
    seal: sealing.Seal | None = None,
    warn: Callable[[str], None] = lambda sentence: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Let the person of a video drive the portrait of a picture.

    Ours: as `files.animate_files`: cheap checks come first, memory does not grow with
    the length of the video, and the output appears only when it is whole. The sound of
    the video, if it has any, goes along.

    Args:
        image: a picture with one clear face, in a usual format.
        video: of one person, in any format that FFmpeg reads; read at 25 frames a
            second.
        output: the .mp4 or .webm to write, or a pattern of pictures such as
            `frames/%05d.png`, which hold no sound; older ones are replaced.
        pose_from: whose head poses are taken in the place of the video's: another
            video, or motion as of `driving_motion.read`; None takes the video's. The
            output ends with the shortest.
        dynamics_from: the same for facial dynamics.
        motion_output: as of `files.animate_files`.
        checkpoint, audio_weights, image_size: as of `files.animate_files`.
        background: what stands behind the person; None is the picture's own.
        show_whole_picture: whether the video shows the whole picture, with the face
            laid back into it, rather than the face's crop.
        seal: as of `files.animate_files`.
        warn: called with a sentence where something is worth knowing.
        progress: called with the frames done and the frames in all, as the video tells
            its length; 0 where it does not.

    Returns:
        How many frames were written.

    Raises:
        UserError: a file cannot be used, or no face is found in one of them.
    """
    others = {
        frozenset({driving_motion.HEAD}): pose_from,
        frozenset(driving_motion.UNITS): dynamics_from,
    }
    others = {parts: path for parts, path in others.items() if path is not None}
    is_transparent = background is not None and background.is_transparent
    is_composite = canvas.is_composite(background, show_whole_picture)
    inputs = image, video, *others.values()
    media.check_video_path(output, inputs=inputs, has_alpha=is_transparent)
    if motion_output is not None:
        motion_recorder.check_path(motion_output)
    in_files = {
        parts: driving_motion.read(path, parts)
        for parts, path in others.items()
        if pathlib.Path(path).suffix.lower() in MOTION_SUFFIXES
    }
    for parts in others.keys() - in_files.keys():
        media.probe_video(others[parts])
    picture = media.read_image(image)
    probed = media.probe_video(video)
    num_frames = round(probed.duration_seconds * types.FRAME_RATE_HZ)
    face = talking_face.TalkingFace.from_checkpoint(
        checkpoint, audio_weights, image_size
    )
    shown = canvas.prepare(face, picture, background, show_whole_picture, warn)
    motion = face.encode_motion(media.iterate_video(video, warn=warn))
    for parts, path in others.items():
        driving = in_files.get(parts) or _of_video(face, path, parts, warn)
        driver = driving_motion.Driver(driving, Controls(), face.editor)
        num_frames = min(num_frames, driver.num_frames)
        motion = driver.drive(motion)
    sound = audio.iterate_waveform(video, warn) if probed.has_sound else None
    mark = sealing.marker(seal)
    with (
        media.open_writer(
            output,
            shown.height,
            shown.width,
            waveform=sound,
            has_alpha=is_transparent,
            finish=sealing.finisher(seal, is_composite, warn),
        ) as writer,
        motion_recorder.recorded(motion, motion_output, face.editor) as motion,
    ):
        progress(0, num_frames)
        for frames in face.render(shown.portrait, motion):
            writer.write(mark(shown.show(frames)))
            progress(writer.num_frames, max(num_frames, writer.num_frames))
    return writer.num_frames


def _of_video(
    face: talking_face.TalkingFace,
    path: Path,
    parts: frozenset[str],
    warn: Callable[[str], None],
) -> driving_motion.DrivingMotion:
    """Read all of a video's motion, which is small."""
    pieces = face.encode_motion(media.iterate_video(path, warn=warn))
    motion = np.concatenate(list(pieces))
    recorded = motion_files.RecordedMotion.of_motion(motion, face.editor.code)
    return driving_motion.DrivingMotion(parts=parts, recorded=recorded)
