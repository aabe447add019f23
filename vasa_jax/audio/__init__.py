"""Sound in, features of each video frame out: waveforms, encoders, streams.

Ours: each name is imported when it is first used, so that features are computed where
there is no FFmpeg to load files with.
"""

import importlib
from typing import Any

_HOME_OF_NAME = {
    "MIN_SECONDS": "waveform",
    "NAMES": "encoders",
    "AudioEncoder": "windows",
    "StreamCarry": "streaming",
    "StreamingFeatures": "streaming",
    "WindowGrid": "windows",
    "count_samples": "waveform",
    "iterate_waveform": "waveform",
    "load_waveform": "waveform",
    "make": "encoders",
}

__all__ = sorted(_HOME_OF_NAME)


def __getattr__(name: str) -> Any:
    """Import a public name from its module."""
    if name not in _HOME_OF_NAME:
        raise AttributeError(f"module 'vasa_jax.audio' has no attribute {name!r}")
    module = importlib.import_module(f"vasa_jax.audio.{_HOME_OF_NAME[name]}")
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted(__all__)
