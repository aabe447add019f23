"""Pictures (Pillow) and videos (FFmpeg, by PyAV) in and out of uint8 arrays.

Ours: each name is imported when it is first used, so that who reads and writes pictures
alone does not load FFmpeg.
"""

import importlib
from typing import Any

_HOME_OF_NAME = {
    "VideoInfo": "video_reader",
    "VideoWriter": "video_writer",
    "check_place": "partial_file",
    "check_video_path": "video_writer",
    "count_frames": "video_reader",
    "decode_image": "image",
    "decode_size": "image",
    "decode_video": "video_reader",
    "encode_video": "video_writer",
    "iterate_video": "video_reader",
    "open_writer": "video_writer",
    "probe_video": "video_reader",
    "read_image": "image",
    "write_image": "image",
    "written_beside": "partial_file",
}

__all__ = sorted(_HOME_OF_NAME)


def __getattr__(name: str) -> Any:
    """Import a public name from its module."""
    if name not in _HOME_OF_NAME:
        raise AttributeError(f"module 'vasa_jax.media' has no attribute {name!r}")
    module = importlib.import_module(f"vasa_jax.media.{_HOME_OF_NAME[name]}")
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted(__all__)
