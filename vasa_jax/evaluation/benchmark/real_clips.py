"""Clips to measure on, out of real pictures and real talking heads."""

import itertools
import os
import pathlib

import numpy as np

from vasa_jax import audio, errors, media, types
from vasa_jax.animate.controls import Controls
from vasa_jax.evaluation.benchmark import performer
from vasa_jax.evaluation.metrics import lip_movement, speaking
from vasa_jax.portrait import crop

IMAGE_FOLDER, CLIP_FOLDER = "portraits", "talking_heads"
"""Where a folder of real data holds pictures, and videos with sound."""


def find(folder: str | os.PathLike[str], name: str, wanted: int) -> list[pathlib.Path]:
    """Return at most some files of a subfolder, in order.

    Raises:
        UserError: there are none.
    """
    place = pathlib.Path(folder) / name
    files = sorted(path for path in place.glob("*") if path.is_file())[:wanted]
    if not files:
        raise errors.UserError(
            f"There are no files in {str(place)!r}; give a folder with {IMAGE_FOLDER} "
            f"and {CLIP_FOLDER}."
        )
    return files


def spoken_clip(
    path: pathlib.Path, actor: performer.Performer, seconds: float, seed: int
) -> speaking.SpokenClip:
    """Read a talking head whose first frame shall say what it says.

    Args:
        path: video with sound.
        actor: the checkpoint.
        seconds: of it, at most.
        seed: of the performance.

    Raises:
        UserError: no sound, or no face in the first frame.
    """
    waveform = audio.load_waveform(path)
    most = min(
        round(seconds * types.FRAME_RATE_HZ), len(waveform) // types.SAMPLES_PER_FRAME
    )
    frames = list(itertools.islice(media.iterate_video(path), most))
    portrait = actor.locate(frames[0])
    size = actor.image_size
    cut = np.stack([crop.extract(frame, portrait.box, size) for frame in frames])
    truth = performer.follow(cut)
    waveform = waveform[: len(frames) * types.SAMPLES_PER_FRAME]
    return speaking.SpokenClip(
        portrait=portrait,
        waveform=waveform,
        controls=Controls(seed=seed),
        truth=truth,
        opening=truth.opening,
        is_silent=lip_movement.silent_frames(waveform),
    )
