"""Sound in, features of each video frame out: waveforms, encoders, streams."""

from vasa_jax.audio.encoders import NAMES, make
from vasa_jax.audio.streaming import StreamCarry, StreamingFeatures
from vasa_jax.audio.waveform import MIN_SECONDS, load_waveform
from vasa_jax.audio.windows import AudioEncoder, WindowGrid

__all__ = [
    "MIN_SECONDS",
    "NAMES",
    "AudioEncoder",
    "StreamCarry",
    "StreamingFeatures",
    "WindowGrid",
    "load_waveform",
    "make",
]
