"""Read photographs of the usual formats as they are meant to be seen; write images.

Ours: by Pillow, which knows orientation and colour profiles; FFmpeg, which reads and
writes the videos, knows neither.
"""

import contextlib
import functools
import io
import os
import pathlib
import stat
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms, ImageOps

from vasa_jax import errors
from vasa_jax.media import partial_file

MAX_PIXELS = 64_000_000
"""Ours: more than any phone's photo; decoded it takes 192 MB."""

MAX_FILE_BYTES = 600_000_000
"""Ours: 64 megapixels of 16-bit RGBA without compression take 512 MB; the rest is room
for what cameras and editors write beside the pixels."""

ALPHA_BACKGROUND = 128
"""Ours: transparent pixels show mid-grey, the zero of images in [-1, 1]."""

FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "HEIF")
"""Pillow's names. Ours: what cameras, phones and browsers write, and no more: each
decoder is a way in for damaged files. MPO is a JPEG with several pictures, as some
phones write it."""

_READABLE = "PNG, JPEG, WebP, BMP, TIFF, GIF, AVIF or HEIC"
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc")
_HEIC_HELP = "is HEIC; run `pip install vasa-jax[heic]`, or save it as JPEG."
_SUFFIXES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
# At this quality a change of a level survives; the chroma keeps its resolution.
_JPEG_OPTIONS = {"quality": 97, "subsampling": 0}
# What Pillow's decoders raise for damaged files, besides `OSError`.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    RuntimeError,
    struct.error,
    zlib.error,
)


def read_image(path: str | os.PathLike[str]) -> np.ndarray:
    """Read an image file, upright, in sRGB and without transparency.

    Ours: PNG, JPEG, WebP, BMP, TIFF, GIF and AVIF, and HEIC with the extra `heic`; the
    first picture where there are several. EXIF orientation is applied, a colour profile
    brought to sRGB, grey and palette turned to RGB, transparency laid over mid-grey.

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
    image = _open(data, name)
    if image.width * image.height > MAX_PIXELS:
        raise _too_large(name, f"{image.width} x {image.height} pixels")
    try:
        image.load()
        image = _to_srgb(_upright(image))
    except _DAMAGE as error:
        raise errors.UserError(
            f"The image {name} is broken and cannot be decoded; save it again as PNG "
            "or JPEG."
        ) from error
    return _over_grey(image)


def decode_size(data: bytes, name: str = "given as bytes") -> tuple[int, int]:
    """Read rows and columns of an image held in memory, from its header alone.

    Args:
        data, name: as of `decode_image`.

    Raises:
        UserError: no image, or one of far too many pixels.
    """
    image = _open(data, name)
    return image.height, image.width


def _open(data: bytes, name: str) -> Image.Image:
    """Read the header alone."""
    try:
        return Image.open(io.BytesIO(data), formats=_formats_here())
    except Image.DecompressionBombError as error:
        raise _too_large(name, "far too many pixels") from error
    except _DAMAGE as error:
        is_heic = data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS
        what = f"is not one that can be read; give {_READABLE}."
        raise errors.UserError(
            f"The image {name} {_HEIC_HELP if is_heic else what}"
        ) from error


@functools.cache
def _formats_here() -> list[str]:
    """Return those of `FORMATS` that this installation reads."""
    with contextlib.suppress(ImportError):
        # Of an extra, which only photos of some phones need. Ours: pi-heif, since the
        # wheels of pillow-heif 1.8 hold x265, which is under the GPL, to write files.
        import pi_heif

        pi_heif.register_heif_opener()
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def _too_large(name: str, has: str) -> errors.UserError:
    return errors.UserError(
        f"The image {name} has {has}; at most {MAX_PIXELS // 1_000_000} megapixels are "
        "read, so make it smaller."
    )


def _upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation; a broken EXIF block says nothing."""
    try:
        return ImageOps.exif_transpose(image)
    except _DAMAGE:
        return image


def _to_srgb(image: Image.Image) -> Image.Image:
    """Bring the colours to sRGB, eight bits, with alpha where anything is transparent.

    Ours: a profile that is broken or of other channels is left aside, as browsers do.
    """
    if image.mode.startswith("I;16"):
        # Pillow would cut all above 255 off.
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ValueError("numbers of 32 bits have no known range of brightness")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    profile = image.info.get("icc_profile")
    if not profile:
        return image.convert(mode)
    # A profile is of the channels stored, such as the grey of a grey picture; a
    # palette's are RGB, and so are those beside an alpha.
    if image.mode in ("P", "PA") or mode == "RGBA":
        image = image.convert(mode)
    try:
        return ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode=mode,
        )
    except (ImageCms.PyCMSError, *_DAMAGE):
        return image.convert(mode)


def _over_grey(image: Image.Image) -> np.ndarray:
    """Lay what is transparent over mid-grey."""
    pixels = np.array(image)
    if image.mode == "RGB":
        return pixels
    alpha = pixels[..., 3:].astype(np.uint16)
    blended = pixels[..., :3] * alpha + ALPHA_BACKGROUND * (255 - alpha)
    return ((blended + 127) // 255).astype(np.uint8)


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
    if suffix not in _SUFFIXES:
        raise errors.UserError(
            f"Cannot write the image {path}: the suffix is {suffix!r}; use one of "
            f"{', '.join(_SUFFIXES)}."
        )
    options = _JPEG_OPTIONS if _SUFFIXES[suffix] == "JPEG" else {}
    with partial_file.written_beside(path) as partial:
        Image.fromarray(np.ascontiguousarray(image)).save(
            partial, _SUFFIXES[suffix], **options
        )


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


def check_frames(frames: np.ndarray, height: int, width: int, channels: int) -> None:
    """Raise a `ValueError` unless frames are uint8 `[T, height, width, channels]`.

    Args:
        frames: as a writer was given them.
        height, width: that it was told.
        channels: 3, or 4 with alpha.

    Raises:
        ValueError: with the dtype and shape that were given.
    """
    check_pixels(frames[..., :3], num_dimensions=4)
    if frames.shape[1:] != (height, width, channels):
        raise ValueError(
            f"frames must be [T, {height}, {width}, {channels}]; got "
            f"{list(frames.shape)}"
        )
