"""What an image's first bytes say: format, size and orientation, without decoding.

Ours: reading the header ourselves refuses an image bomb before memory is spent, and
finds the EXIF orientation of phone photos, which FFmpeg's decoders do not apply.
"""

import dataclasses
import struct
from collections.abc import Iterator

_EXIF_PREFIX = b"Exif\0\0"
_TIFF_WIDTH, _TIFF_HEIGHT, _TIFF_ORIENTATION = 256, 257, 274
_TIFF_COMPRESSION, _TIFF_JPEG_COMPRESSIONS = 259, (6, 7)
_TIFF_INTEGERS = {3: "H", 4: "I"}
_JPEG_END = b"\xff\xd9"
_JPEG_FRAME_MARKERS = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE_MARKERS = {0x01, *range(0xD0, 0xD9)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImageHeader:
    """Format and stored size of an image.

    Attributes:
        format: one of png, jpeg, webp, bmp, tiff, gif, avif.
        width: stored pixels a row, before the orientation is applied.
        height: stored rows.
        orientation: EXIF orientation, 1 (upright) to 8.
        is_cut_off: the end mark is missing; told for JPEG and GIF, whose decoders
            paint the missing part grey without a word.
    """

    format: str
    width: int
    height: int
    orientation: int = 1
    is_cut_off: bool = False


def read(data: bytes) -> ImageHeader | None:
    """Read the header of an image file.

    Follows: the formats' own specifications (PNG, JPEG/EXIF, WebP, BMP, TIFF, GIF).

    Args:
        data: the whole file.

    Returns:
        The header, or None where the format is not known or the header is broken.
    """
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _read_png(data)
        if data.startswith(b"\xff\xd8\xff"):
            return _read_jpeg(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _read_webp(data)
        if data.startswith(b"BM"):
            return _read_bmp(data)
        if data[:4] in (b"II*\0", b"MM\0*"):
            return _read_tiff(data)
        if data[:6] in (b"GIF87a", b"GIF89a"):
            header = _header("gif", *struct.unpack_from("<HH", data, 6))
            is_cut_off = not data.rstrip(b"\0").endswith(b";")
            return dataclasses.replace(header, is_cut_off=is_cut_off)
        if data[4:12] in (b"ftypavif", b"ftypavis"):
            return _read_avif(data)
    except (struct.error, KeyError, IndexError, ValueError):
        return None
    return None


def _header(format: str, width: int, height: int, orientation: int = 1) -> ImageHeader:
    if width < 1 or height < 1:
        raise ValueError(f"{width} x {height} is no size")
    return ImageHeader(
        format=format, width=width, height=height, orientation=orientation
    )


def _tiff_tags(block: bytes) -> dict[int, int]:
    """Return the single integers of a TIFF block's first directory."""
    order = "<" if block[:2] == b"II" else ">"
    (start,) = struct.unpack_from(order + "I", block, 4)
    (num_entries,) = struct.unpack_from(order + "H", block, start)
    tags = {}
    for entry in range(num_entries):
        offset = start + 2 + 12 * entry
        tag, kind, count = struct.unpack_from(order + "HHI", block, offset)
        if kind in _TIFF_INTEGERS and count == 1:
            (tags[tag],) = struct.unpack_from(
                order + _TIFF_INTEGERS[kind], block, offset + 8
            )
    return tags


def _orientation(tags: dict[int, int]) -> int:
    orientation = tags.get(_TIFF_ORIENTATION, 1)
    return orientation if 1 <= orientation <= 8 else 1


def _exif_orientation(block: bytes) -> int:
    """Return the orientation of an EXIF block; a broken block says nothing: 1."""
    try:
        return _orientation(_tiff_tags(block.removeprefix(_EXIF_PREFIX)))
    except struct.error:
        return 1


def _read_tiff(data: bytes) -> ImageHeader:
    tags = _tiff_tags(data)
    if tags.get(_TIFF_COMPRESSION) in _TIFF_JPEG_COMPRESSIONS:
        raise ValueError("FFmpeg gets the colours of JPEG inside TIFF wrong")
    return _header("tiff", tags[_TIFF_WIDTH], tags[_TIFF_HEIGHT], _orientation(tags))


def _read_png(data: bytes) -> ImageHeader:
    width, height = struct.unpack_from(">II", data, 16)
    orientation, offset = 1, 8
    while offset + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, offset)
        if kind == b"eXIf":
            orientation = _exif_orientation(data[offset + 8 : offset + 8 + length])
        offset += 12 + length
    return _header("png", width, height, orientation)


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yield marker, content and end of each segment."""
    offset = 2
    while True:
        while data[offset] != 0xFF:
            offset += 1
        while data[offset] == 0xFF:
            offset += 1
        marker = data[offset]
        offset += 1
        if marker in _JPEG_BARE_MARKERS:
            continue
        (length,) = struct.unpack_from(">H", data, offset)
        yield marker, data[offset + 2 : offset + length], offset + length
        offset += length


def _read_jpeg(data: bytes) -> ImageHeader:
    orientation = 1
    for marker, segment, end in _jpeg_segments(data):
        if marker == 0xE1 and segment.startswith(_EXIF_PREFIX):
            orientation = _exif_orientation(segment)
        if marker in _JPEG_FRAME_MARKERS:
            height, width = struct.unpack_from(">HH", segment, 1)
            header = _header("jpeg", width, height, orientation)
            is_cut_off = data.find(_JPEG_END, end) < 0
            return dataclasses.replace(header, is_cut_off=is_cut_off)
    raise ValueError("no frame")


def _read_webp(data: bytes) -> ImageHeader:
    size, orientation, offset = (0, 0), 1, 12
    while offset + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, offset)
        chunk = data[offset + 8 : offset + 8 + length]
        if kind == b"VP8X":
            size = (
                1 + int.from_bytes(chunk[4:7], "little"),
                1 + int.from_bytes(chunk[7:10], "little"),
            )
        elif kind == b"VP8 " and size == (0, 0):
            width, height = struct.unpack_from("<HH", chunk, 6)
            size = width & 0x3FFF, height & 0x3FFF
        elif kind == b"VP8L" and size == (0, 0):
            (bits,) = struct.unpack_from("<I", chunk, 1)
            size = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        elif kind == b"EXIF":
            orientation = _exif_orientation(chunk)
        offset += 8 + length + length % 2
    return _header("webp", *size, orientation)


def _read_bmp(data: bytes) -> ImageHeader:
    (header_size,) = struct.unpack_from("<I", data, 14)
    layout = "<HH" if header_size == 12 else "<ii"
    width, height = struct.unpack_from(layout, data, 18)
    return _header("bmp", width, abs(height))


def _read_avif(data: bytes) -> ImageHeader:
    """Take the largest of the extents that the file's items declare."""
    extents, offset = [], data.find(b"ispe")
    while offset >= 0:
        extents.append(struct.unpack_from(">II", data, offset + 8))
        offset = data.find(b"ispe", offset + 4)
    width, height = max(extents, key=lambda extent: extent[0] * extent[1])
    return _header("avif", width, height)
