"""The public names of vasa_jax, each imported when it is first used.

Ours: imported late, so that `import vasa_jax` takes milliseconds and a program that
only reads a config does not wait for jax.
"""

import importlib
from typing import Any

_HOME_OF_NAME = {
    "FaceModel": "vasa_jax.face.model",
    "MotionDenoiser": "vasa_jax.motion.denoiser",
    "TalkingFace": "vasa_jax.animate.talking_face",
    "load": "vasa_jax.animate.trained",
}

__all__ = ["FaceModel", "MotionDenoiser", "TalkingFace", "load"]


def __getattr__(name: str) -> Any:
    """Import a public name from its module."""
    if name not in _HOME_OF_NAME:
        raise AttributeError(f"module 'vasa_jax' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME_OF_NAME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
