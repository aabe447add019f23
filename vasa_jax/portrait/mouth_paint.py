"""Teeth, tongue and cavity of one person's mouth, painted as tiles.

Ours: every tooth has a crown of its own; teeth that were learnt were the mean of all
people's, which is a slab. Tiles are painted once, several times finer than
shown, at the resolution of the portrait's texture.
"""

import einops
import numpy as np

from vasa_jax import types
from vasa_jax.portrait import mouth_interior, mouth_light

FINER = 6
"""Painted pixels along a tile's pixel. Ours: gaps between teeth are a tenth of a
millimetre."""

RESOLUTION = 1.3
"""Tile pixels along a pixel of the portrait's texture. Ours: no finer, since tiles are
sampled without averaging."""

GUM_PALENESS = 0.35
"""How far the colour of gums lies from that of tongues to that of teeth. Ours: gums are
pink, tongues red."""

WARM, THIN = np.array([0.0, 0.05, 0.16]), np.array([0.10, 0.06, 0.02])
"""How much less of each colour teeth have at their necks and at their edges. Ours: by
eye; dentine is yellow, and edges let light through."""

GAP = 0.14
"""How much darker it is where two teeth touch. Ours: by eye in frames; twice as much
showed as a grid."""

DARK = 0.22
"""Colour of the cavity over that of flesh. Ours: see `BACK`."""

BACK, FRONT, REACH = 0.25, 0.75, 0.15
"""Light on the tongue at its back and where teeth hide it, and how far in front of its
edge, head units, it is full. Ours: of 14 photographs of mouths that are open as for
speech, whose middle is 0.13 times as bright as the lit skin around them at three tenths
of their height and, ever brighter, 0.35 times at eight tenths."""

DOME = 0.12
"""How much lower than its middle a tongue's sides lie, head units. Ours: likewise."""

CAVITY_SIDE = 0.6
"""What the cavity's tile spans, head units. Ours: mouths open no wider."""


def paint(
    light: mouth_light.MouthLight, unit: float, generator: np.random.Generator
) -> list[np.ndarray]:
    """Paint one person's mouth.

    Args:
        light: the portrait's.
        unit: texture pixels of a head unit, times the size of the mouth.
        generator: source of the teeth's shapes.

    Returns:
        Tiles float32 `[h, w, 4]`, colour in 0 to 255 and opacity: upper teeth, lower
        teeth, the tongue, and the cavity, which shows all that is dark behind them.
    """
    pitch = unit * RESOLUTION
    upper, lower = (
        _teeth(light, pitch, row, generator)
        for row in (mouth_interior.UPPER, mouth_interior.LOWER)
    )
    return [upper, lower[::-1], _tongue(light, pitch), _cavity(light, pitch)]


def _canvas(half, height, pitch):
    """Return points x from the middle and y from the top `[h, w]`, finer than shown."""
    columns, rows = max(8, round(2 * half * pitch)), max(8, round(height * pitch))
    y, x = np.mgrid[0 : rows * FINER, 0 : columns * FINER] + 0.5
    return (x / (columns * FINER) * 2 - 1) * half, y / (rows * FINER) * height


def _reduced(colour, opacity, dark):
    """Average to a tile; half covered pixels turn dark."""
    tile = np.concatenate(
        [
            colour * opacity[..., None] + dark * (1 - opacity[..., None]),
            opacity[..., None],
        ],
        axis=-1,
    )
    pattern = "(h i) (w j) c -> h w c"
    return einops.reduce(tile, pattern, "mean", i=FINER, j=FINER).astype(np.float32)


def _ease(value):
    value = np.clip(value, 0, 1)
    return value * value * (3 - 2 * value)


def _dark(light):
    return DARK * light.flesh


