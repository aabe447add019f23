"""From a portrait and a checkpoint to faces that can be begun, whoever shows them."""

import os
import pathlib

from vasa_jax import compilation_cache, media
from vasa_jax.animate import controls, motion_stream, talking_face, trained
from vasa_jax.live import limits, sessions
from vasa_jax.provenance import sealing

DEFAULT_PORTRAIT = pathlib.Path(__file__).parent / "page" / "portrait.jpg"
"""The example of the repository: a rendered person who does not exist."""

NUM_STEPS = 8
"""Steps of the sampler in each step of a stream. Ours: with `demo`, three voices, lips
follow those of 50 steps with a correlation of 0.991, with 10 steps 0.994, and heads
move as far and lids close as often within 1 %; with 6, heads move by 4 % less."""

MARKED = sealing.Seal()
"""Frames carry the watermark."""


def open_sessions(
    portrait: str | os.PathLike[str] | None = None,
    *,
    checkpoint: str | None = None,
    audio_weights: str | None = None,
    image_size: int = 512,
    num_steps: int = NUM_STEPS,
    allowed: limits.Limits | None = None,
    seal: sealing.Seal | None = MARKED,
) -> sessions.Sessions:
    """Load the models for faces that live; `warm_up` of the result compiles them.

    Args:
        portrait: a picture with one face; None is a person who does not exist.
        checkpoint: folder of both models; None is the one that ships.
        audio_weights: of the audio encoder, if it needs a file.
        image_size: side of the face's frames, pixels.
        num_steps: of the sampler in each step of a stream.
        allowed: how many faces live at once, and all other limits; None are the usual.
        seal: what says in the frames that they are generated; None says nothing.

    Raises:
        UserError: a file cannot be used, or the checkpoint cannot sample in so many
            steps, or not live.
    """
    picture = media.read_image(portrait or DEFAULT_PORTRAIT)
    compilation_cache.enable()
    models = trained.load(checkpoint, audio_weights, image_size)
    motion_stream.check_controls(
        controls.Controls(num_steps=num_steps, step_frames=sessions.STEP_FRAMES),
        models.motion_config,
        models.animation,
    )
    # A frame at a time: in twos or fives each takes as long, and the first waits.
    face = talking_face.TalkingFace(models, batch_frames=1)
    return sessions.Sessions(
        face, picture, allowed or limits.Limits(), num_steps=num_steps, seal=seal
    )
