"""From a picture file and a sound file to a video file."""

import os
from collections.abc import Callable

from vasa_jax import audio, media, types
from vasa_jax.pipeline import talking_face
from vasa_jax.pipeline.controls import Controls

Path = str | os.PathLike[str]


def animate_files(
    image: Path,
    audio_file: Path,
    output: Path,
    *,
    controls: Controls | None = None,
    checkpoint: Path | None = None,
    audio_weights: Path | None = None,
    warn: Callable[[str], None] = lambda sentence: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Animate the portrait of one file by the voice of another.

    Ours: the cheap checks come first, so that a mistake is told at once, and the output
    appears only when it is whole.

    Args:
        image: a picture with one clear face, in a usual format.
        audio_file: a voice, in any format that FFmpeg reads.
        output: the mp4 to write; an older one is replaced.
        controls: what is asked of the performance; None is the paper's defaults.
        checkpoint: folder of both models; None is the one of the package.
        audio_weights: file of the audio encoder's weights, where the checkpoint asks
            for one; None takes the one in its folder, if any.
        warn: called with a sentence where something is worth knowing.
        progress: called with the frames done and the frames in all.

    Returns:
        How many frames were written.

    Raises:
        UserError: a file or a control cannot be used.
    """
    picture = media.read_image(image)
    waveform = audio.load_waveform(audio_file)
    face = talking_face.TalkingFace.from_checkpoint(checkpoint, audio_weights)
    num_frames = len(waveform) // types.SAMPLES_PER_FRAME
    size = face.image_size
    with media.VideoWriter(output, size, size, waveform=waveform) as writer:
        progress(0, num_frames)
        portrait = face.locate(picture)
        if portrait.warning:
            warn(portrait.warning)
        for frames in face.animate(portrait, waveform, controls):
            writer.write(frames)
            progress(writer.num_frames, num_frames)
    return num_frames
