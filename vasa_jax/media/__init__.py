"""Images and videos in and out of uint8 arrays, through FFmpeg (PyAV) alone."""

from vasa_jax.media.image import decode_image, read_image, write_image
from vasa_jax.media.partial_file import written_beside
from vasa_jax.media.video_reader import (
    VideoInfo,
    decode_video,
    iterate_video,
    probe_video,
)
from vasa_jax.media.video_writer import VideoWriter, encode_video

__all__ = [
    "VideoInfo",
    "VideoWriter",
    "decode_image",
    "decode_video",
    "encode_video",
    "iterate_video",
    "probe_video",
    "read_image",
    "write_image",
    "written_beside",
]
