"""Colour of every pixel of a rasterised head."""

from math import sqrt
from typing import NamedTuple

import numba
import numpy as np

from datasets.synthetic_heads.person import geometry, head
from datasets.synthetic_heads.rendering import kernels, lighting, materials, rasterizer

_SKIN, _EYE, _TEETH, _TONGUE = head.SKIN, head.EYE, head.TEETH, head.TONGUE
_LASH, _HAIR, _DRAPE, _WORN = head.LASH, head.HAIR, head.DRAPE, head.WORN
_BACKGROUND, _NUM_MATERIALS = head.BACKGROUND, head.BACKGROUND + 1
_LAYER, _MASK, _LIPS = geometry.LAYER, geometry.HAIR_MASK, geometry.LIPS
_INNER, _AZIMUTH, _MATERIAL = geometry.INNER, geometry.AZIMUTH, geometry.MATERIAL
_ACROSS, _ALONG = geometry.ACROSS, geometry.ALONG
_TURN = 2 * np.pi


class Surface(NamedTuple):
    """A mesh as the camera sees it.

    Attributes:
        screen, triangles, attributes, shown: as `rasterizer.rasterize` had them.
        normals: float32 `[N, 3]`.
        openness: float32 `[N]`, `occlusion.openness`.
    """

    screen: np.ndarray
    triangles: np.ndarray
    attributes: np.ndarray
    shown: np.ndarray
    normals: np.ndarray
    openness: np.ndarray


class Looks(NamedTuple):
    """What a person is made of.

    Attributes:
        texture: uint8 `[H, W, 3]` skin.
        colours, numbers: see `materials`.
        strands, to_linear, to_bytes: lookup tables.
    """

    texture: np.ndarray
    colours: np.ndarray
    numbers: np.ndarray
    strands: np.ndarray
    to_linear: np.ndarray
    to_bytes: np.ndarray


class Lights(NamedTuple):
    """Light, as `lighting` computes with it.

    Attributes:
        directions, intensities: float64 `[3, 3]` of the lights.
        sky, ground: float64 `[3]`.
        seen: float32 `[N, 3]`, depth: `[L, L]`, the key light's view.
        softness: texels between the taps of the key light's shadow.
    """

    directions: np.ndarray
    intensities: np.ndarray
    sky: np.ndarray
    ground: np.ndarray
    seen: np.ndarray
    depth: np.ndarray
    softness: float


class Eye(NamedTuple):
    """From where a head is seen.

    Attributes:
        towards: float64 `[3]` direction towards the eye.
        head_up: float64 `[3]` the head's own up.
    """

    towards: np.ndarray
    head_up: np.ndarray


@numba.njit(inline="always", fastmath=True)
def _mixed(values, column, corners, shares):
    return (
        shares[0] * values[corners[0], column]
        + shares[1] * values[corners[1], column]
        + shares[2] * values[corners[2], column]
    )


@numba.njit(inline="always", fastmath=True)
def _mixed_around(values, column, corners, shares, period):
    first, second, third = rasterizer.unwrapped(
        values[corners[0], column],
        values[corners[1], column],
        values[corners[2], column],
        period,
    )
    return shares[0] * first + shares[1] * second + shares[2] * third


@numba.njit(inline="always", fastmath=True)
def corner_shares(screen, corners, x, y):
    """Return the barycentric shares of a triangle's corners at a sample."""
    a, b, c = corners
    x0, y0 = screen[a, 0], screen[a, 1]
    x1, y1 = screen[b, 0], screen[b, 1]
    x2, y2 = screen[c, 0], screen[c, 1]
    inverse = 1.0 / ((x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0))
    w1 = ((x - x0) * (y2 - y0) - (x2 - x0) * (y - y0)) * inverse
    w2 = ((x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)) * inverse
    return 1.0 - w1 - w2, w1, w2


