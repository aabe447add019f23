"""From a picture file and a driving video file to a video file."""

import dataclasses
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from vasa_jax import audio, config, media, types
from vasa_jax.animate import (
    canvas,
    driving_motion,
    model_files,
    motion_files,
    talking_face,
    video_files,
)
from vasa_jax.animate.controls import Controls

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
    turns_about: str = motion_files.PORTRAIT,
    motion_output: Path | None = None,
    models: model_files.ModelFiles | None = None,
    settings: video_files.VideoSettings | None = None,
    listener: video_files.Listener | None = None,
) -> int:
    """Let the person of a video drive the portrait of a picture.

    Ours: as `files.animate_files`: cheap checks come first, memory does not grow with
    the length of the video, and the output appears only when it is whole. The sound of
    the video, if it has any, goes along.

    Args:
        image: a picture with one clear face, in a usual format.
        video: of one person, in any format that FFmpeg reads; read at 25 frames a
            second.
        output: as of `video_files.write`.
        pose_from: whose head poses are taken in the place of the video's: another
            video, or motion as of `driving_motion.read`; None takes the video's. The
            output ends with the shortest.
        dynamics_from: the same for facial dynamics.
        turns_about: `motion_files.PORTRAIT` moves the portrait's head about its own
            pose as the driver's moves about its mean; `CAMERA` gives it the driver's
            poses as they are.
        motion_output: as of `video_files.write`.
        models, settings, listener: as of `files.animate_files`; a driver whose mean
            pose is needed counts twice, as it is read and as it is rendered.

    Returns:
        How many frames were written.

    Raises:
        UserError: a file cannot be used, or no face is found in one of them.
    """
    config.require(
        turns_about in motion_files.FRAMES,
        f"turns_about is {turns_about!r}; give {' or '.join(motion_files.FRAMES)}.",
    )
    models = models or model_files.ModelFiles()
    settings = settings or video_files.VideoSettings()
    listener = listener or video_files.Listener()
    others = {
        frozenset({driving_motion.HEAD}): pose_from,
        frozenset(driving_motion.UNITS): dynamics_from,
    }
    others = {parts: path for parts, path in others.items() if path is not None}
    inputs = image, video, *others.values()
    video_files.check_paths(output, inputs, motion_output, settings)
    in_files = _read_files(others)
    picture = media.read_image(image)
    probed = media.probe_video(video)
    num_frames = round(probed.duration_seconds * types.FRAME_RATE_HZ)
    face = models.load()
    shown = canvas.prepare(
        face,
        picture,
        settings.background,
        settings.show_whole_picture,
        listener.warn,
    )
    motion = face.encode_motion(media.iterate_video(video, warn=listener.warn))
    is_relative = turns_about == motion_files.PORTRAIT
    if is_relative:
        rate = settings.frame_rate_hz / types.FRAME_RATE_HZ
        pieces, listener = _told(motion, num_frames, rate, listener)
        motion = [_recorded(face, pieces).about_mean().motion]
    for parts, path in others.items():
        driving = in_files.get(parts) or _of_video(face, path, parts, listener.warn)
        if is_relative:
            driving = driving_motion.about_mean(driving)
        own = shown.portrait.head_pose.rotation[0]
        driving = driving_motion.told_about(driving, turns_about, own)
        driver = driving_motion.Driver(driving, Controls(), face.editor)
        num_frames = min(num_frames, driver.num_frames)
        motion = driver.drive(motion)
    sound = audio.iterate_waveform(video, listener.warn) if probed.has_sound else None
    take = video_files.Take(
        motion=iter(motion),
        sound=sound,
        num_frames=num_frames,
        turns_about=turns_about,
        is_driven=True,
    )
    return video_files.write(
        output, face, shown, take, motion_output, settings, listener
    )


def _read_files(
    others: Mapping[frozenset[str], Path],
) -> dict[frozenset[str], driving_motion.DrivingMotion]:
    """Read those that are files of motion, and refuse others that are no videos."""
    in_files = {
        parts: driving_motion.read(path, parts)
        for parts, path in others.items()
        if pathlib.Path(path).suffix.lower() in MOTION_SUFFIXES
    }
    for parts in others.keys() - in_files.keys():
        media.probe_video(others[parts])
    return in_files


def _of_video(
    face: talking_face.TalkingFace,
    path: Path,
    parts: frozenset[str],
    warn: Callable[[str], None],
) -> driving_motion.DrivingMotion:
    """Read all of a video's motion, which is small."""
    pieces = face.encode_motion(media.iterate_video(path, warn=warn))
    return driving_motion.DrivingMotion(parts=parts, recorded=_recorded(face, pieces))


def _told(
    motion: Iterable[np.ndarray],
    num_frames: int,
    rate: float,
    listener: video_files.Listener,
) -> tuple[Iterator[np.ndarray], video_files.Listener]:
    """Tell how far a driver is read, as the first half of all frames.

    `rate` is how many frames are written for each of the `num_frames` that are read.

    Returns:
        The motion, and a listener for the other half.
    """
    num_read = 0
    done = 0

    def pieces():
        nonlocal num_read, done
        for piece in motion:
            num_read += len(piece)
            done = round(num_read * rate)
            listener.progress(done, max(round(2 * num_frames * rate), done))
            yield piece

    def progress(rendered: int, total: int) -> None:
        listener.progress(done + rendered, done + total)

    return pieces(), dataclasses.replace(listener, progress=progress)


def _recorded(
    face: talking_face.TalkingFace, pieces: Iterable[np.ndarray]
) -> motion_files.RecordedMotion:
    """Read all motion that is encoded."""
    motion = np.concatenate(list(pieces))
    return motion_files.RecordedMotion.of_motion(motion, face.editor.code)
