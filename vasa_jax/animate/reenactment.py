"""From a picture file and a driving video file to a video file."""

import os
from collections.abc import Callable

from vasa_jax import audio, media, types
from vasa_jax.animate import talking_face, whole_picture

Path = str | os.PathLike[str]


def reenact_files(
    image: Path,
    video: Path,
    output: Path,
    *,
    checkpoint: Path | None = None,
    audio_weights: Path | None = None,
    image_size: int | None = None,
    show_whole_picture: bool = False,
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
        output: the mp4 to write; an older one is replaced.
        checkpoint, audio_weights, image_size: as of `files.animate_files`.
        show_whole_picture: whether the video shows the whole picture, with the face
            laid back into it, rather than the face's crop.
        warn: called with a sentence where something is worth knowing.
        progress: called with the frames done and the frames in all, as the video tells
            its length; 0 where it does not.

    Returns:
        How many frames were written.

    Raises:
        UserError: a file cannot be used, or no face is found in one of them.
    """
    media.check_video_path(output, inputs=(image, video))
    picture = media.read_image(image)
    driver = media.probe_video(video)
    num_frames = round(driver.duration_seconds * types.FRAME_RATE_HZ)
    face = talking_face.TalkingFace.from_checkpoint(
        checkpoint, audio_weights, image_size
    )
    portrait = face.locate(picture)
    if portrait.warning:
        warn(portrait.warning)
    height = width = face.image_size
    if show_whole_picture:
        whole = whole_picture.fit(picture, portrait.box)
        height, width = whole.image.shape[:2]
    sound = audio.iterate_waveform(video, warn) if driver.has_sound else None
    with media.VideoWriter(output, height, width, waveform=sound) as writer:
        progress(0, num_frames)
        for frames in face.reenact(portrait, media.iterate_video(video, warn=warn)):
            writer.write(whole.with_faces(frames) if show_whole_picture else frames)
            progress(writer.num_frames, max(num_frames, writer.num_frames))
    return writer.num_frames
