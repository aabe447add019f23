"""Lighting of every pixel of a rasterised head."""

from math import sqrt

import numba
import numpy as np

from datasets.synthetic_heads import geometry, head, materials, rasterizer

_SKIN, _EYE, _TEETH, _TONGUE = head.SKIN, head.EYE, head.TEETH, head.TONGUE
_LASH, _HAIR, _DRAPE = head.LASH, head.HAIR, head.DRAPE
_BACKGROUND = head.BACKGROUND
_TURN = 2 * np.pi
_LAYER, _MASK, _LIPS = geometry.LAYER, geometry.HAIR_MASK, geometry.LIPS
_INNER, _AZIMUTH, _MATERIAL = geometry.INNER, geometry.AZIMUTH, geometry.MATERIAL
_ACROSS, _ALONG = geometry.ACROSS, geometry.ALONG


@numba.njit(cache=True, fastmath=True)
def shade(
    screen,
    triangles,
    attributes,
    normals,
    shown,
    view,
    texture,
    colours,
    numbers,
    strands,
    to_linear,
    to_bytes,
    directions,
    light_colours,
    sky,
    ground,
    openness,
    light_seen,
    light_depth,
    softness,
    head_up,
    background,
    samples,
    image,
):
    """Shade an image out of a z-buffer of `samples` x `samples` a pixel.

    Follows: Lambert and Blinn-Phong, with wrapped light for skin (ours). Each
    material that a pixel shows is shaded once and weighs by its samples.

    Args:
        screen, triangles, attributes, shown: as `rasterizer.rasterize` had them.
        normals: float32 `[N, 3]`.
        view: float64 `[3]` direction towards the eye.
        texture: uint8 `[H, W, 3]` skin.
        colours, numbers: see `materials`.
        strands, to_linear, to_bytes: lookup tables.
        directions, light_colours: float64 `[3, 3]`; sky, ground: `[3]`.
        openness: float32 `[N]`, `occlusion.openness`.
        light_seen: float32 `[N, 3]`, light_depth: `[L, L]` the key light's view.
        softness: texels between the taps of the key light's shadow.
        head_up: float32 `[3]` the head's upward axis.
        background: uint8 `[B, B, 3]`.
        samples: samples a pixel along one axis.
        image: uint8 `[P, P, 3]`, overwritten.
    """
    size = image.shape[0]
    counts = np.zeros(8, np.int64)
    sample_of = np.zeros(8, np.int64)
    albedo = np.zeros(3)
    scatter = np.zeros(3)
    total = np.zeros(3)
    for row in range(size):
        for column in range(size):
            total[:] = 0
            counts[:] = 0
            for i in range(samples):
                for j in range(samples):
                    t = shown[row * samples + i, column * samples + j]
                    m = _BACKGROUND
                    if t >= 0:
                        m = int(attributes[triangles[t, 0], _MATERIAL])
                    counts[m] += 1
                    sample_of[m] = i * samples + j
            for material in range(8):
                weight = counts[material]
                if weight == 0:
                    continue
                if material == _BACKGROUND:
                    up = row * background.shape[0] // size
                    left = column * background.shape[1] // size
                    for q in range(3):
                        total[q] += weight * background[up, left, q]
                    continue
                y = row * samples + sample_of[material] // samples
                x = column * samples + sample_of[material] % samples
                t = shown[y, x]
                a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
                x0, y0 = screen[a, 0], screen[a, 1]
                x1, y1 = screen[b, 0], screen[b, 1]
                x2, y2 = screen[c, 0], screen[c, 1]
                inverse = 1.0 / ((x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0))
                w1 = ((x - x0) * (y2 - y0) - (x2 - x0) * (y - y0)) * inverse
                w2 = ((x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)) * inverse
                w0 = 1.0 - w1 - w2
                nx = w0 * normals[a, 0] + w1 * normals[b, 0] + w2 * normals[c, 0]
                ny = w0 * normals[a, 1] + w1 * normals[b, 1] + w2 * normals[c, 1]
                nz = w0 * normals[a, 2] + w1 * normals[b, 2] + w2 * normals[c, 2]
                length = 1.0 / sqrt(nx * nx + ny * ny + nz * nz + 1e-12)
                nx, ny, nz = nx * length, ny * length, nz * length
                facing = nx * view[0] + ny * view[1] + nz * view[2]
                if material >= _LASH and facing < 0:
                    nx, ny, nz = -nx, -ny, -nz
                at, bt, ct = attributes[a], attributes[b], attributes[c]
                bx = w0 * at[0] + w1 * bt[0] + w2 * ct[0]
                by = w0 * at[1] + w1 * bt[1] + w2 * ct[1]
                bz = w0 * at[2] + w1 * bt[2] + w2 * ct[2]
                strand = 0.5
                if material == _SKIN or material == _HAIR or material == _DRAPE:
                    t0, t1, t2 = rasterizer.unwrapped(
                        at[_ACROSS], bt[_ACROSS], ct[_ACROSS], 1
                    )
                    strand = materials.lookup(
                        strands,
                        w0 * t0 + w1 * t1 + w2 * t2,
                        w0 * at[_ALONG] + w1 * bt[_ALONG] + w2 * ct[_ALONG],
                    )
                is_open = w0 * openness[a] + w1 * openness[b] + w2 * openness[c]
                lit_share = materials.shadow(
                    light_depth,
                    w0 * light_seen[a, 0]
                    + w1 * light_seen[b, 0]
                    + w2 * light_seen[c, 0],
                    w0 * light_seen[a, 1]
                    + w1 * light_seen[b, 1]
                    + w2 * light_seen[c, 1],
                    w0 * light_seen[a, 2]
                    + w1 * light_seen[b, 2]
                    + w2 * light_seen[c, 2],
                    softness,
                )
                gloss, power, hollow, wrap = 0.0, 4, 1.0, 0.25
                scatter[0], scatter[1], scatter[2] = 0.35, 0.10, 0.06
                if material == _SKIN:
                    mask = w0 * at[_MASK] + w1 * bt[_MASK] + w2 * ct[_MASK]
                    lip = w0 * at[_LIPS] + w1 * bt[_LIPS] + w2 * ct[_LIPS]
                    inner = w0 * at[_INNER] + w1 * bt[_INNER] + w2 * ct[_INNER]
                    edge = materials.neckline(bx, bz, numbers)
                    if by < edge:
                        hollow = is_open * materials.cloth(
                            bx, by, bz, edge, colours, numbers, strands, albedo
                        )
                        gloss = 0.01
                        scatter[:] = 0
                    elif inner > 0.5:
                        albedo[0], albedo[1], albedo[2] = 0.16, 0.03, 0.03
                        depth = min(max((bz - 0.55) / 0.95, 0.0), 1.0)
                        hollow, gloss = depth * depth * 0.5, 0.06
                    else:
                        gloss, power = 0.13 + 0.16 * lip, 4
                        red = 0.75 * materials.rise(0.2, 0.8, lip)
                        t0, t1, t2 = rasterizer.unwrapped(
                            at[_AZIMUTH], bt[_AZIMUTH], ct[_AZIMUTH], _TURN
                        )
                        azimuth = w0 * t0 + w1 * t1 + w2 * t2
                        for q in range(3):
                            albedo[q] = materials.texel(
                                texture, to_linear, azimuth, by, q
                            )
                            albedo[q] += (colours[materials.LIPS, q] - albedo[q]) * red
                        if numbers[materials.BALD] > 0:
                            cover = 0.15 * materials.rise(-0.05, 0.12, mask)
                        else:
                            cover = materials.rise(
                                -0.09, 0.09, mask + 0.20 * (strand - 0.5)
                            )
                        for q in range(3):
                            hair = colours[materials.HAIR, q] * (0.5 + 0.5 * strand)
                            albedo[q] += (hair - albedo[q]) * cover
                        gloss += (0.01 - gloss) * cover
                        hollow = is_open
                elif material == _EYE:
                    materials.eyeball(bx, by, bz, colours, strands, albedo)
                    scatter[:] = 0
                    gloss, power, wrap = 1.2, 6, 0.35
                    lifted = nx * head_up[0] + ny * head_up[1] + nz * head_up[2]
                    hollow = 0.9 - 0.6 * materials.rise(-0.05, 0.40, lifted)
                elif material == _TEETH:
                    hollow = materials.tooth(bx, by, bz, albedo)
                    gloss, power, lit_share = 0.2, 5, 0.5 + 0.5 * lit_share
                    scatter[:] = 0.05
                elif material == _TONGUE:
                    albedo[0], albedo[1], albedo[2] = 0.30, 0.08, 0.08
                    hollow = 0.1 + 0.5 * min(max((bz - 0.6) / 0.8, 0.0), 1.0)
                    gloss, power = 0.12, 5
                elif material == _LASH:
                    for q in range(3):
                        albedo[q] = colours[materials.LASHES, q]
                    scatter[:] = 0
                else:
                    down = -ny
                    tx, ty, tz = -nx * down, -1 - ny * down, -nz * down
                    hx = directions[0, 0] + view[0]
                    hy = directions[0, 1] + view[1]
                    hz = directions[0, 2] + view[2]
                    scale = 1.0 / sqrt(
                        (tx * tx + ty * ty + tz * tz + 1e-9)
                        * (hx * hx + hy * hy + hz * hz)
                    )
                    along_light = (tx * hx + ty * hy + tz * hz) * scale
                    shine = max(1.0 - along_light * along_light, 0.0) ** 14
                    materials.strand_colour(colours, strand, shine, albedo)
                    hollow = (0.45 + 0.55 * at[_LAYER]) * (0.3 + 0.7 * is_open)
                    scatter[:] = 0
                    wrap = 0.3
                upward = ny * 0.5 + 0.5
                rim = 1.0 - max(nx * view[0] + ny * view[1] + nz * view[2], 0.0)
                rim = 0.25 + 0.75 * rim * rim * rim * rim
                glint = 0.0
                if material == _EYE:
                    rim = 1.0
                    gx = nx - view[0] - 0.20 * head_up[0] + 0.12
                    gy = ny - view[1] - 0.20 * head_up[1]
                    gz = nz - view[2] - 0.20 * head_up[2]
                    glint = materials.rise(
                        0.13, 0.05, sqrt(gx * gx + gy * gy + gz * gz)
                    )
                r = albedo[0] * (ground[0] + (sky[0] - ground[0]) * upward) * hollow
                g = albedo[1] * (ground[1] + (sky[1] - ground[1]) * upward) * hollow
                blue = albedo[2] * (ground[2] + (sky[2] - ground[2]) * upward) * hollow
                r, g, blue = (
                    r + glint * sky[0],
                    g + glint * sky[1],
                    blue + glint * sky[2],
                )
                cavity = 0.45 + 0.55 * hollow
                for light in range(3):
                    dx, dy = directions[light, 0], directions[light, 1]
                    dz = directions[light, 2]
                    cosine = nx * dx + ny * dy + nz * dz
                    soft = min(max((cosine + wrap) / (1 + wrap), 0.0), 1.0)
                    hard = max(cosine, 0.0)
                    diffuse = 0.5 * hard + 0.5 * soft * soft
                    bleed = max(soft - hard, 0.0) * 0.8
                    shine = 0.0
                    if gloss > 0 and cosine > 0:
                        hx, hy, hz = dx + view[0], dy + view[1], dz + view[2]
                        shine = (nx * hx + ny * hy + nz * hz) / sqrt(
                            hx * hx + hy * hy + hz * hz
                        )
                        shine = max(shine, 0.0)
                        for _ in range(power):
                            shine = shine * shine
                        shine *= gloss * rim
                    arriving = cavity
                    if light == 0:
                        arriving = cavity * lit_share
                    r += (
                        light_colours[light, 0]
                        * arriving
                        * (albedo[0] * (diffuse + scatter[0] * bleed) + shine)
                    )
                    g += (
                        light_colours[light, 1]
                        * arriving
                        * (albedo[1] * (diffuse + scatter[1] * bleed) + shine)
                    )
                    blue += (
                        light_colours[light, 2]
                        * arriving
                        * (albedo[2] * (diffuse + scatter[2] * bleed) + shine)
                    )
                total[0] += weight * to_bytes[min(1023, int(r * 341.0))]
                total[1] += weight * to_bytes[min(1023, int(g * 341.0))]
                total[2] += weight * to_bytes[min(1023, int(blue * 341.0))]
            for q in range(3):
                image[row, column, q] = np.uint8(
                    min(255.0, total[q] / (samples * samples) + 0.5)
                )