@kernels.cached
def shade(surface, looks, lights, eye, background, samples, image):
    """Shade an image out of a z-buffer of `samples` x `samples` a pixel.

    Ours: each material that a pixel shows is shaded once and weighs by its samples,
    as multisampling does; light is that of `lighting`.

    Args:
        surface, looks, lights, eye: what is seen, how it looks, and from where.
        background: uint8 `[B, B, 3]`.
        samples: samples a pixel along one axis.
        image: uint8 `[P, P, 3]`, overwritten.
    """
    size, room = image.shape[0], background.shape[0]
    counts = np.zeros(_NUM_MATERIALS, np.int64)
    sample_of = np.zeros(_NUM_MATERIALS, np.int64)
    albedo, scatter = np.zeros(3), np.zeros(3)
    light, total = np.zeros(3), np.zeros(3)
    for row in range(size):
        for column in range(size):
            total[:] = 0
            _count_materials(surface, row, column, samples, counts, sample_of)
            if counts[_BACKGROUND] > 0:
                up, left = row * room // size, column * room // size
                for q in range(3):
                    total[q] = counts[_BACKGROUND] * background[up, left, q]
            for material in range(_BACKGROUND):
                if counts[material] == 0:
                    continue
                y = row * samples + sample_of[material] // samples
                x = column * samples + sample_of[material] % samples
                _light_sample(
                    material, x, y, surface, looks, lights, eye, albedo, scatter, light
                )
                for q in range(3):
                    level = looks.to_bytes[min(1023, int(light[q] * 341.0))]
                    total[q] += counts[material] * level
            for q in range(3):
                level = total[q] / (samples * samples) + 0.5
                image[row, column, q] = np.uint8(min(255.0, level))


@numba.njit(inline="always", fastmath=True)
def _count_materials(surface, row, column, samples, counts, sample_of):
    """Count the samples of a pixel by material, and keep the last one of each."""
    counts[:] = 0
    for i in range(samples):
        for j in range(samples):
            t = surface.shown[row * samples + i, column * samples + j]
            material = _BACKGROUND
            if t >= 0:
                material = int(surface.attributes[surface.triangles[t, 0], _MATERIAL])
            counts[material] += 1
            sample_of[material] = i * samples + j


@numba.njit(inline="always", fastmath=True)
def _light_sample(material, x, y, surface, looks, lights, eye, albedo, scatter, light):
    """Fill in the light that comes from a sample; albedo and scatter are scratch."""
    triangle = surface.triangles[surface.shown[y, x]]
    corners = triangle[0], triangle[1], triangle[2]
    shares = corner_shares(surface.screen, corners, x, y)
    normal = _normal(material, surface, corners, shares, eye)
    is_open = (
        shares[0] * surface.openness[corners[0]]
        + shares[1] * surface.openness[corners[1]]
        + shares[2] * surface.openness[corners[2]]
    )
    hollow, gloss, power, wrap, shaded = _surface(
        material,
        corners,
        shares,
        normal,
        is_open,
        surface.attributes,
        eye.head_up,
        looks,
        albedo,
        scatter,
    )
    if material == _HAIR or material == _DRAPE:
        shine = lighting.strand_shine(normal, eye.towards, lights.directions)
        materials.shine_hair(looks.colours, shine, albedo)
    key_share = 1.0
    if shaded > 0.0:
        key_share = (
            1.0
            - shaded
            + shaded
            * lighting.key_share(
                lights.depth,
                _mixed(lights.seen, 0, corners, shares),
                _mixed(lights.seen, 1, corners, shares),
                _mixed(lights.seen, 2, corners, shares),
                lights.softness,
            )
        )
    lighting.add_sky(normal, albedo, hollow, lights.sky, lights.ground, light)
    if material == _EYE:
        lighting.add_glint(normal, eye.towards, eye.head_up, lights.sky, light)
    lighting.add_lights(
        normal,
        eye.towards,
        albedo,
        scatter,
        (hollow, gloss, power, wrap, key_share),
        lights.directions,
        lights.intensities,
        light,
    )


@numba.njit(inline="always", fastmath=True)
def _normal(material, surface, corners, shares, eye):
    """Return the normal at a sample; lashes, hair and clothes have two sides."""
    nx = _mixed(surface.normals, 0, corners, shares)
    ny = _mixed(surface.normals, 1, corners, shares)
    nz = _mixed(surface.normals, 2, corners, shares)
    length = 1.0 / sqrt(nx * nx + ny * ny + nz * nz + 1e-12)
    view = eye.towards
    facing = nx * view[0] + ny * view[1] + nz * view[2]
    if material >= _LASH and facing < 0:
        length = -length
    return nx * length, ny * length, nz * length


