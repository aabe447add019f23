"""From a picture file and a sound file to a video file."""

import os
from collections.abc import Callable

from vasa_jax import audio, media, types
from vasa_jax.pipeline import talking_face, whole_picture
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
    show_whole_picture: bool = False,
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
        show_whole_picture: whether the video shows the whole picture, with the face
            laid back into it, rather than the face's crop.
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
    portrait = face.locate(picture)
    if portrait.warning:
        warn(portrait.warning)
    height = width = face.image_size
    if show_whole_picture:
        whole = whole_picture.fit(picture, portrait.box)
        height, width = whole.image.shape[:2]
    with media.VideoWriter(output, height, width, waveform=waveform) as writer:
        progress(0, num_frames)
        for frames in face.animate(portrait, waveform, controls):
            writer.write(whole.with_faces(frames) if show_whole_picture else frames)
            progress(writer.num_frames, num_frames)
    return num_frames
