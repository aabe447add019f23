"""The z-buffer: which triangle every sample of the image shows."""

from math import ceil, floor

import numba

from datasets.synthetic_heads.person import geometry, head
from datasets.synthetic_heads.rendering import kernels

FAR = 1e9

_MATERIAL = geometry.MATERIAL
_LAYER = geometry.LAYER
_HAIR_MASK = geometry.HAIR_MASK
_ACROSS, _ALONG = geometry.ACROSS, geometry.ALONG
_LASH, _HAIR, _DRAPE = head.LASH, head.HAIR, head.DRAPE


@numba.njit(inline="always", fastmath=True)
def unwrapped(first, second, third, period):
    """Make three coordinates comparable across the seam at the back of the head."""
    if max(first, second, third) - min(first, second, third) > 0.5 * period:
        if first < 0:
            first += period
        if second < 0:
            second += period
        if third < 0:
            third += period
    return first, second, third


@kernels.cached
def rasterize(screen, triangles, attributes, strands, depth, shown):
    """Fill the z-buffer.

    Ours: hair shells are cut by a strand table while the depth is tested, so that
    one pass gives soft outlines without sorting; every second sample of a lash is
    left out, so that it is half transparent.

    Args:
        screen: float32 `[N, 3]` x, y in samples (centres at integers), depth.
        triangles: int32 `[T, 3]`.
        attributes: float32 `[N, 11]`, see `geometry`.
        strands: float32 `[64, 512]`, `strands.strand_table`.
        depth: float32 `[S, S]`, overwritten; `FAR` where nothing is.
        shown: int32 `[S, S]`, overwritten with triangle indices, -1 where nothing is.
    """
    size = depth.shape[0]
    rows, columns = strands.shape
    depth[:] = FAR
    shown[:] = -1
    for index in range(triangles.shape[0]):
        a, b, c = triangles[index, 0], triangles[index, 1], triangles[index, 2]
        material = int(attributes[a, _MATERIAL])
        x0, y0, z0 = screen[a, 0], screen[a, 1], screen[a, 2]
        x1, y1, z1 = screen[b, 0], screen[b, 1], screen[b, 2]
        x2, y2, z2 = screen[c, 0], screen[c, 1], screen[c, 2]
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        two_sided = material == _LASH or material >= _DRAPE
        if (area > -1e-9 and not two_sided) or abs(area) < 1e-9:
            continue
        left = max(0, int(ceil(min(x0, x1, x2))))
        right = min(size - 1, int(floor(max(x0, x1, x2))))
        top = max(0, int(ceil(min(y0, y1, y2))))
        bottom = min(size - 1, int(floor(max(y0, y1, y2))))
        if right < left or bottom < top:
            continue
        inverse = 1.0 / area
        is_lash = material == _LASH
        is_hair = material == _HAIR or material == _DRAPE
        if is_hair:
            p0, p1, p2 = unwrapped(
                attributes[a, _ACROSS],
                attributes[b, _ACROSS],
                attributes[c, _ACROSS],
                1,
            )
            p0, p1, p2 = p0 * columns, p1 * columns, p2 * columns
            q0 = attributes[a, _ALONG] * rows
            q1 = attributes[b, _ALONG] * rows
            q2 = attributes[c, _ALONG] * rows
            m0, m1 = attributes[a, _HAIR_MASK], attributes[b, _HAIR_MASK]
            m2 = attributes[c, _HAIR_MASK]
            sparse = min(max((attributes[a, _LAYER] - 0.35) / 0.65, 0.0), 1.0)
            threshold = 0.02 + 0.78 * sparse * sparse
        across1, across2 = (y2 - y0) * inverse, -(y1 - y0) * inverse
        down1, down2 = -(x2 - x0) * inverse, (x1 - x0) * inverse
        for y in range(top, bottom + 1):
            first = (y - y0) * down1 - x0 * across1
            second = (y - y0) * down2 - x0 * across2
            for x in range(left, right + 1):
                w1, w2 = first + x * across1, second + x * across2
                w0 = 1.0 - w1 - w2
                if w0 < 0.0 or w1 < 0.0 or w2 < 0.0:
                    continue
                z = w0 * z0 + w1 * z1 + w2 * z2
                if z >= depth[y, x]:
                    continue
                if is_lash and (x + y) & 1:
                    continue
                if is_hair:
                    row = int(w0 * q0 + w1 * q1 + w2 * q2 + 64.0 * rows) % rows
                    column = int(w0 * p0 + w1 * p1 + w2 * p2 + 8.0 * columns) % columns
                    strand = strands[row, column]
                    if strand < threshold:
                        continue
                    mask = w0 * m0 + w1 * m1 + w2 * m2
                    if mask < 0.20 * (0.55 - strand):
                        continue
                depth[y, x] = z
                shown[y, x] = index
