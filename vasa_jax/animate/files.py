"""From a picture file, and a voice or motion, to a video file."""

import contextlib
import itertools
import math
import os
import stat
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from vasa_jax import audio, config, media, types
from vasa_jax.animate import (
    canvas,
    driving_motion,
    model_files,
    talking_face,
    video_files,
)
from vasa_jax.animate.controls import Controls

Path = str | os.PathLike[str]


def animate_files(
    image: Path,
    voice: Path | Iterable[np.ndarray] | None,
    output: Path,
    *,
    controls: Controls | None = None,
    driving: driving_motion.DrivingMotion | None = None,
    motion_output: Path | None = None,
    models: model_files.ModelFiles | None = None,
    settings: video_files.VideoSettings | None = None,
    listener: video_files.Listener | None = None,
) -> int:
    """Animate the portrait of one file by the voice of another, or by a speaker's.

    Ours: the cheap checks come first, so that the user hears of a mistake at once;
    memory does not grow with the length of the voice, which is decoded twice if it is a
    file, once to find out whether it can be; and the output appears only when it is
    whole.

    Args:
        image: a picture with one clear face, in a usual format.
        voice: a file in any format that FFmpeg reads, or pieces float `[S]`, 16 kHz,
            full scale at 1, such as `speech.speaker.Speaker.speak` gives; None, with
            `driving` alone, for a silent video.
        output: as of `video_files.write`.
        controls: what is asked of the performance; None is the paper's defaults.
        driving: motion that drives the face; what it leaves moves by the voice, or
            stays as in the portrait where there is none. The video is as long as the
            shorter of both.
        motion_output: as of `video_files.write`.
        models: that animate, whose face is loaded when all else was checked, and then
            kept; None is the package's.
        settings: of the video; None is the face's crop at 25 frames a second, unmarked.
        listener: who is told; None is nobody.

    Returns:
        How many frames were written.

    Raises:
        UserError: a file or a control cannot be used.
    """
    controls = controls or Controls()
    models = models or model_files.ModelFiles()
    settings = settings or video_files.VideoSettings()
    listener = listener or video_files.Listener()
    is_spoken = voice is not None and not (driving and driving.is_whole)
    config.require(
        voice is not None or driving is not None,
        "There is neither a voice nor motion; give one.",
    )
    inputs = [name for name in (image, voice) if isinstance(name, str | os.PathLike)]
    video_files.check_paths(output, inputs, motion_output, settings)
    picture = media.read_image(image)
    models.check(controls)
    config.require(
        is_spoken or not controls.steering,
        f"{', '.join(controls.steering)} can be asked where a voice makes motion, and "
        "here it makes none; leave it out.",
    )
    num_samples, samples = _read_voice(voice, listener.warn)
    num_frames = num_samples // types.SAMPLES_PER_FRAME
    if driving is not None:
        num_frames = min(driving.num_frames, num_frames if is_spoken else math.inf)
    face = models.load()
    shown = canvas.prepare(
        face,
        picture,
        settings.background,
        settings.show_whole_picture,
        listener.warn,
    )
    # The writer follows the stream by no more than a piece and a window.
    spoken, sound = itertools.tee(samples) if is_spoken else (None, samples)
    take = video_files.Take(
        motion=_move(face, shown.portrait, spoken, controls, driving),
        sound=sound,
        num_frames=num_frames,
        turns_about=face.turns_about,
        is_spoken=is_spoken,
    )
    return video_files.write(
        output, face, shown, take, motion_output, settings, listener
    )


def _move(
    face: talking_face.TalkingFace,
    portrait: talking_face.Portrait,
    voice: Iterator[np.ndarray] | None,
    controls: Controls,
    driving: driving_motion.DrivingMotion | None,
) -> Iterator[np.ndarray]:
    """Return the motion that voice and driving motion make together."""
    if driving is None:
        return face.speak(voice, controls)
    own = portrait.head_pose.rotation[0]
    driving = driving_motion.told_about(driving, face.turns_about, own)
    driver = driving_motion.Driver(driving, controls, face.editor)
    if driving.is_whole:
        return driver.whole()
    if voice is None:
        return driver.drive(
            driving_motion.hold(face.own_motion(portrait), driver.num_frames)
        )
    return driver.drive(face.speak(voice, controls))


def _read_voice(
    voice: Path | Iterable[np.ndarray] | None, warn: Callable[[str], None]
) -> tuple[int, Iterator[np.ndarray] | None]:
    """Return how many samples a voice has, 0 if unknown, and them piece by piece."""
    if voice is None:
        return 0, None
    if not isinstance(voice, str | os.PathLike):
        return 0, iter(voice)
    if _is_pipe(voice):
        # It can be read only once, and so is held whole.
        pieces = list(audio.iterate_waveform(voice, warn))
        return sum(map(len, pieces)), iter(pieces)
    num_samples = audio.count_samples(voice, warn)
    return num_samples, audio.iterate_waveform(voice, warn=lambda sentence: None)


def _is_pipe(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return stat.S_ISFIFO(os.stat(path).st_mode)
    return False
