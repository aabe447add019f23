"""Write PNG pictures without FFmpeg."""

import os
import struct
import zlib

import numpy as np

from vasa_jax.media import partial_file

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TRUE_COLOUR = 2


def write_png(path: str | os.PathLike[str], image: np.ndarray) -> None:
    """Write an image as PNG. Follows: PNG specification, third edition, section 5.

    Ours: reports are also written on machines that train without FFmpeg.

    Args:
        path: ends in `.png`.
        image: uint8 `[H, W, 3]`, RGB.

    Raises:
        ValueError: another dtype or shape.
        UserError: the place cannot be written.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(
            f"pixels must be uint8 [H, W, 3]; got {image.dtype} {list(image.shape)}"
        )
    height, width = image.shape[:2]
    # The first byte of a row names its filter: 0, none.
    rows = np.pad(image.reshape(height, -1), ((0, 0), (1, 0)))
    header = struct.pack(">IIBBBBB", width, height, 8, _TRUE_COLOUR, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    with partial_file.written_beside(path) as partial:
        partial.write_bytes(_SIGNATURE + b"".join(_chunk(*chunk) for chunk in chunks))


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return (
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
    )
