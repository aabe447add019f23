"""Photographic and painterly filters, the same for all frames of an identity."""

import dataclasses
import io

import numpy as np
from PIL import Image, ImageFilter

REFERENCE_SIZE = 128
"""Edge length at which blur radii count in pixels."""


@dataclasses.dataclass(frozen=True)
class PhotoFilter:
    """What happens to a picture after rendering, in this order.

    Attributes:
        painterly: "none", "oil", "posterized", "outlined" or "smeared".
        matrix: float32 `[3, 3]` mix of colour channels; offset: `[3]`.
        gamma: exponent of the tone curve; contrast: slope about mid grey.
        vignette: darkening of the corners, 0 to 1.
        blur: standard deviation, pixels of a picture of `REFERENCE_SIZE`.
        sharpness: strength of an unsharp mask.
        noise: standard deviation, levels in [0, 1]; new in every frame.
        quality: JPEG quality, or None.
    """

    painterly: str
    matrix: np.ndarray
    offset: np.ndarray
    gamma: float
    contrast: float
    vignette: float
    blur: float
    sharpness: float
    noise: float
    quality: int | None


PAINTERLY = ("oil", "posterized", "outlined", "smeared")


def develop(photo: PhotoFilter, image: np.ndarray, frame_seed: int) -> np.ndarray:
    """Apply a filter to one frame.

    Ours: every step is local or moves with the picture, so that what a filter draws
    on a face stays on the face.

    Args:
        photo: what to do.
        image: uint8 `[H, W, 3]`.
        frame_seed: of the noise.

    Returns:
        uint8 `[H, W, 3]`.
    """
    size = image.shape[0]
    picture = _painted(photo.painterly, Image.fromarray(image), size)
    blur = photo.blur * size / REFERENCE_SIZE
    if blur > 0.05:
        picture = picture.filter(ImageFilter.GaussianBlur(blur))
    if photo.sharpness > 0.05:
        percent = int(100 * photo.sharpness)
        picture = picture.filter(ImageFilter.UnsharpMask(1.5, percent, 2))
    values = np.asarray(picture, np.float32) / 255
    values = values @ photo.matrix.T + photo.offset
    values = np.clip(values, 0.0, 1.0) ** photo.gamma
    values = 0.5 + (values - 0.5) * photo.contrast
    if photo.vignette > 0:
        values = values * _vignette(size, photo.vignette)
    if photo.noise > 0:
        generator = np.random.default_rng([frame_seed, 31])
        grain = generator.standard_normal(values.shape, np.float32)
        values = values + photo.noise * grain
    developed = (np.clip(values, 0.0, 1.0) * 255 + 0.5).astype(np.uint8)
    if photo.quality is not None:
        developed = _compressed(developed, photo.quality)
    return developed


def _painted(painterly, picture, size):
    scale = max(1, size // REFERENCE_SIZE)
    if painterly == "oil":
        return picture.filter(ImageFilter.MedianFilter(2 * scale + 1))
    if painterly == "posterized":
        smooth = picture.filter(ImageFilter.GaussianBlur(0.8 * scale))
        return smooth.quantize(14, Image.Quantize.FASTOCTREE).convert("RGB")
    if painterly == "outlined":
        grey = picture.convert("L").filter(ImageFilter.GaussianBlur(0.7 * scale))
        values = np.asarray(grey, np.float32)
        down, right = np.gradient(values)
        edges = np.clip(1.25 - np.hypot(down, right) * scale / 18, 0.1, 1.0)
        smooth = picture.filter(ImageFilter.MedianFilter(3))
        inked = np.asarray(smooth, np.float32) * edges[..., None]
        return Image.fromarray(inked.astype(np.uint8))
    if painterly == "smeared":
        dark = picture.filter(ImageFilter.MinFilter(2 * scale + 1))
        return dark.filter(ImageFilter.MaxFilter(2 * scale + 1))
    return picture


def _vignette(size, strength):
    centres = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
    distance = centres[:, None] ** 2 + centres[None] ** 2
    return (1 - strength * 0.5 * distance)[..., None]


def _compressed(image, quality):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))
