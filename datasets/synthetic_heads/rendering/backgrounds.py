"""Muted backgrounds: studio gradients, blurred rooms, soft noise."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from datasets.synthetic_heads.person import noise

SIZE = 256


def random_background(generator: np.random.Generator) -> np.ndarray:
    """Draw a background uint8 `[256, 256, 3]`.

    Ours: portraits stand before walls, studio paper, rooms out of focus and foliage;
    saturated colours would teach a model to look at them.
    """
    kinds = (_gradient, _gradient, _room, _room, _mottled)
    image = kinds[generator.integers(len(kinds))](generator)
    grain = generator.normal(0.0, 0.006, (SIZE, SIZE, 1))
    return (np.clip(image + grain, 0.0, 1.0) * 255).astype(np.uint8)


def vivid_background(generator: np.random.Generator) -> np.ndarray:
    """Draw a background of strong colours uint8 `[256, 256, 3]`.

    Ours: clouds, shapes and stripes of any colour, sharp or blurred.
    """
    image = Image.new("RGB", (SIZE, SIZE), _as_bytes(generator.random(3)))
    draw = ImageDraw.Draw(image)
    for _ in range(generator.integers(0, 30)):
        corners = generator.normal(0.0, 45.0, (4, 2)) + generator.uniform(0, SIZE, 2)
        colour = _as_bytes(generator.random(3))
        draw.polygon([tuple(corner) for corner in corners], fill=colour)
    blurred = image.filter(ImageFilter.GaussianBlur(float(generator.uniform(0, 9))))
    values = np.asarray(blurred, np.float32) / 255
    cells = generator.uniform(2.0, 40.0)
    field = noise.smooth_noise(generator, SIZE, SIZE, 3, (cells, cells))
    values = values * (1 + generator.uniform(0.0, 0.3) * field[..., None])
    return (np.clip(values, 0.0, 1.0) * 255).astype(np.uint8)


def muted_colour(generator: np.random.Generator, darkest=0.08, brightest=0.85):
    """Draw a colour `[3]` of low saturation, sRGB in [0, 1]."""
    level = generator.uniform(darkest, brightest)
    tint = generator.normal(0.0, 1.0, 3)
    tint -= tint.mean()
    return np.clip(level * (1 + generator.uniform(0.02, 0.16) * tint), 0.0, 1.0)


def _gradient(generator):
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    first = muted_colour(generator)
    second = np.clip(first * generator.uniform(0.5, 1.3) + 0.02, 0.0, 1.0)
    angle = generator.uniform(0.0, 2 * np.pi)
    straight = 0.5 + (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle)
    centre = generator.uniform(0.3, 0.7, 2)
    round_ = np.hypot(x - centre[0], y - centre[1]) * 1.3
    mix = np.clip(straight if generator.random() < 0.5 else round_, 0, 1)[..., None]
    paper = 1 + 0.02 * noise.smooth_noise(generator, SIZE, SIZE, 4)[..., None]
    return (first * (1 - mix) + second * mix) * paper


def _room(generator):
    wall = muted_colour(generator, 0.2, 0.85)
    image = Image.new("RGB", (SIZE, SIZE), _as_bytes(wall))
    draw = ImageDraw.Draw(image)
    if generator.random() < 0.4:
        edge = generator.integers(0, SIZE)
        draw.rectangle([edge, 0, SIZE, SIZE], fill=_as_bytes(wall * 0.8))
    for _ in range(generator.integers(2, 9)):
        x, y = generator.integers(-40, SIZE, 2)
        width, height = generator.integers(15, 110), generator.integers(20, 190)
        near = np.clip(wall * generator.uniform(0.5, 1.2), 0.0, 1.0)
        colour = near if generator.random() < 0.6 else muted_colour(generator)
        box = [int(x), int(y), int(x + width), int(y + height)]
        draw.rectangle(box, fill=_as_bytes(colour))
    if generator.random() < 0.35:
        x, width = generator.integers(-20, SIZE), generator.integers(50, 110)
        light = _as_bytes(np.clip(np.array([0.86, 0.90, 0.94]), 0, 1))
        draw.rectangle([int(x), 10, int(x + width), 150], fill=light)
    for _ in range(generator.integers(0, 6)):
        x, y = generator.integers(0, SIZE, 2)
        radius = int(generator.integers(4, 22))
        colour = _as_bytes(muted_colour(generator, 0.4, 0.95))
        box = [int(x) - radius, int(y) - radius, int(x) + radius, int(y) + radius]
        draw.ellipse(box, fill=colour)
    blurred = image.filter(ImageFilter.GaussianBlur(float(generator.uniform(3, 14))))
    return np.asarray(blurred, np.float32) / 255


def _mottled(generator):
    first, second = muted_colour(generator), muted_colour(generator)
    cells = generator.uniform(1.5, 6.0)
    field = noise.smooth_noise(generator, SIZE, SIZE, 3, (cells, cells))
    mix = np.clip(0.5 + 0.25 * field, 0.0, 1.0)[..., None]
    return first * (1 - mix) + (0.5 * first + 0.5 * second) * mix


def _as_bytes(colour):
    return tuple(int(c * 255) for c in colour)
