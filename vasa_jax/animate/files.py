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
    backdrop,
    canvas,
    driving_motion,
    frame_rate,
    motion_recorder,
    motion_stream,
    talking_face,
    trained,
)
from vasa_jax.animate.controls import Controls
from vasa_jax.provenance import sealing

Path = str | os.PathLike[str]


def animate_files(
    image: Path,
    voice: Path | Iterable[np.ndarray] | None,
    output: Path,
    *,
    controls: Controls | None = None,
    driving: driving_motion.DrivingMotion | None = None,
    motion_output: Path | None = None,
    checkpoint: Path | None = None,
    audio_weights: Path | None = None,
    image_size: int | None = None,
    background: backdrop.Background | None = None,
    show_whole_picture: bool = False,
    frame_rate_hz: int = types.FRAME_RATE_HZ,
    face: talking_face.TalkingFace | None = None,
    seal: sealing.Seal | None = None,
    warn: Callable[[str], None] = lambda sentence: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
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
        output: the .mp4 or .webm to write, or a pattern of pictures such as
            `frames/%05d.png`, which hold no sound; older ones are replaced.
        controls: what is asked of the performance; None is the paper's defaults.
        driving: motion that drives the face; what it leaves moves by the voice, or
            stays as in the portrait where there is none. The video is as long as the
            shorter of both.
        motion_output: file to write the motion that is shown to: of `motion_files`, or
            a CSV of ARKit's weights; None writes none.
        checkpoint: folder of both models; None is the one of the package.
        audio_weights: file of the audio encoder's weights, where the checkpoint asks
            for one; None takes the one in its folder, if any.
        image_size: side of the face's frames, pixels; None is the checkpoint's.
        background: what stands behind the person; None is the picture's own.
        show_whole_picture: whether the video shows the whole picture, with the face
            laid back into it, rather than the face's crop.
        frame_rate_hz: frames a second, 24 to 60.
        face: what `checkpoint`, `audio_weights` and `image_size` give, where it is
            loaded already; None loads it. See `many_files`.
        seal: what says in the video that it is generated; None says nothing.
        warn: called with a sentence where something is worth knowing.
        progress: called with the frames done and the frames in all, 0 if that is not
            known.

    Returns:
        How many frames were written.

    Raises:
        UserError: a file or a control cannot be used.
    """
    controls = controls or Controls()
    config.require(
        voice is not None or driving is not None,
        "There is neither a voice nor motion; give one.",
    )
    files = [name for name in (image, voice) if isinstance(name, str | os.PathLike)]
    is_transparent = background is not None and background.is_transparent
    is_composite = canvas.is_composite(background, show_whole_picture)
    media.check_video_path(output, inputs=files, has_alpha=is_transparent)
    frame_rate.check(frame_rate_hz)
    if motion_output is not None:
        motion_recorder.check_path(motion_output)
    picture = media.read_image(image)
    motion_stream.check_controls(controls, *trained.load_motion_configs(checkpoint))
    is_spoken = voice is not None and not (driving and driving.is_whole)
    config.require(
        is_spoken or not controls.steering,
        f"{', '.join(controls.steering)} can be asked where a voice makes motion, and "
        "here it makes none; leave it out.",
    )
    num_samples, samples = _read_voice(voice, warn)
    num_at_25 = num_samples // types.SAMPLES_PER_FRAME
    if driving is not None:
        num_at_25 = min(driving.num_frames, num_at_25 if is_spoken else math.inf)
    num_frames = frame_rate.num_frames(num_at_25, frame_rate_hz)
    if face is None:
        face = talking_face.TalkingFace.from_checkpoint(
            checkpoint, audio_weights, image_size
        )
    shown = canvas.prepare(face, picture, background, show_whole_picture, warn)
    # The writer follows the stream by no more than a piece and a window.
    spoken, written = itertools.tee(samples) if is_spoken else (None, samples)
    motion = _move(face, shown.portrait, spoken, controls, driving)
    mark = sealing.marker(seal)
    with (
        media.open_writer(
            output,
            shown.height,
            shown.width,
            waveform=written,
            frame_rate_hz=frame_rate_hz,
            has_alpha=is_transparent,
            finish=sealing.finisher(seal, is_composite, warn),
        ) as writer,
        motion_recorder.recorded(motion, motion_output, face.editor) as motion,
    ):
        progress(0, num_frames)
        for frames in face.render(shown.portrait, motion, frame_rate_hz):
            writer.write(mark(shown.show(frames)))
            progress(writer.num_frames, num_frames)
        config.require(
            not is_spoken or writer.num_frames > 0,
            f"The voice is shorter than {types.SAMPLES_PER_FRAME} samples at 16 kHz, "
            "one frame; give a longer one.",
        )
    return writer.num_frames


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
