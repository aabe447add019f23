"""What networks that score voices hear: features of a sound, found once for all."""

import functools

import numpy as np

from vasa_jax.audio import encoders


def features(encoder_name: str, waveform: np.ndarray) -> np.ndarray:
    """Return the features of a voice; do not write into them.

    Ours: the last two sounds are kept, since several networks hear a video and its
    reference, whose sound is often the same.

    Args:
        encoder_name: as of `encoders.make`.
        waveform: `[S]` at 16 kHz.

    Returns:
        float32 `[T, A]`.
    """
    return _features(encoder_name, np.asarray(waveform, np.float32).tobytes())


@functools.lru_cache(maxsize=2)
def _features(encoder_name: str, samples: bytes) -> np.ndarray:
    encoder, variables = _encoder(encoder_name)
    found = encoder.features(variables, np.frombuffer(samples, np.float32)[None])[0]
    found.setflags(write=False)
    return found


@functools.cache
def _encoder(name: str):
    encoder = encoders.make(name)
    return encoder, encoder.load_variables()