def _teeth(light, pitch, row, generator):
    """Paint a row of teeth hanging down, gums above, `[h, w, 4]`."""
    widths, heights = row.widths, row.heights
    edge = mouth_interior.EDGE
    height = max(heights) + mouth_interior.GUM + edge
    x, y = _canvas(sum(widths), height, pitch)
    edges = _crowded(widths, generator)
    count = len(edges) - 1
    which = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, count - 1)
    left, right = edges[which], edges[which + 1]
    within = (2 * x - left - right) / (right - left)
    sizes = np.array([*heights[::-1], *heights])[:count]
    drop = 0.10 * x**2 / sum(widths) + generator.normal(0, 0.0015, count)[which]
    rounded = generator.uniform(0.004, 0.010, count)[which]
    bottom = height - edge - drop - rounded * np.abs(within) ** generator.uniform(4, 8)
    crown = sizes[which] * generator.normal(1, 0.04, count)[which]
    top = height - edge - drop - crown + 0.022 * within**2 + 0.004
    down = np.clip((y - top) / (bottom - top), 0, 1)
    normal = np.stack(
        [
            0.5 * within**3 + 0.6 * x / sum(widths),
            -0.35 + 0.75 * down**2 - 0.5 * np.exp(-((down / 0.12) ** 2)),
            np.ones_like(x),
        ],
        axis=-1,
    )
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    lit, shine = _lit(light, normal)
    gap = np.minimum(x - left, right - x)
    lit = lit * (1 - GAP * np.exp(-((gap / 0.0032) ** 2)) * (0.5 + 0.5 * down))
    lit = lit * generator.normal(1, 0.025, count)[which]
    lit = lit * _in_mouth(x, sum(widths))
    warm = 1 - _tinted(light, WARM) * (1 - down[..., None]) ** 2
    thin = 1 - _tinted(light, THIN) * _ease((down - 0.8) / 0.2)[..., None]
    colour = light.tooth * lit[..., None] * warm * thin + shine[..., None] * light.tooth
    bulge = np.exp(-((within / 0.6) ** 2)) * np.exp(-(((top - y) / 0.03 - 0.6) ** 2))
    gum = light.flesh + GUM_PALENESS * (light.tooth - light.flesh)
    gums = gum * (_in_mouth(x, sum(widths)) * (0.85 + 0.3 * bulge))[..., None]
    is_gum = _ease((top - y) / 0.004 + 0.5)[..., None]
    seam = 1 - 0.25 * np.exp(-(((y - top) / 0.004) ** 2))[..., None]
    colour = (colour + is_gum * (gums - colour)) * seam
    return _reduced(
        np.clip(colour, 0, 255), _ease((bottom - y) / 0.003 + 0.5), _dark(light)
    )


def _crowded(widths, generator):
    """Return where teeth meet, from left to right, a bit irregular."""
    sides = [
        np.cumsum(widths * generator.normal(1, 0.03, len(widths))) for _ in range(2)
    ]
    sides = [side / side[-1] * sum(widths) for side in sides]
    middle = generator.normal(0, 0.004)
    return np.concatenate([-sides[0][::-1], [middle], sides[1]])


def _tinted(light, share):
    """Return a share of each colour `[3]`, alike for all in a grey picture."""
    grey = share @ types.LUMA
    return grey + light.colourful * (share - grey)


def _lit(light, normal):
    """Return diffuse light around 1, and shine; normals are right, down, nearer."""
    towards = np.array([1.1 * light.sideways, -0.45, 0.85])
    towards /= np.linalg.norm(towards)
    half = towards + [0, 0, 1]
    half /= np.linalg.norm(half)
    diffuse = 0.50 + 0.62 * np.clip(normal @ towards, 0, 1)
    return diffuse, 0.22 * np.clip(normal @ half, 0, 1) ** 40


def _in_mouth(x, half):
    """Darken towards the corners of the mouth."""
    return 1 - 0.62 * _ease(np.abs(x) / half * 1.15 - 0.22)


def _tongue(light, pitch):
    """Paint a tongue that rises and darkens towards its back, `[h, w, 4]`."""
    top, end = mouth_interior.TONGUE_SPAN
    half, height = mouth_interior.TONGUE_HALF_WIDTH, end - top
    x, y = _canvas(half, height, pitch)
    across = x / half
    inside = y - DOME * across**2 - 0.006 * np.exp(-((x / 0.02) ** 2))
    lit = BACK + (FRONT - BACK) * np.clip(inside / REACH, 0, 1)
    lit = lit * (1 - 0.20 * np.exp(-((x / 0.016) ** 2)) * _ease(1.2 - inside / 0.08))
    grain = np.sin(x * 420 + 3 * np.sin(y * 170)) * np.sin(
        y * 390 + 2 * np.sin(x * 130)
    )
    lit = lit * (1 + 0.03 * grain) * (1 + 0.8 * light.sideways * across)
    edge = _ease(inside / 0.03) * _ease((1 - np.abs(across)) / 0.12)
    colour = light.flesh * lit[..., None]
    return _reduced(np.clip(colour, 0, 255), edge, _dark(light))


def _cavity(light, pitch):
    x, y = _canvas(CAVITY_SIDE / 2, CAVITY_SIDE, pitch)
    radius = np.hypot(x, y - CAVITY_SIDE / 2) / (CAVITY_SIDE / 2)
    lit = 0.65 + 0.7 * np.clip(radius, 0, 1) ** 2
    colour = _dark(light) * lit[..., None]
    return _reduced(colour, np.ones_like(x), _dark(light))
