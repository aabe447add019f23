"""The z-buffer over a head's mesh, and what each pixel of the image then shows."""

from math import ceil, floor, sqrt

import numpy as np

from datasets.photo_heads.rendering import kernels

SHEET, FACE, EYE, MOUTH, INVENTED, CUT_OUT, HIDDEN_EYE = range(7)
"""What a triangle is: hair, neck and torso; the face; what lies behind its holes as
photographed; what was not photographed: a cavity, teeth and tongue cut out by the
opacity of their tiles, and what lids or irises hid of the eyes."""

LARGEST_STRETCH = 2.0
"""How much longer a triangle may get and still be the photograph's own. Ours: beyond,
its blur shows."""

TURNED_OVER = 99.0

CLEAR = 0.03
"""Opacity below which the sheet shows nothing."""

_EDGE = 1e-4
"""Tolerance of a triangle's edges, so that no sample falls between two of them."""

NEARLY_CLEAR, NEARLY_OPAQUE = 0.05, 0.95
"""Opacities between which a sample shows neither person nor background alone."""

_LARGEST_SPREAD = 3.0
"""Texture samples of one pixel lie this many pixels apart at most, or it shows an
edge."""

_BACKGROUND_CLASS, _TORSO_CLASS, _HEAD_CLASS, _EYES_CLASS, _MOUTH_CLASS = 0, 1, 2, 4, 5
"""Indices in `synthetic_heads.names.MASK_CLASSES`."""


@kernels.cached
def stretches(triangles, source, target):
    """Return how much longer triangles get at most; `TURNED_OVER` where that happens.

    Args:
        triangles: int32 `[T, 3]`.
        source, target: float32 `[N, 2]` before and after.

    Returns:
        float32 `[T]`.
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
        spread = sqrt(max(0.0, trace * trace - 4.0 * det * det))
        result[t] = sqrt(0.5 * (trace + spread))
    return result


@kernels.cached
def rasterize(screen, triangles, kinds, uv, opacity, depth, shown):
    """Fill the z-buffer.

    Args:
        screen: float32 `[N, 3]` x, y in samples (centres at integers), depth.
        triangles: int32 `[T, 3]`, wound alike; turned over ones are skipped.
        kinds: int32 `[T]`.
        uv: float32 `[N, 2]` pixels of `opacity`, centres at integers.
        opacity: float32 `[H, W]` of the sheet.
        depth, shown: float32 and int32 `[S, S]`, overwritten: what is nearest, and its
            triangle or -1.
    """
    size = depth.shape[0]
    rows, columns = opacity.shape
    depth[:] = 1e9
    shown[:] = -1
    for t in range(len(triangles)):
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
                if w0 < -_EDGE or w1 < -_EDGE or w2 < -_EDGE:
                    continue
                z = w0 * z0 + w1 * z1 + w2 * z2
                if z >= depth[y, x]:
                    continue
                if kinds[t] == SHEET or kinds[t] == CUT_OUT:
                    u = int(w0 * uv[a, 0] + w1 * uv[b, 0] + w2 * uv[c, 0] + 0.5)
                    v = int(w0 * uv[a, 1] + w1 * uv[b, 1] + w2 * uv[c, 1] + 0.5)
                    u = min(max(u, 0), columns - 1)
                    v = min(max(v, 0), rows - 1)
                    if opacity[v, u] < CLEAR:
                        continue
                depth[y, x] = z
                shown[y, x] = t


@kernels.cached
def corner_shares(screen, a, b, c, x, y):
    """Return the shares of a triangle's corners at a sample, those of b and c."""
    x0, y0 = screen[a, 0], screen[a, 1]
    px, py = screen[b, 0] - x0, screen[b, 1] - y0
    qx, qy = screen[c, 0] - x0, screen[c, 1] - y0
    inverse = 1.0 / (px * qy - qx * py)
    w1 = ((x - x0) * qy - (y - y0) * qx) * inverse
    w2 = ((y - y0) * px - (x - x0) * py) * inverse
    return w1, w2


@kernels.cached
def _sample(texture, u, v, out):
    rows, columns = texture.shape[0], texture.shape[1]
    u = min(max(u, 0.0), columns - 1.001)
    v = min(max(v, 0.0), rows - 1.001)
    i, j = int(u), int(v)
    fu, fv = u - i, v - j
    for k in range(texture.shape[2]):
        top = texture[j, i, k] * (1 - fu) + texture[j, i + 1, k] * fu
        low = texture[j + 1, i, k] * (1 - fu) + texture[j + 1, i + 1, k] * fu
        out[k] = top * (1 - fv) + low * fv


