"""What each material reflects at a point: colours, gloss and hollowness."""

from math import acos, atan2, exp, floor, sin, sqrt

import numba
import numpy as np

from datasets.synthetic_heads.person import skin_canvas

HAIR, IRIS, CLOTH, TRIM, LIPS, LASHES, FRAME, HAT, TEETH = range(9)
"""Rows of the colours `[9, 3]`, linear."""

PATTERN, FREQUENCY, NECKLINE, NECK_DEPTH, COLLAR, GLOSS, BALD = range(7)
"""Entries of the numbers `[7]`."""

_ROWS_PER_UNIT = skin_canvas.HEIGHT / (skin_canvas.TOP - skin_canvas.BOTTOM)
_TOP = skin_canvas.TOP


@numba.njit(inline="always", fastmath=True)
def rise(low, high, value):
    """Rise from 0 at `low` to 1 at `high` with level ends."""
    t = min(max((value - low) / (high - low), 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


@numba.njit(inline="always", fastmath=True)
def lookup(table, u, v):
    """Sample a tiling table bilinearly; u and v count whole tables."""
    rows, columns = table.shape
    x, y = u * columns, v * rows
    x_floor, y_floor = int(floor(x)), int(floor(y))
    fx, fy = x - x_floor, y - y_floor
    x0, x1 = x_floor % columns, (x_floor + 1) % columns
    y0, y1 = y_floor % rows, (y_floor + 1) % rows
    upper = table[y0, x0] * (1 - fx) + table[y0, x1] * fx
    lower = table[y1, x0] * (1 - fx) + table[y1, x1] * fx
    return upper * (1 - fy) + lower * fy


@numba.njit(inline="always", fastmath=True)
def neckline(x, z, numbers):
    """Return the height of the garment's edge at a place around the neck."""
    front = numbers[NECK_DEPTH] * rise(-0.2, 1.0, z) * exp(-x * x * 4.0)
    return numbers[NECKLINE] - front + 0.5 * rise(0.5, 1.0, abs(x))


@numba.njit(inline="always", fastmath=True)
def texel(texture, to_linear, azimuth, height, channel):
    """Sample the skin texture bilinearly as linear light."""
    rows, columns, _ = texture.shape
    u = (azimuth * 0.15915494 + 0.5) * columns - 0.5
    v = (_TOP - height) * _ROWS_PER_UNIT - 0.5
    x = int(floor(u))
    y = min(max(int(floor(v)), 0), rows - 2)
    fx, fy = u - x, min(max(v - y, 0.0), 1.0)
    x0, x1 = x % columns, (x + 1) % columns
    upper = texture[y, x0, channel] * (1 - fx) + texture[y, x1, channel] * fx
    lower = texture[y + 1, x0, channel] * (1 - fx) + texture[y + 1, x1, channel] * fx
    return to_linear[int(upper * (1 - fy) + lower * fy + 0.5)]


@numba.njit(inline="always", fastmath=True)
def cloth(x, y, z, edge, colours, numbers, strands, albedo):
    """Fill the albedo of a garment; returns its openness to light."""
    pattern, frequency = int(numbers[PATTERN]), numbers[FREQUENCY]
    mix = 0.0
    if pattern == 1:
        mix = rise(-0.15, 0.15, sin(y * frequency * 6.2831853))
    elif pattern == 2:
        across = rise(-0.15, 0.15, sin((x + 0.3 * z) * frequency * 6.2831853))
        mix = 0.5 * (across + rise(-0.15, 0.15, sin(y * frequency * 6.2831853)))
    elif pattern == 3:
        mix = 0.8 * lookup(strands, x * frequency * 0.02, y * frequency * 0.16)
    if edge - y < numbers[COLLAR]:
        mix = 1.0
    weave = 0.94 + 0.06 * sin(x * 160.0) * sin(y * 160.0)
    fold = 0.90 + 0.16 * lookup(strands, (x + z) * 0.012, y * 0.03 + 0.3)
    for q in range(3):
        flat = colours[CLOTH, q] + (colours[TRIM, q] - colours[CLOTH, q]) * mix
        albedo[q] = flat * weave * fold
    return 0.6 + 0.4 * rise(-0.02, 0.12, edge - y)


@numba.njit(inline="always", fastmath=True)
def knit(x, y, z, colours, albedo):
    """Fill the albedo of a knitted hat."""
    rib = 0.82 + 0.18 * sin(atan2(x, z - 0.1) * 70.0)
    row = 0.92 + 0.08 * sin(y * 60.0)
    for q in range(3):
        albedo[q] = colours[HAT, q] * rib * row


@numba.njit(inline="always", fastmath=True)
def eyeball(x, y, z, colours, strands, albedo):
    """Fill the albedo of an eye at a point of the unit sphere, pupil at +z."""
    length = 1.0 / sqrt(x * x + y * y + z * z)
    radius = acos(min(1.0, max(-1.0, z * length)))
    fibre = lookup(strands, atan2(y, x) * 0.04, radius * 0.3)
    veins = rise(0.75, 1.25, radius)
    glow = (0.7 + 0.7 * fibre) * (1.45 - 0.6 * rise(0.20, 0.46, radius))
    ring = rise(0.38, 0.47, radius)
    white = rise(0.44, 0.52, radius)
    pupil = rise(0.16, 0.20, radius)
    for q in range(3):
        outer = 0.50 if q == 0 else 0.22
        sclera = (0.56 - 0.03 * q) * (1 - veins) + outer * veins
        iris = colours[IRIS, q] * glow
        iris += (colours[IRIS, q] * 0.12 - iris) * ring
        iris += (sclera - iris) * white
        albedo[q] = 0.004 + (iris - 0.004) * pupil


@numba.njit(inline="always", fastmath=True)
def tooth(x, y, z, colours, albedo):
    """Fill the albedo of teeth; returns their openness to light.

    Ours: dark gaps, rounded crowns, and red in the shade, where light comes off gums
    and lips; without it shaded teeth look green beside skin.
    """
    is_upper = z > 1.06 and y > 6.545 - 0.4 * (z - 1.44)
    middle = 6.60 if is_upper else 6.53
    arc = atan2(x, z - 1.05) * (9.0 if is_upper else 12.0)
    from_gap = abs(arc - floor(arc + 0.5))
    depth = min(max((z - 0.95) / 0.5, 0.0), 1.0)
    is_front = rise(0.6, 0.8, depth)
    side = (1.0 - 2.0 * from_gap) * (1.0 - 2.0 * from_gap)
    shade = 1.0 - is_front * (0.38 * rise(0.10, 0.0, from_gap) + 0.14 * side * side)
    shade *= 0.25 + 0.75 * depth
    gum = rise(0.15, 0.12, abs(y - middle))
    for q in range(3):
        white = colours[TEETH, q] * shade ** (0.7 if q == 0 else 1.15)
        pink = 0.30 if q == 0 else 0.10
        albedo[q] = pink + (white - pink) * gum
    return 0.10 + 0.80 * depth * depth


@numba.njit(inline="always", fastmath=True)
def shine_hair(colours, shine, albedo):
    """Add a highlight to the albedo of hair."""
    for q in range(3):
        base = colours[HAIR, q]
        light = (base * 0.7 + 0.035) * 0.8 * shine
        albedo[q] += light * (0.4 + albedo[q] / (base + 1e-3))


def tables():
    """Return two lookup tables: sRGB bytes to linear, and light to sRGB bytes.

    Follows: sRGB; bright light is rolled off as film does (ours: 0.22).

    Returns:
        float32 `[256]`, and float32 `[1024]` over light of 0 to 3.
    """
    levels = np.arange(256) / 255.0
    to_linear = np.where(
        levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4
    )
    light = np.arange(1024) / 341.0
    rolled = light * 1.12 / (1 + 0.22 * light)
    bytes_ = np.clip(rolled, 0.0, 1.0) ** (1 / 2.2) * 255
    return to_linear.astype(np.float32), bytes_.astype(np.float32)
