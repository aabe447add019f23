"""The audio encoders by name.

Ours: names stand in configs and checkpoints, so that an animation uses the encoder
that its motion model was trained with.
"""

from vasa_jax import errors
from vasa_jax.audio import mel, whisper, windows

AudioEncoder = windows.AudioEncoder

_ENCODERS = {"mel": mel.MelEncoder, "whisper_tiny": whisper.WhisperEncoder}

NAMES = tuple(_ENCODERS)
"""Names that `make` takes."""


def make(name: str) -> AudioEncoder:
    """Return the encoder of that name, in its published form.

    Ours: one call for configs; `load_variables` of the result reads its weights.

    Args:
        name: one of `NAMES`.

    Returns:
        An `AudioEncoder`.

    Raises:
        UserError: no such name.
    """
    if name not in _ENCODERS:
        raise errors.UserError(
            f"There is no audio encoder {name!r}; choose one of {', '.join(NAMES)}."
        )
    return _ENCODERS[name]()
