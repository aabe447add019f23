"""The voice of a clip as a microphone or a call has it, in a share of the clips.

Ours: sound that arrives is not sound as it was spoken, and lips must not differ. The
motion of the clip stays that of the clean voice.
"""

import zlib

import numpy as np

from vasa_jax.audio import degradations
from vasa_jax.data import records
from vasa_jax.encode import encoding

_SOUND_STREAM = 53
"""Of chance, apart from those of performances."""


def heard(record: records.Record, seed: int, share: float) -> np.ndarray:
    """Return the voice of a performance, changed on its way in a share of them.

    Args:
        record: with `audio` `[S]`, its `performance` and `num_frames`.
        seed: of the set; the same performance is always changed the same way.
        share: 0 to 1.

    Returns:
        float32 `[640 T]`.
    """
    name = zlib.crc32(record["performance"].encode())
    generator = np.random.default_rng([seed, name, _SOUND_STREAM])
    waveform = encoding.to_waveform(record["audio"], record["num_frames"])
    return degradations.change_some(waveform, share, generator)
