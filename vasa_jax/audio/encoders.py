"""The audio encoders by name.

Ours: names stand in configs and checkpoints, so that an animation uses the encoder
that its motion model was trained with.
"""

import os

from vasa_jax import errors
from vasa_jax.audio import mel, wav2vec2_encoder, weights_file, whisper, windows

AudioEncoder = windows.AudioEncoder

_ENCODERS = {"mel": mel.MelEncoder, "whisper_tiny": whisper.WhisperEncoder}

WITH_WEIGHTS_FILE = (wav2vec2_encoder.NAME,)
"""Names of those whose weights do not come with the package."""

NAMES = (*_ENCODERS, *WITH_WEIGHTS_FILE)
"""Names that `make` takes."""


def make(
    name: str,
    weights: str | os.PathLike[str] | None = None,
    needed: weights_file.WeightsFile | None = None,
) -> AudioEncoder:
    """Return the encoder of that name, in its published form.

    Ours: one call for configs; `load_variables` of the result reads its weights.

    Args:
        name: one of `NAMES`.
        weights: file of the weights, for those of `WITH_WEIGHTS_FILE`; None where the
            encoder is only asked for its sizes.
        needed: which file a checkpoint was trained with; None where nothing was yet.

    Returns:
        An `AudioEncoder`.

    Raises:
        UserError: no such name, or weights for an encoder that brings its own.
    """
    if name not in NAMES:
        raise errors.UserError(
            f"There is no audio encoder {name!r}; choose one of {', '.join(NAMES)}."
        )
    if name in WITH_WEIGHTS_FILE:
        return wav2vec2_encoder.Wav2Vec2Encoder(weights=weights, needed=needed)
    if weights is not None:
        raise errors.UserError(
            f"The audio encoder {name!r} brings its own weights; leave out "
            f"{os.fspath(weights)!r}, which is for {', '.join(WITH_WEIGHTS_FILE)}."
        )
    return _ENCODERS[name]()
