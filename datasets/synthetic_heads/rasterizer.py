"""The z-buffer: which triangle every sample of the image shows."""

from math import ceil, floor, sin

import numba
import numpy as np

from datasets.synthetic_heads import geometry, head

FAR = 1e9

_MATERIAL = geometry.MATERIAL
_LAYER = geometry.LAYER
_HAIR_MASK = geometry.HAIR_MASK
_AZIMUTH = geometry.AZIMUTH
_LASH, _HAIR = head.LASH, head.HAIR
_TURN = 2 * np.pi


@numba.njit(inline="always", fastmath=True)
def unwrapped(first, second, third):
    """Make three azimuths comparable across the seam at the back of the head."""
    if max(first, second, third) - min(first, second, third) > np.pi:
        if first < 0:
            first += _TURN
        if second < 0:
            second += _TURN
        if third < 0:
            third += _TURN
    return first, second, third


@numba.njit(inline="always", fastmath=True)
def strand_place(azimuth, height):
    """Return the place (across, along) of a scalp point in the strand table."""
    across = (azimuth * 0.38 + 0.01 * sin(height * 7.0)) * 512.0
    along = (height * 0.10 + 0.08 * sin(azimuth * 5.0)) * 64.0
    return across, along


@numba.njit(cache=True, fastmath=True)
def rasterize(screen, triangles, attributes, strands, depth, shown):
    """Fill the z-buffer.

    Ours: hair shells are cut by a strand table while the depth is tested, so that
    one pass gives soft outlines without sorting.

    Args:
        screen: float32 `[N, 3]` x, y in samples (centres at integers), depth.
        triangles: int32 `[T, 3]`.
        attributes: float32 `[N, 9]`, see `geometry`.
        strands: float32 `[64, 512]`, `noise.strand_table`.
        depth: float32 `[S, S]`, overwritten; `FAR` where nothing is.
        shown: int32 `[S, S]`, overwritten with triangle indices, -1 where nothing is.
    """
    size = depth.shape[0]
    depth[:] = FAR
    shown[:] = -1
    for index in range(triangles.shape[0]):
        a, b, c = triangles[index, 0], triangles[index, 1], triangles[index, 2]
        material = int(attributes[a, _MATERIAL])
        x0, y0, z0 = screen[a, 0], screen[a, 1], screen[a, 2]
        x1, y1, z1 = screen[b, 0], screen[b, 1], screen[b, 2]
        x2, y2, z2 = screen[c, 0], screen[c, 1], screen[c, 2]
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if area > -1e-9 and material != _LASH or abs(area) < 1e-9:
            continue
        left = max(0, int(ceil(min(x0, x1, x2))))
        right = min(size - 1, int(floor(max(x0, x1, x2))))
        top = max(0, int(ceil(min(y0, y1, y2))))
        bottom = min(size - 1, int(floor(max(y0, y1, y2))))
        if right < left or bottom < top:
            continue
        inverse = 1.0 / area
        is_hair = material == _HAIR
        if is_hair:
            t0, t1, t2 = unwrapped(
                attributes[a, _AZIMUTH],
                attributes[b, _AZIMUTH],
                attributes[c, _AZIMUTH],
            )
            p0, q0 = strand_place(t0, attributes[a, 1])
            p1, q1 = strand_place(t1, attributes[b, 1])
            p2, q2 = strand_place(t2, attributes[c, 1])
            m0, m1 = attributes[a, _HAIR_MASK], attributes[b, _HAIR_MASK]
            m2 = attributes[c, _HAIR_MASK]
            threshold = attributes[a, _LAYER] * 0.70 + 0.10
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                w1 = ((x - x0) * (y2 - y0) - (x2 - x0) * (y - y0)) * inverse
                w2 = ((x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)) * inverse
                w0 = 1.0 - w1 - w2
                if w0 < 0.0 or w1 < 0.0 or w2 < 0.0:
                    continue
                z = w0 * z0 + w1 * z1 + w2 * z2
                if z >= depth[y, x]:
                    continue
                if is_hair:
                    row = int(w0 * q0 + w1 * q1 + w2 * q2 + 640.0) & 63
                    column = int(w0 * p0 + w1 * p1 + w2 * p2 + 5120.0) & 511
                    strand = strands[row, column]
                    if strand < threshold:
                        continue
                    mask = w0 * m0 + w1 * m1 + w2 * m2
                    if mask < 0.22 * (0.5 - strand):
                        continue
                depth[y, x] = z
                shown[y, x] = index
