"""The z-buffer over a portrait's mesh, and what each pixel of an image then shows."""

from math import ceil, floor, sqrt

import numba
import numpy as np

SHEET, FACE, EYE, MOUTH, INVENTED = range(5)
"""What a triangle is: hair, neck and torso; the face; what lies behind its holes as
photographed; what was not photographed."""

LARGEST_STRETCH = 2.0
"""Up to which a triangle's pixels may be learnt. Ours: beyond, skin is visibly blurred
in one direction."""

TURNED_OVER = 99.0
"""Stretch of a triangle that shows its back."""

EDGE = 1e-4
"""Tolerance of a triangle's edges, so that no sample falls between two of them."""

CLEAR = 0.03
"""Opacity below which the sheet shows nothing. Ours."""

OPAQUE = 0.95
"""Opacity from which the sheet's colours are its own. Ours."""

_njit = numba.njit(cache=True, fastmath=True, nogil=True)


@_njit
def stretches(triangles, source, target):
    """Return how much longer each triangle gets at most, `[T]`; see `TURNED_OVER`.

    Args:
        triangles: int32 `[T, 3]`.
        source, target: float32 `[N, 2]` places before and after.
    """
    result = np.empty(len(triangles), np.float32)
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux, uy = source[b, 0] - source[a, 0], source[b, 1] - source[a, 1]
        vx, vy = source[c, 0] - source[a, 0], source[c, 1] - source[a, 1]
        px, py = target[b, 0] - target[a, 0], target[b, 1] - target[a, 1]
        qx, qy = target[c, 0] - target[a, 0], target[c, 1] - target[a, 1]
        area = ux * vy - vx * uy
        if abs(area) < 1e-12 or area * (px * qy - qx * py) <= 0:
            result[t] = TURNED_OVER
            continue
        # J takes source edges to target edges; its largest singular value counts.
        m00, m01 = (px * vy - qx * uy) / area, (qx * ux - px * vx) / area
        m10, m11 = (py * vy - qy * uy) / area, (qy * ux - py * vx) / area
        trace = m00 * m00 + m01 * m01 + m10 * m10 + m11 * m11
        det = m00 * m11 - m01 * m10
        rest = max(0.0, trace * trace - 4.0 * det * det)
        result[t] = sqrt(0.5 * (trace + sqrt(rest)))
    return result


@_njit
def rasterize(screen, triangles, clear, uv, opacity, depth, shown):
    """Fill the z-buffer.

    Args:
        screen: float32 `[N, 3]` x, y in samples (centres at integers), depth.
        triangles: int32 `[T, 3]`, wound alike; turned over ones are skipped.
        clear: int32 `[T]` 0 opaque, 1 partly, 2 wholly transparent.
        uv: float32 `[N, 2]` pixels of `opacity`, centres at integers.
        opacity: float32 `[H, W]`.
        depth, shown: float32 and int32 `[S, S]`, overwritten; -1 shows nothing.
    """
    size = depth.shape[0]
    rows, columns = opacity.shape
    depth[:] = 1e9
    shown[:] = -1
    for t in range(len(triangles)):
        if clear[t] == 2:
            continue
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0, z0 = screen[a, 0], screen[a, 1], screen[a, 2]
        x1, y1, z1 = screen[b, 0], screen[b, 1], screen[b, 2]
        x2, y2, z2 = screen[c, 0], screen[c, 1], screen[c, 2]
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if area < 1e-9:
            continue
        left = max(0, int(ceil(min(x0, x1, x2))))
        right = min(size - 1, int(floor(max(x0, x1, x2))))
        top = max(0, int(ceil(min(y0, y1, y2))))
        bottom = min(size - 1, int(floor(max(y0, y1, y2))))
        inverse = 1.0 / area
        across1, across2 = (y2 - y0) * inverse, -(y1 - y0) * inverse
        down1, down2 = -(x2 - x0) * inverse, (x1 - x0) * inverse
        for y in range(top, bottom + 1):
            first = (y - y0) * down1 - x0 * across1
            second = (y - y0) * down2 - x0 * across2
            for x in range(left, right + 1):
                w1, w2 = first + x * across1, second + x * across2
                w0 = 1.0 - w1 - w2
                if w0 < -EDGE or w1 < -EDGE or w2 < -EDGE:
                    continue
                z = w0 * z0 + w1 * z1 + w2 * z2
                if z >= depth[y, x]:
                    continue
                if clear[t] == 1:
                    u = int(w0 * uv[a, 0] + w1 * uv[b, 0] + w2 * uv[c, 0] + 0.5)
                    v = int(w0 * uv[a, 1] + w1 * uv[b, 1] + w2 * uv[c, 1] + 0.5)
                    u = min(max(u, 0), columns - 1)
                    v = min(max(v, 0), rows - 1)
                    if opacity[v, u] < CLEAR:
                        continue
                depth[y, x] = z
                shown[y, x] = t


@_njit
def weights_in(screen, triangles, t, x, y):
    """Return the three weights of a sample in a triangle."""
    a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
    x0, y0 = screen[a, 0], screen[a, 1]
    px, py = screen[b, 0] - x0, screen[b, 1] - y0
    qx, qy = screen[c, 0] - x0, screen[c, 1] - y0
    inverse = 1.0 / (px * qy - qx * py)
    w1 = ((x - x0) * qy - (y - y0) * qx) * inverse
    w2 = ((y - y0) * px - (x - x0) * py) * inverse
    return 1.0 - w1 - w2, w1, w2