@numba.njit(inline="always", fastmath=True)
def _surface(
    material,
    corners,
    shares,
    normal,
    is_open,
    attributes,
    head_up,
    looks,
    albedo,
    scatter,
):
    """Fill albedo and scatter; return hollow, gloss, power, wrap, shadow's weight."""
    colours, numbers, strands = looks.colours, looks.numbers, looks.strands
    bx = _mixed(attributes, 0, corners, shares)
    by = _mixed(attributes, 1, corners, shares)
    bz = _mixed(attributes, 2, corners, shares)
    hollow, gloss, power, wrap = 1.0, 0.0, 4, 0.25
    scatter[:] = 0.0
    if material == _EYE:
        materials.eyeball(bx, by, bz, colours, strands, albedo)
        lifted = (
            normal[0] * head_up[0] + normal[1] * head_up[1] + normal[2] * head_up[2]
        )
        hollow = 0.9 - 0.65 * materials.rise(-0.12, 0.34, lifted)
        return hollow, 0.6, lighting.EYE_POWER, 0.35, 0.7
    if material == _TEETH:
        scatter[0], scatter[1], scatter[2] = 0.25, 0.08, 0.06
        hollow = materials.tooth(bx, by, bz, colours, albedo)
        return hollow, 0.2, 5, wrap, 0.5
    if material == _LASH:
        for q in range(3):
            albedo[q] = colours[materials.LASHES, q]
        return hollow, gloss, power, wrap, 0.0
    scatter[0], scatter[1], scatter[2] = 0.35, 0.10, 0.06
    if material == _TONGUE:
        depth = min(max((bz - 0.6) / 0.7, 0.0), 1.0)
        front = 0.3 + 0.7 * depth * depth
        albedo[0], albedo[1], albedo[2] = 0.30 * front, 0.085 * front, 0.085 * front
        hollow = 0.1 + 0.5 * depth
        return hollow, 0.12, 5, wrap, 0.5
    if material == _WORN:
        scatter[:] = 0.0
        if attributes[corners[0], _LAYER] > 0.5:
            materials.knit(bx, by, bz, colours, albedo)
            return is_open, 0.0, power, wrap, 1.0
        for q in range(3):
            albedo[q] = colours[materials.FRAME, q]
        return hollow, 0.25, 5, wrap, 0.5
    strand = materials.lookup(
        strands,
        _mixed_around(attributes, _ACROSS, corners, shares, 1),
        _mixed(attributes, _ALONG, corners, shares),
    )
    if material != _SKIN:
        scatter[:] = 0.0
        for q in range(3):
            albedo[q] = colours[materials.HAIR, q] * (0.45 + 0.95 * strand)
        layer = attributes[corners[0], _LAYER]
        hollow = (0.45 + 0.55 * layer) * (0.3 + 0.7 * is_open)
        return hollow, gloss, power, 0.3, 1.0
    edge = materials.neckline(bx, bz, numbers)
    if by < edge:
        scatter[:] = 0.0
        hollow = is_open * materials.cloth(
            bx, by, bz, edge, colours, numbers, strands, albedo
        )
        return hollow, 0.01, power, wrap, 1.0
    return _skin(by, bz, corners, shares, is_open, attributes, looks, strand, albedo)


@numba.njit(inline="always", fastmath=True)
def _skin(by, bz, corners, shares, is_open, attributes, looks, strand, albedo):
    """Fill the albedo of skin, lips, scalp and cheeks' inside; see `_surface`."""
    power, wrap = 4, 0.25
    colours, numbers = looks.colours, looks.numbers
    if _mixed(attributes, _INNER, corners, shares) > 0.5:
        albedo[0], albedo[1], albedo[2] = 0.16, 0.03, 0.03
        depth = min(max((bz - 0.55) / 0.95, 0.0), 1.0)
        return depth * depth * 0.5, 0.06, power, wrap, 0.5
    lip = _mixed(attributes, _LIPS, corners, shares)
    azimuth = _mixed_around(attributes, _AZIMUTH, corners, shares, _TURN)
    red = 0.75 * materials.rise(0.2, 0.8, lip)
    mask = _mixed(attributes, _MASK, corners, shares)
    cover = materials.rise(-0.09, 0.09, mask + 0.20 * (strand - 0.5))
    if numbers[materials.BALD] > 0:
        cover *= 0.15
    for q in range(3):
        skin = materials.texel(looks.texture, looks.to_linear, azimuth, by, q)
        skin += (colours[materials.LIPS, q] - skin) * red
        root = colours[materials.HAIR, q] * (0.5 + 0.5 * strand)
        albedo[q] = skin + (root - skin) * cover
    gloss = numbers[materials.GLOSS] * (0.13 + 0.16 * lip)
    gloss = gloss * (1 - cover) + 0.01 * cover
    return is_open, gloss, power, wrap, 1.0
