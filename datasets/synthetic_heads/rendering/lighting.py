"""How light falls on a point: sky, three lights, shadow, glints."""

from math import floor, sqrt

import numba

EYE_POWER = 7
"""Doublings of a highlight's exponent on eyes, whose shine no angle weakens."""


@numba.njit(inline="always", fastmath=True)
def add_sky(normal, albedo, hollow, sky, ground, light):
    """Set light `[3]` to what comes from above and below. Follows: hemisphere light."""
    upward = normal[1] * 0.5 + 0.5
    for q in range(3):
        around = ground[q] + (sky[q] - ground[q]) * upward
        light[q] = albedo[q] * around * hollow


@numba.njit(inline="always", fastmath=True)
def add_glint(normal, view, head_up, sky, light):
    """Add a window's reflection, which every eye carries whatever the light."""
    gx = normal[0] - view[0] - 0.13 * head_up[0] + 0.12
    gy = normal[1] - view[1] - 0.13 * head_up[1]
    gz = normal[2] - view[2] - 0.13 * head_up[2]
    off = (sqrt(gx * gx + gy * gy + gz * gz) - 0.02) / 0.05
    off = min(max(off, 0.0), 1.0)
    glint = 1.0 - off * off * (3.0 - 2.0 * off)
    for q in range(3):
        light[q] += 0.8 * glint * sky[q]


@numba.njit(inline="always", fastmath=True)
def add_lights(normal, view, albedo, scatter, finish, directions, intensities, light):
    """Add key, fill and rim light.

    Follows: Lambert and Blinn-Phong; wrapped light that bleeds red into skin's
    shadows, and gloss that grows at grazing angles, are ours.

    Args:
        normal: unit normal; view: unit vector towards the eye.
        albedo, scatter: `[3]` diffuse colour, and what bleeds past the terminator.
        finish: hollow, gloss, power (doublings), wrap, share of the key light.
        directions, intensities: `[3, 3]` of the lights.
        light: `[3]`, added to.
    """
    nx, ny, nz = normal
    hollow, gloss, power, wrap, key = finish
    cavity = 0.45 + 0.55 * hollow
    rim = 1.0 - max(nx * view[0] + ny * view[1] + nz * view[2], 0.0)
    rim = rim * rim
    rim = 0.25 + 0.75 * rim * rim
    if power == EYE_POWER:
        rim = 1.0
    for source in range(3):
        dx, dy = directions[source, 0], directions[source, 1]
        dz = directions[source, 2]
        cosine = nx * dx + ny * dy + nz * dz
        if cosine <= -wrap:
            continue
        soft = min((cosine + wrap) / (1 + wrap), 1.0)
        hard = max(cosine, 0.0)
        diffuse = 0.5 * hard + 0.5 * soft * soft
        bleed = max(soft - hard, 0.0) * 0.8
        shine = 0.0
        if gloss > 0 and cosine > 0:
            hx, hy, hz = dx + view[0], dy + view[1], dz + view[2]
            shine = (nx * hx + ny * hy + nz * hz) / sqrt(hx * hx + hy * hy + hz * hz)
            shine = max(shine, 0.0)
            for _ in range(power):
                shine = shine * shine
            shine *= gloss * rim
        arriving = cavity * key if source == 0 else cavity
        for q in range(3):
            reflected = albedo[q] * (diffuse + scatter[q] * bleed) + shine
            light[q] += intensities[source, q] * arriving * reflected


@numba.njit(inline="always", fastmath=True)
def strand_shine(normal, view, directions):
    """Return the highlight of strands that run down. Follows: Kajiya-Kay."""
    nx, ny, nz = normal
    tx, ty, tz = nx * ny, -1 + ny * ny, nz * ny
    hx = directions[0, 0] + view[0]
    hy = directions[0, 1] + view[1]
    hz = directions[0, 2] + view[2]
    lengths = (tx * tx + ty * ty + tz * tz + 1e-9) * (hx * hx + hy * hy + hz * hz)
    along = tx * hx + ty * hy + tz * hz
    across = max(1.0 - along * along / lengths, 0.0)
    across = across * across * across
    across = across * across
    return across * across


@numba.njit(inline="always", fastmath=True)
def key_share(depth_map, x, y, depth, spread):
    """Return how much of the key light arrives, 0 to 1, softly at a shadow's edge.

    Follows: percentage-closer filtering, nine taps.
    """
    size = depth_map.shape[0]
    arrived = 0.0
    for i in range(-1, 2):
        for j in range(-1, 2):
            u = int(floor(x + 0.5 + j * spread))
            v = int(floor(y + 0.5 + i * spread))
            if u < 0 or v < 0 or u >= size or v >= size:
                arrived += 1.0
                continue
            behind = depth - depth_map[v, u]
            arrived += 1.0 - min(max((behind - 0.02) / 0.06, 0.0), 1.0)
    return arrived / 9.0