@_njit
def interpolated(values, triangles, t, w0, w1, w2, column):
    """Interpolate a column of vertices' values in a triangle."""
    a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
    return w0 * values[a, column] + w1 * values[b, column] + w2 * values[c, column]


@_njit
def sample(texture, u, v, out):
    """Sample a texture `[H, W, C]` bilinearly into `out` `[C]`."""
    rows, columns = texture.shape[0], texture.shape[1]
    u = min(max(u, 0.0), columns - 1.001)
    v = min(max(v, 0.0), rows - 1.001)
    i, j = int(u), int(v)
    fu, fv = u - i, v - j
    for k in range(texture.shape[2]):
        top = texture[j, i, k] * (1 - fu) + texture[j, i + 1, k] * fu
        low = texture[j + 1, i, k] * (1 - fu) + texture[j + 1, i + 1, k] * fu
        out[k] = top * (1 - fv) + low * fv


@_njit
def colour(
    screen, triangles, kinds, uv, texture, ground, shown, ground_scale, ground_shift,
    factor, image,
):  # fmt: skip
    """Colour every pixel from `factor` x `factor` samples.

    Args:
        screen, triangles, uv: as in `rasterize`; kinds: int32 `[T]`.
        texture: float32 `[H, W, 4]` colour and opacity.
        ground: float32 `[H, W, 4]` background.
        shown: int32 `[S, S]` of `rasterize`.
        ground_scale, ground_shift: from samples to pixels of `ground`.
        factor: samples per pixel along a side.
        image: float32 `[S / factor, S / factor, 3]`, overwritten.
    """
    size = image.shape[0]
    over, under = np.zeros(4, np.float32), np.zeros(4, np.float32)
    share = 1.0 / (factor * factor)
    for row in range(size):
        for column in range(size):
            red = green = blue = 0.0
            for y in range(row * factor, (row + 1) * factor):
                for x in range(column * factor, (column + 1) * factor):
                    t = shown[y, x]
                    alpha = 0.0
                    if t >= 0:
                        w0, w1, w2 = weights_in(screen, triangles, t, x, y)
                        u = interpolated(uv, triangles, t, w0, w1, w2, 0)
                        v = interpolated(uv, triangles, t, w0, w1, w2, 1)
                        sample(texture, u, v, over)
                        alpha = over[3] if kinds[t] == SHEET else 1.0
                    if alpha < 1.0:
                        u = x * ground_scale + ground_shift
                        v = y * ground_scale + ground_shift
                        sample(ground, u, v, under)
                    red += alpha * over[0] + (1 - alpha) * under[0]
                    green += alpha * over[1] + (1 - alpha) * under[1]
                    blue += alpha * over[2] + (1 - alpha) * under[2]
            image[row, column, 0] = red * share
            image[row, column, 1] = green * share
            image[row, column, 2] = blue * share


@_njit
def trace(
    screen, triangles, kinds, stretch, uv, source, opacity, ground_own, shown,
    ground_scale, ground_shift, trusted, where, places, is_good,
):  # fmt: skip
    """Tell of every sample where the source shows it, and whether it may be learnt.

    Args:
        screen, triangles, uv: as in `rasterize`; kinds: int32 `[T]`.
        stretch: float32 `[T]` against what counts as true.
        source: float32 `[N, 2]` where the source image shows each vertex.
        opacity: float32 `[H, W, 1]`; ground_own: float32 `[H, W, 1]` 1 where the
            background is the picture's own; both over the texture's square.
        shown: int32 `[S, S]` of `rasterize`.
        ground_scale, ground_shift: from samples to pixels of them.
        trusted: kinds below it may be learnt.
        where: float32 `[S, S, 2]`, overwritten: place in the source; background keeps
            its own, in samples.
        places: float32 `[S, S, 3]`, overwritten: texture pixel and opacity.
        is_good: bool `[S, S]`, overwritten.
    """
    size = shown.shape[0]
    share, own = np.empty(1, np.float32), np.empty(1, np.float32)
    for y in range(size):
        for x in range(size):
            t = shown[y, x]
            gu, gv = x * ground_scale + ground_shift, y * ground_scale + ground_shift
            alpha, good = 0.0, True
            u, v = gu, gv
            if t >= 0:
                w0, w1, w2 = weights_in(screen, triangles, t, x, y)
                u = interpolated(uv, triangles, t, w0, w1, w2, 0)
                v = interpolated(uv, triangles, t, w0, w1, w2, 1)
                alpha = 1.0
                if kinds[t] == SHEET:
                    sample(opacity, u, v, share)
                    alpha = share[0]
                good = kinds[t] < trusted and stretch[t] <= LARGEST_STRETCH
            if alpha > 0.5:
                where[y, x, 0] = interpolated(source, triangles, t, w0, w1, w2, 0)
                where[y, x, 1] = interpolated(source, triangles, t, w0, w1, w2, 1)
            else:
                where[y, x, 0], where[y, x, 1] = x, y
                u, v = gu, gv
            if alpha <= 1.0 - OPAQUE:
                sample(ground_own, gu, gv, own)
                good = own[0] > 0.99
            elif alpha < OPAQUE:
                good = False
            places[y, x, 0], places[y, x, 1], places[y, x, 2] = u, v, alpha
            is_good[y, x] = good
