"""What an opened mouth shows: a cavity and two strips of teeth, tinted to the picture.

Ours: photographs hide it, so it is painted, and is never a target. Units are those of
the head, 10 cm.
"""

import numpy as np

TILE = 64
"""Side of a tile in pixels."""

CAVITY, UPPER, LOWER = range(3)

TOOTH_EDGES = (-1.0, -0.72, -0.47, -0.24, 0.0, 0.24, 0.47, 0.72, 1.0)
"""Where teeth meet, across the strip."""

HALF_WIDTH = 0.30
"""Half the width of the strips, head units."""

UPPER_SPAN, LOWER_SPAN = (-0.12, 0.048), (-0.015, 0.14)
"""From top to bottom of the strips, below the edge of their lip, head units."""

SET_BACK, CURVE = 0.10, 1.3
"""How far behind the lips the front teeth stand, and how the strip curves back."""


def tiles(skin: np.ndarray) -> np.ndarray:
    """Paint the tiles, float32 `[TILE, 3 * TILE, 3]`, for a skin colour in 0 to 255."""
    light = float(skin @ (0.299, 0.587, 0.114))
    tint = (skin / max(light, 1.0)) ** 0.3
    ivory = np.clip(0.8 * light + 62, 40, 215) * np.array([1.0, 0.97, 0.9]) * tint
    gum = 0.55 * light * np.array([1.1, 0.62, 0.6]) * (tint if _is_tinted(skin) else 1)
    dark = 0.16 * light * (np.array([1.15, 0.75, 0.7]) if _is_tinted(skin) else 1)
    if not _is_tinted(skin):
        ivory, gum = np.full(3, ivory.mean()), np.full(3, gum.mean())
        dark = np.full(3, np.mean(dark))
    y, x = (np.mgrid[0:TILE, 0:TILE] + 0.5) / TILE
    radius = np.hypot(x - 0.5, y - 0.5) * 2
    cavity = dark * (0.55 + 0.75 * np.clip(radius, 0, 1) ** 2)[..., None]
    tongue = np.exp(-(((x - 0.5) / 0.27) ** 2) - ((y - 0.85) / 0.25) ** 2)[..., None]
    cavity = cavity + 0.55 * tongue * gum
    return np.concatenate(
        [cavity, _teeth(x, y, ivory, gum, dark), _teeth(x, 1 - y, ivory, gum, dark)],
        axis=1,
    ).astype(np.float32)


def _is_tinted(skin):
    return np.ptp(skin) > 8


def _teeth(x, y, ivory, gum, dark):
    """Teeth hang from y = 0.35 to 1; above is gum."""
    across = 2 * x - 1
    edges = np.array(TOOTH_EDGES)
    apart = np.abs(across[..., None] - edges).min(-1)
    middle = (edges[:-1] + edges[1:]) / 2
    inside = np.abs(across[..., None] - middle).min(-1)
    light = 1 - 0.16 * np.exp(-((apart / 0.022) ** 2)) - 0.55 * across**2
    light = light * (0.55 + 0.45 * np.clip((y - 0.35) / 0.55, 0, 1))
    colour = ivory * light[..., None]
    is_gum = np.clip((0.36 - y + 0.5 * inside**2) / 0.05, 0, 1)[..., None]
    colour = colour * (1 - is_gum) + gum * is_gum
    rounded = np.clip((y - 0.96 + 0.6 * np.clip(0.05 - apart, 0, 1)) / 0.05, 0, 1)
    return colour * (1 - rounded[..., None]) + dark * rounded[..., None]


def strip(turn: np.ndarray, edge: np.ndarray, span: tuple[float, float]):
    """Bend a strip of teeth behind a lip.

    Args:
        turn: `[3, 3]` the head's rotation; its columns are right, down and away.
        edge: `[3]` the middle of the lip's inner edge.
        span: from top to bottom, below the edge.

    Returns:
        Points `[P, 3]`, their places in the tile `[P, 2]` in [0, 1], triangles.
    """
    across, down = np.meshgrid(np.linspace(-1, 1, 13), np.linspace(0, 1, 4))
    x, y = HALF_WIDTH * across, span[0] + (span[1] - span[0]) * down
    z = SET_BACK + CURVE * x**2
    local = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
    places = np.stack([(across.ravel() + 1) / 2, down.ravel()], axis=1)
    a = (np.arange(3)[:, None] * 13 + np.arange(12)).ravel()
    quads = np.stack([a, a + 1, a + 13, a + 1, a + 14, a + 13], axis=1)
    return edge + local @ turn.T, places, quads.reshape(-1, 3)