@kernels.cached
def resolve(
    screen, triangles, kinds, stretch, uv, home, texture, ground, picture, shown,
    ground_map, factor, image, genuine,
):  # fmt: skip
    """Colour every pixel from `factor` x `factor` samples.

    Args:
        screen, triangles, kinds: as `rasterize` had them.
        stretch: float32 `[T]`, see `stretches`.
        uv: float32 `[N, 2]` pixels of the texture; home: where the same was
            photographed.
        texture: float32 `[H, W, 4]` colour and opacity.
        ground: float32 `[S, S, 4]` background, and 1 where it is the picture's own.
        picture: float32 `[4]` left, top, right, bottom of the picture in the texture.
        shown: int32 `[F, F]` the triangle that each sample shows.
        ground_map: float32 `[2]`: samples (x, y) show the ground at x, y times the
            first plus the second.
        factor: samples along a pixel's side.
        image: float32 `[F / factor, F / factor, 3]`, overwritten.
        genuine: bool, the same without colours, overwritten.
    """
    size = image.shape[0]
    colour, behind = np.zeros(4, np.float32), np.zeros(4, np.float32)
    limit = _LARGEST_SPREAD * factor * ground_map[0]
    share = 1.0 / (factor * factor)
    for row in range(size):
        for column in range(size):
            red = green = blue = 0.0
            good = True
            left = top = 1e9
            right = bottom = -1e9
            for number in range(factor * factor):
                y = row * factor + number // factor
                x = column * factor + number % factor
                t = shown[y, x]
                alpha = 0.0
                gu = x * ground_map[0] + ground_map[1]
                gv = y * ground_map[0] + ground_map[1]
                u, v = gu, gv
                fine = True
                if t >= 0:
                    a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
                    w1, w2 = corner_shares(screen, a, b, c, x, y)
                    w0 = 1.0 - w1 - w2
                    u = w0 * uv[a, 0] + w1 * uv[b, 0] + w2 * uv[c, 0]
                    v = w0 * uv[a, 1] + w1 * uv[b, 1] + w2 * uv[c, 1]
                    _sample(texture, u, v, colour)
                    u = w0 * home[a, 0] + w1 * home[b, 0] + w2 * home[c, 0]
                    v = w0 * home[a, 1] + w1 * home[b, 1] + w2 * home[c, 1]
                    alpha = colour[3] if kinds[t] == SHEET else 1.0
                    fine = kinds[t] < INVENTED and stretch[t] <= LARGEST_STRETCH
                if alpha < 1.0:
                    _sample(ground, gu, gv, behind)
                    if alpha <= NEARLY_CLEAR:
                        u, v = gu, gv
                        fine = behind[3] > 0.99
                    elif alpha < NEARLY_OPAQUE:
                        fine = False
                red += alpha * colour[0] + (1 - alpha) * behind[0]
                green += alpha * colour[1] + (1 - alpha) * behind[1]
                blue += alpha * colour[2] + (1 - alpha) * behind[2]
                left, right = min(left, u), max(right, u)
                top, bottom = min(top, v), max(bottom, v)
                good = good and fine
            image[row, column, 0] = red * share
            image[row, column, 1] = green * share
            image[row, column, 2] = blue * share
            inside = left > picture[0] and right < picture[2]
            inside = inside and top > picture[1] and bottom < picture[3]
            edge = right - left > limit or bottom - top > limit
            genuine[row, column] = good and inside and not edge


@kernels.cached
def draw_masks(screen, triangles, kinds, uv, opacity, turning, shown, masks):
    """Give every cell its most frequent class among 4 x 4 samples.

    Args:
        screen, triangles, kinds, uv, opacity, shown: as `rasterize` had them.
        turning: float32 `[N]` share of the head's turn.
        masks: uint8 `[M, M]` of `synthetic_heads.names.MASK_CLASSES`, overwritten.
    """
    size, cells = shown.shape[0], masks.shape[0]
    taps = max(1, min(4, size // cells))
    counts = np.zeros(6, np.int64)
    rows, columns = opacity.shape
    for row in range(cells):
        for column in range(cells):
            counts[:] = 0
            for number in range(taps * taps):
                y = int((row + (number // taps + 0.5) / taps) * size / cells)
                x = int((column + (number % taps + 0.5) / taps) * size / cells)
                t = shown[y, x]
                if t < 0:
                    counts[_BACKGROUND_CLASS] += 1
                elif kinds[t] == FACE:
                    counts[_HEAD_CLASS] += 1
                elif kinds[t] == EYE or kinds[t] == HIDDEN_EYE:
                    counts[_EYES_CLASS] += 1
                elif kinds[t] != SHEET:
                    counts[_MOUTH_CLASS] += 1
                else:
                    a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
                    w1, w2 = corner_shares(screen, a, b, c, x, y)
                    w0 = 1.0 - w1 - w2
                    u = int(w0 * uv[a, 0] + w1 * uv[b, 0] + w2 * uv[c, 0] + 0.5)
                    v = int(w0 * uv[a, 1] + w1 * uv[b, 1] + w2 * uv[c, 1] + 0.5)
                    u = min(max(u, 0), columns - 1)
                    v = min(max(v, 0), rows - 1)
                    turn = w0 * turning[a] + w1 * turning[b] + w2 * turning[c]
                    if opacity[v, u] <= 0.5:
                        counts[_BACKGROUND_CLASS] += 1
                    elif turn > 0.5:
                        counts[_HEAD_CLASS] += 1
                    else:
                        counts[_TORSO_CLASS] += 1
            masks[row, column] = np.argmax(counts)
