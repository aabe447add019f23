"""Read photographs of the usual formats as they are meant to be seen; write images."""

import fractions
import io
import os
import pathlib
import stat

import av
import numpy as np
from av.video.reformatter import Interpolation

from vasa_jax import errors
from vasa_jax.media import image_header, partial_file

MAX_PIXELS = 64_000_000
"""Ours: more than any phone's photo; decoded it takes 192 MB."""

MAX_FILE_BYTES = 600_000_000
"""Ours: 64 megapixels of 16-bit RGBA without compression take 512 MB; the rest is room
for what cameras and editors write beside the pixels."""

ALPHA_BACKGROUND = 128
"""Ours: transparent pixels show mid-grey, the zero of images in [-1, 1]."""

CONVERSION = Interpolation.BICUBIC | Interpolation.ACCURATE_RND
CONVERSION |= Interpolation.FULL_CHR_H_INT
"""Ours: swscale's exact chroma arithmetic; its default is off by several levels."""

_STILL_CODECS = {
    "png": "png",
    "jpeg": "mjpeg",
    "webp": "webp",
    "bmp": "bmp",
    "tiff": "tiff",
}
_CONTAINERS = {"gif": "gif", "avif": "mov"}
_READABLE = "PNG, JPEG, WebP, BMP, TIFF, GIF or AVIF"
_ENCODERS = {
    ".png": ("png", "rgb24", {}),
    ".jpg": ("mjpeg", "yuvj444p", {"qmin": "1", "qmax": "1"}),
    ".jpeg": ("mjpeg", "yuvj444p", {"qmin": "1", "qmax": "1"}),
}


def read_image(path: str | os.PathLike[str]) -> np.ndarray:
    """Read an image file, upright and without transparency.

    Ours: PNG, JPEG, WebP, BMP, TIFF, GIF and AVIF (first picture) through FFmpeg;
    EXIF orientation applied, grey and palette turned to RGB, transparency laid over
    mid-grey.

    Args:
        path: the file; its suffix is not looked at.

    Returns:
        uint8 `[H, W, 3]`, RGB.

    Raises:
        UserError: the file is missing, no image, broken, over 64 megapixels or 600 MB,
            or no regular file (a pipe or a device, which may never end).
    """
    path = pathlib.Path(path)
    try:
        status = path.stat()
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            raise errors.UserError(
                f"Cannot read the image {path}: it is a pipe or a device; give a file."
            )
        if status.st_size > MAX_FILE_BYTES:
            raise errors.UserError(
                f"The image {path} has {status.st_size:,} bytes; at most "
                f"{MAX_FILE_BYTES // 1_000_000} MB are read, so save it as PNG or JPEG."
            )
        data = path.read_bytes()
    except OSError as error:
        raise errors.UserError(
            f"Cannot read the image {path}: {error.strerror}."
        ) from error
    return decode_image(data, name=str(path))


def decode_image(data: bytes, name: str = "given as bytes") -> np.ndarray:
    """Decode an image held in memory; otherwise as `read_image`.

    Ours: records and servers hold images as bytes.

    Args:
        data: the whole file.
        name: what the error sentences call it.

    Returns:
        uint8 `[H, W, 3]`, RGB.

    Raises:
        UserError: no image, broken, or over 64 megapixels.
    """
    header = image_header.read(data)
    if header is None:
        raise errors.UserError(
            f"The image {name} is not one that can be read; give {_READABLE}."
        )
    if header.width * header.height > MAX_PIXELS:
        raise errors.UserError(
            f"The image {name} has {header.width} x {header.height} pixels; at most "
            f"{MAX_PIXELS // 1_000_000} megapixels are read, so make it smaller."
        )
    try:
        frame = _decode_first_frame(data, header)
    except (av.error.FFmpegError, ValueError) as error:
        raise errors.UserError(
            f"The image {name} is broken and cannot be decoded; save it again as "
            "PNG or JPEG."
        ) from error
    return _orient(_to_rgb(frame), header.orientation)


def _decode_first_frame(data: bytes, header: image_header.ImageHeader):
    limit = {"max_pixels": str(MAX_PIXELS)}
    if header.format in _CONTAINERS:
        with av.open(io.BytesIO(data), format=_CONTAINERS[header.format]) as container:
            stream = container.streams.video[0]
            stream.codec_context.options = limit
            frames = [next(container.decode(stream))]
    else:
        decoder = av.CodecContext.create(_STILL_CODECS[header.format], "r")
        decoder.options = limit
        frames = decoder.decode(av.Packet(data)) + decoder.decode(None)
    if not frames or frames[0].is_corrupt or header.is_cut_off:
        raise ValueError("no whole picture")
    return frames[0]


def _to_rgb(frame: av.VideoFrame) -> np.ndarray:
    has_alpha = frame.format.has_palette or any(
        component.is_alpha for component in frame.format.components
    )
    pixels = frame.to_ndarray(
        format="rgba" if has_alpha else "rgb24", interpolation=CONVERSION
    )
    if not has_alpha:
        return pixels
    alpha = pixels[..., 3:].astype(np.uint16)
    blended = pixels[..., :3] * alpha + ALPHA_BACKGROUND * (255 - alpha)
    return ((blended + 127) // 255).astype(np.uint8)


def _orient(image: np.ndarray, orientation: int) -> np.ndarray:
    """Undo the EXIF orientation. Follows: EXIF 2.3, tag 0x0112."""
    if orientation >= 5:
        image = image.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    return np.ascontiguousarray(image)


def write_image(path: str | os.PathLike[str], image: np.ndarray) -> None:
    """Write an image as PNG or JPEG, by the path's suffix.

    Ours: the two formats that every viewer and every README shows.

    Args:
        path: ends in .png, .jpg or .jpeg.
        image: uint8 `[H, W, 3]`, RGB.

    Raises:
        UserError: another suffix, or the place cannot be written.
    """
    check_pixels(image, num_dimensions=3)
    suffix = pathlib.Path(path).suffix.lower()
    if suffix not in _ENCODERS:
        raise errors.UserError(
            f"Cannot write the image {path}: the suffix is {suffix!r}; use one of "
            f"{', '.join(_ENCODERS)}."
        )
    codec, pixel_format, options = _ENCODERS[suffix]
    encoder = av.CodecContext.create(codec, "w")
    encoder.height, encoder.width = image.shape[:2]
    encoder.pix_fmt = pixel_format
    encoder.time_base = fractions.Fraction(1)
    encoder.options = options
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
    frame = frame.reformat(format=pixel_format, interpolation=CONVERSION)
    packets = encoder.encode(frame) + encoder.encode(None)
    with partial_file.written_beside(path) as partial:
        partial.write_bytes(b"".join(bytes(packet) for packet in packets))


def check_pixels(pixels: np.ndarray, *, num_dimensions: int) -> None:
    """Raise a `ValueError` unless `pixels` is uint8 RGB with so many axes.

    Ours: a float image passed by mistake would be written as noise.

    Args:
        pixels: an image (3 axes) or frames (4 axes).
        num_dimensions: 3 or 4.

    Raises:
        ValueError: with the dtype and shape that were given.
    """
    is_rgb = pixels.ndim == num_dimensions and pixels.shape[-1] == 3
    if pixels.dtype != np.uint8 or not is_rgb:
        raise ValueError(
            f"pixels must be uint8 [{'T, ' * (num_dimensions - 3)}H, W, 3]; "
            f"got {pixels.dtype} {list(pixels.shape)}"
        )
