"""Painting of skin, brows and beard into a texture around the head."""

import dataclasses

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from datasets.synthetic_heads.person import eye_paint, hair, head, noise, skin_canvas

_HEIGHT, _WIDTH = skin_canvas.HEIGHT, skin_canvas.WIDTH
_SPAN = skin_canvas.TOP - skin_canvas.BOTTOM

_STUBBLE_ABSORPTION = np.array([0.46, 0.40, 0.32], np.float32)
"""Red, green and blue that the heaviest stubble takes away. Ours: by eye."""


@dataclasses.dataclass(frozen=True)
class SkinPaint:
    """What the skin is painted with.

    Attributes:
        tone, hair: sRGB colours `[3]`.
        beard: 0 shaven to 1 full.
        stubble: 0 clean to 1 a heavy five-o'clock shadow.
        eyes: what surrounds the eyes.
        traits: the identity's traits.
    """

    tone: np.ndarray
    hair: np.ndarray
    beard: float
    stubble: float
    eyes: eye_paint.EyePaint
    traits: head.Traits


def paint_skin(generator: np.random.Generator, paint: SkinPaint) -> np.ndarray:
    """Paint a skin texture.

    Ours: procedural, so that nobody's face is in the data.

    Returns:
        uint8 `[H, W, 3]` sRGB; columns are azimuth from -pi to pi, rows height from
        `skin_canvas.TOP` to `skin_canvas.BOTTOM`.
    """
    canvas = skin_canvas.whole_canvas()
    texture = np.empty((_HEIGHT, _WIDTH, 3), np.float32)
    texture[:] = paint.tone
    blotches = noise.smooth_noise(generator, _HEIGHT, _WIDTH, 6, (4, 8))
    grain = noise.smooth_noise(generator, _HEIGHT, _WIDTH, 2, (96, 144))
    pores = generator.standard_normal((_HEIGHT, _WIDTH), np.float32)
    texture *= (1 + 0.022 * blotches + 0.016 * grain + 0.016 * pores)[..., None]
    _redden(texture, canvas, generator, float(paint.tone.mean()))
    _shade_eyes(texture, canvas, generator, paint.traits.age)
    texture = eye_paint.paint_eyes(texture, canvas, paint.eyes)
    if paint.traits.age > 0.35:
        _wrinkle(texture, canvas, paint.traits.age)
    if paint.tone.mean() > 0.5 and generator.random() < 0.25:
        _freckle(texture, canvas, generator)
    _draw_brows(texture, canvas, generator, paint)
    if paint.stubble > 0:
        _draw_stubble(texture, canvas, paint.stubble)
    if paint.beard > 0.05:
        _draw_beard(texture, canvas, generator, paint)
    return (np.clip(texture, 0.0, 1.0) * 255).astype(np.uint8)


def _redden(texture, canvas, generator, lightness):
    red = canvas.blob(0.52, 6.98, 0.22, 0.18) + 0.9 * canvas.blob(0, 6.98, 0.10, 0.10)
    red += 0.4 * canvas.blob(0, 6.36, 0.2, 0.12) + 0.3 * canvas.blob(
        0.32, 7.2, 0.2, 0.07
    )
    strength = (0.4 + 0.6 * lightness) * generator.uniform(0.3, 1.5)
    texture *= 1 - red[..., None] * np.array([0, 0.09, 0.10], np.float32) * strength


def _shade_eyes(texture, canvas, generator, age):
    under = canvas.blob(0.30, 7.16, 0.16, 0.05) * (0.4 + 0.7 * age)
    under += 0.5 * canvas.blob(0.12, 7.27, 0.06, 0.08)
    texture *= 1 - 0.13 * under[..., None]
    lid = canvas.blob(0.32, 7.35, 0.17, 0.045) * generator.uniform(0.3, 1.5)
    texture *= 1 - lid[..., None] * np.array([0.10, 0.14, 0.13], np.float32)


def _wrinkle(texture, canvas, age):
    a, y = canvas.side, canvas.height
    lines = np.zeros_like(a)
    for k in range(4):
        bend = 0.015 * np.sin(canvas.azimuth * 5 + k * 2)
        lines += np.exp(-(((y - 7.78 - 0.08 * k - bend) / 0.010) ** 2) - (a / 0.5) ** 4)
    for k in (-1, 0, 1):
        crow = np.exp(-(((y - 7.29 - k * 0.5 * (a - 0.5)) / 0.010) ** 2))
        lines += crow * ((a > 0.55) & (a < 0.68))
    fold = np.exp(-(((a - 0.20 - 0.22 * (6.95 - y)) / 0.025) ** 2))
    lines += 1.3 * fold * ((y < 7.0) & (y > 6.6))
    texture *= 1 - 0.14 * age * np.clip(lines, 0.0, 1.0)[..., None]


