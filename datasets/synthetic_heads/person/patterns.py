"""Paint and patterns laid over a skin texture, far from what skin looks like."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from datasets.synthetic_heads.person import noise


def vivid_colour(generator: np.random.Generator) -> np.ndarray:
    """Draw any colour `[3]`, sRGB in [0, 1]. Ours: no hue is left out."""
    return generator.uniform(0.02, 0.98, 3).astype(np.float32)


def smooth_field(generator: np.random.Generator, texture: np.ndarray) -> np.ndarray:
    """Tint a texture float32 `[H, W, 3]` by broad clouds of colour."""
    height, width, _ = texture.shape
    cells = generator.uniform(2.0, 10.0)
    strength = generator.uniform(0.05, 0.30)
    fields = [
        noise.smooth_noise(generator, height, width, 3, (cells, 2 * cells))
        for _ in range(3)
    ]
    return texture * (1 + strength * np.stack(fields, axis=-1))


def fine_grain(generator: np.random.Generator, texture: np.ndarray) -> np.ndarray:
    """Roughen a texture by fine noise, drawn out along one axis at times."""
    height, width, _ = texture.shape
    rows, columns = generator.uniform(20.0, 200.0, 2)
    grain = noise.smooth_noise(generator, height, width, 2, (rows, columns))
    return texture * (1 + generator.uniform(0.03, 0.16) * grain[..., None])


def spots(generator: np.random.Generator, texture: np.ndarray) -> np.ndarray:
    """Scatter freckles, moles or dots of one colour."""
    height, width, _ = texture.shape
    fine = generator.uniform(30.0, 150.0)
    field = noise.smooth_noise(generator, height, width, 1, (fine, 1.5 * fine))
    threshold = generator.uniform(0.8, 2.2)
    amount = np.clip((field - threshold) * 2.0, 0.0, 1.0) * generator.uniform(0.3, 0.9)
    colour = texture.mean(axis=(0, 1)) * 0.5
    if generator.random() < 0.5:
        colour = vivid_colour(generator)
    return texture + (colour - texture) * amount[..., None]


def strokes(generator: np.random.Generator, texture: np.ndarray) -> np.ndarray:
    """Paint lines, bands and patches of strong colours, as on painted faces."""
    height, width, _ = texture.shape
    image = Image.new("RGBA", (width, height))
    draw = ImageDraw.Draw(image)
    for _ in range(generator.integers(2, 18)):
        colour = tuple(int(255 * c) for c in vivid_colour(generator))
        colour += (int(generator.uniform(90, 255)),)
        x = width / 2 + generator.normal(0.0, 0.14 * width)
        y = generator.uniform(0.15, 0.85) * height
        turn, length = generator.uniform(0, np.pi), generator.uniform(20, 220)
        dx, dy = length * np.cos(turn), length * np.sin(turn)
        if generator.random() < 0.7:
            broad = int(generator.uniform(2, 22))
            draw.line([x - dx, y - dy, x + dx, y + dy], fill=colour, width=broad)
        else:
            corners = generator.normal(0.0, 40.0, (5, 2)) + [x, y]
            draw.polygon([tuple(corner) for corner in corners], fill=colour)
    soft = image.filter(ImageFilter.GaussianBlur(float(generator.uniform(0.3, 3.0))))
    paint = np.asarray(soft, np.float32) / 255
    return texture + (paint[..., :3] - texture) * paint[..., 3:]


def tiling(generator: np.random.Generator, texture: np.ndarray) -> np.ndarray:
    """Print stripes, checks or dots over a texture."""
    height, width, _ = texture.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    turn, period = generator.uniform(0, np.pi), generator.uniform(12.0, 70.0)
    along = (x * np.cos(turn) + y * np.sin(turn)) * (2 * np.pi / period)
    across = (y * np.cos(turn) - x * np.sin(turn)) * (2 * np.pi / period)
    kind = generator.integers(3)
    waves = (
        np.sin(along),
        np.sin(along) * np.sin(across),
        np.cos(along) + np.cos(across),
    )
    amount = np.clip(0.5 + 2.0 * waves[kind] - (1.5 if kind == 2 else 0.0), 0.0, 1.0)
    amount *= generator.uniform(0.15, 0.7)
    return texture + (vivid_colour(generator) - texture) * amount[..., None]


def recolour(generator: np.random.Generator, texture: np.ndarray) -> np.ndarray:
    """Give a texture another colour, its lights and darks kept: stone, clay, paint."""
    level = texture.mean(axis=-1, keepdims=True)
    level = level / (level.mean() + 1e-3)
    colour = generator.uniform(0.15, 0.95, 3).astype(np.float32)
    if generator.random() < 0.4:
        colour = np.full(3, colour.mean(), np.float32)
    return texture + (colour * level - texture) * generator.uniform(0.4, 1.0)