def _freckle(texture, canvas, generator):
    spots = noise.smooth_noise(generator, _HEIGHT, _WIDTH, 1, (_HEIGHT / 4, _WIDTH / 4))
    amount = np.clip(spots - 1.4, 0.0, 1.0) * canvas.blob(0.0, 7.0, 0.7, 0.35)
    strength = generator.uniform(0.2, 0.5)
    texture *= 1 - strength * amount[..., None] * np.array([0.3, 0.7, 0.9], np.float32)


def _draw_brows(texture, canvas, generator, paint):
    """Draw each brow hair by hair, at twice the texture's size."""
    is_male = paint.traits.is_male
    broad = generator.uniform(0.035, 0.058) * (1.12 if is_male else 0.75)
    arch, level = generator.uniform(0.01, 0.05), 7.52 + generator.normal(0.0, 0.012)
    num_hairs = int(generator.uniform(150, 330))
    image = Image.new("L", (2 * _WIDTH, 2 * _HEIGHT))
    draw = ImageDraw.Draw(image)
    along, across = generator.random(num_hairs), generator.uniform(-1, 1, num_hairs)
    jitter = generator.normal(0.0, 0.15, num_hairs)
    weights = generator.integers(110, 255, num_hairs)
    for side in (-1.0, 1.0):
        for t, s, turn, weight in zip(along, across, jitter, weights, strict=True):
            width = broad * (1 - 0.7 * t**1.5) * min(1.0, 6 * t + 0.5)
            ridge = level + arch * np.sin(t * np.pi * 0.75) - 0.06 * max(t - 0.55, 0)
            y, a = ridge + 0.5 * s * width * 1.6, 0.10 + 0.46 * t
            lean = 1.1 - 0.9 * t - 0.5 * s * t + turn
            length = 0.055 * (1 - 0.4 * t)
            tip_a, tip_y = a + length * np.cos(lean), y + length * np.sin(lean)
            ends = _texel(side * a, y) + _texel(side * tip_a, tip_y)
            draw.line(ends, fill=int(weight), width=2)
    shrunk = image.resize((_WIDTH, _HEIGHT), Image.Resampling.BOX)
    amount = np.asarray(shrunk.filter(ImageFilter.GaussianBlur(0.6)), np.float32)
    soft = np.asarray(shrunk.filter(ImageFilter.GaussianBlur(3.0)), np.float32)
    amount = np.clip(amount / 255 + 0.5 * soft / 255, 0.0, 1.0)[..., None]
    amount *= generator.uniform(0.65, 0.95) if is_male else generator.uniform(0.4, 0.85)
    texture += (paint.hair * 0.75 + 0.02 - texture) * amount


def _texel(azimuth, height):
    """Return where a point lies on a canvas of twice the texture's size."""
    x = (azimuth / (2 * np.pi) + 0.5) * 2 * _WIDTH
    return (float(x), float((skin_canvas.TOP - height) / _SPAN * 2 * _HEIGHT))


def _beard_area(canvas):
    """Return where a beard grows: jaw, chin and upper lip."""
    a, y = canvas.side, canvas.height
    cheek = 6.80 - y + 0.9 * np.clip(a - 0.50, 0.0, 1.0) * (a < 1.25)
    jaw = hair.smooth_step(0.0, 0.35, cheek) * hair.smooth_step(5.95, 6.25, y)
    jaw *= 1 - hair.smooth_step(0.95, 1.25, a)
    moustache = np.exp(-(((y - 6.735) / 0.05) ** 2))
    moustache = moustache * (1 - hair.smooth_step(0.16, 0.36, a))
    return np.clip(np.maximum(jaw, moustache), 0.0, 1.0)


def _draw_stubble(texture, canvas, stubble):
    """Darken the area of the beard towards blue, as hair below the skin does."""
    amount = stubble * _beard_area(canvas)[..., None]
    texture *= 1 - amount * _STUBBLE_ABSORPTION


def _draw_beard(texture, canvas, generator, paint):
    cover = _beard_area(canvas)
    hairs = noise.smooth_noise(
        generator, _HEIGHT, _WIDTH, 1, (_HEIGHT / 2.5, _WIDTH / 1.5)
    )
    patches = noise.smooth_noise(generator, _HEIGHT, _WIDTH, 2, (20, 30))
    dense = cover * min(1.0, 1.6 * paint.beard)
    amount = dense * np.clip(0.74 + 0.13 * hairs + 0.07 * patches, 0.0, 1.1)
    amount = np.clip(amount, 0.0, 0.95)[..., None]
    texture += (paint.hair * 0.7 + 0.02 - texture) * amount
