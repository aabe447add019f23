"""Trace what each cell of a driver frame shows into a source frame."""

from math import floor
from typing import NamedTuple

import numpy as np

from datasets.photo_heads.rendering import kernels, rasterizer

SAMPLES = 3
"""Samples along a cell's side; the middle one is the cell's centre."""

SAME_PLACE = 0.0235
"""Head units at rest within which both frames show the same point. Ours: two pixels of
a crop of 256."""

MIRRORED_TOLERANCE, MIRRORED_SHEET_TOLERANCE = 0.08, 0.25
"""Head units between the mirror image of a point and what the source shows there.
Follows: `synthetic_heads.correspondence`."""

_SHEET, _INVENTED = rasterizer.SHEET, rasterizer.INVENTED
_CUT_OUT = rasterizer.CUT_OUT
_LARGEST_STRETCH = rasterizer.LARGEST_STRETCH
_NOTHING = -1

HALF = 0.5
"""Opacity from which a sample counts as the person's. Follows: `rasterizer.draw_masks`.
Ours: an edge of hair that counts as neither is one that the mask learns to paint."""

MORE_HAIR = 0.1
"""How much more opaque the source may be where the driver shows background. Ours: or
wisps of hair stay behind where the head leaves its place."""


class Portrait(NamedTuple):
    """What both frames are made of.

    Attributes:
        triangles, kinds: the mesh.
        opacity: float32 `[C, C]` of the sheet over the reach.
        background: uint8 `[C, C]`, 1 where it is the picture's own.
        picture: float32 `[4]` left, top, right, bottom on the screen.
        reach: half the side that opacity and background span, head units.
        half_size: of a frame's background, head units.
    """

    triangles: np.ndarray
    kinds: np.ndarray
    opacity: np.ndarray
    background: np.ndarray
    picture: np.ndarray
    reach: float
    half_size: float


class Frame(NamedTuple):
    """A frame of the portrait.

    Attributes:
        screen, shown, depth: its z-buffer, see `rasterizer.rasterize`.
        at_rest: float32 `[N, 2]` what each point shows: where that is at rest, screen.
        stretch: float32 `[T]` from the photograph to the frame.
    """

    screen: np.ndarray
    shown: np.ndarray
    depth: np.ndarray
    at_rest: np.ndarray
    stretch: np.ndarray


class Pair(NamedTuple):
    """How a driver's points lie in a source.

    Attributes:
        targets: float32 `[N, 3]` where the source has what the driver's points show: x,
            y in [-1, 1] and depth.
        mirrored_targets: of their mirror images.
        stretch: float32 `[T]` from the source to the driver.
    """

    targets: np.ndarray
    mirrored_targets: np.ndarray
    stretch: np.ndarray


@kernels.cached
def trace(portrait, driver, source, pair, result):
    """Fill the fields of a `correspondence.Correspondence`.

    Args:
        portrait, driver, source, pair: see the classes.
        result: overwritten.
    """
    size = len(result.flow)
    for row in range(size):
        for column in range(size):
            result.learnable[row, column] = _learnable(portrait, driver, row, column)
            x, y = SAMPLES * column + SAMPLES // 2, SAMPLES * row + SAMPLES // 2
            t, px, py, alpha = _shown_at(portrait, driver, x, y)
            if t == _NOTHING:
                px, py = _on_ground(portrait.half_size, x, y, len(driver.shown))
                u, v = px / portrait.half_size, py / portrait.half_size
                mu, mv, is_mirrored = u, v, False
                is_visible = _finds_background(portrait, source, u, v, alpha)
            else:
                u, v, _ = _target(portrait, driver, pair.targets, t, x, y)
                kind = portrait.kinds[t]
                is_visible = (
                    kind < _INVENTED
                    and _inside(portrait.picture, px, py)
                    and pair.stretch[t] <= _LARGEST_STRETCH
                    and _finds_point(portrait, source, u, v, kind, px, py)
                )
                mu, mv, z = _target(portrait, driver, pair.mirrored_targets, t, x, y)
                is_mirrored = kind < _INVENTED and _finds_depth(
                    portrait, source, mu, mv, kind, z
                )
            result.flow[row, column, 0], result.flow[row, column, 1] = u, v
            result.mirrored_flow[row, column, 0] = mu
            result.mirrored_flow[row, column, 1] = mv
            result.visible[row, column] = is_visible
            result.mirrored_visible[row, column] = is_mirrored


@kernels.cached
def _learnable(portrait, driver, row, column):
    """Return the share of a cell that is photographed, or painted on purpose."""
    kinds, good = portrait.kinds, 0
    for number in range(SAMPLES * SAMPLES):
        y = row * SAMPLES + number // SAMPLES
        x = column * SAMPLES + number % SAMPLES
        t, px, py, _ = _shown_at(portrait, driver, x, y)
        if t != _NOTHING:
            is_painted = kinds[t] == _INVENTED or kinds[t] == _CUT_OUT
            is_own = kinds[t] < _INVENTED and driver.stretch[t] <= _LARGEST_STRETCH
            good += (is_painted or is_own) and _inside(portrait.picture, px, py)
        else:
            px, py = _on_ground(portrait.half_size, x, y, len(driver.shown))
            good += _is_background(portrait, px, py)
    return good / (SAMPLES * SAMPLES)


@kernels.cached
def _shown_at(portrait, frame, x, y):
    """Return a sample's triangle or nothing, its position, and how opaque it is."""
    t = frame.shown[y, x]
    if t < 0:
        return _NOTHING, 0.0, 0.0, 0.0
    a, b, c = (
        portrait.triangles[t, 0],
        portrait.triangles[t, 1],
        portrait.triangles[t, 2],
    )
    w1, w2 = rasterizer.corner_shares(frame.screen, a, b, c, x, y)
    w0 = 1.0 - w1 - w2
    at_rest = frame.at_rest
    px = w0 * at_rest[a, 0] + w1 * at_rest[b, 0] + w2 * at_rest[c, 0]
    py = w0 * at_rest[a, 1] + w1 * at_rest[b, 1] + w2 * at_rest[c, 1]
    if portrait.kinds[t] != _SHEET:
        return t, px, py, 1.0
    alpha = _cell(portrait.opacity, portrait.reach, px, py)
    return (t if alpha > HALF else _NOTHING), px, py, alpha


@kernels.cached
def _target(portrait, driver, targets, t, x, y):
    """Return where the source has what a driver's sample shows: x, y and depth."""
    a, b, c = (
        portrait.triangles[t, 0],
        portrait.triangles[t, 1],
        portrait.triangles[t, 2],
    )
    w1, w2 = rasterizer.corner_shares(driver.screen, a, b, c, x, y)
    w0 = 1.0 - w1 - w2
    return (
        w0 * targets[a, 0] + w1 * targets[b, 0] + w2 * targets[c, 0],
        w0 * targets[a, 1] + w1 * targets[b, 1] + w2 * targets[c, 1],
        w0 * targets[a, 2] + w1 * targets[b, 2] + w2 * targets[c, 2],
    )


@kernels.cached
def _cell(grid, reach, x, y):
    """Read a grid over the reach at the nearest cell."""
    side = len(grid)
    column = int((x / reach + 1) / 2 * side)
    row = int((y / reach + 1) / 2 * side)
    return grid[min(max(row, 0), side - 1), min(max(column, 0), side - 1)]


@kernels.cached
def _on_ground(half_size, x, y, num_samples):
    """Find the position of a sample of the background on the screen."""
    px = half_size * ((2 * x + 1) / num_samples - 1)
    return px, half_size * ((2 * y + 1) / num_samples - 1)


@kernels.cached
def _inside(picture, x, y):
    return picture[0] < x < picture[2] and picture[1] < y < picture[3]


@kernels.cached
def _is_background(portrait, x, y):
    """Tell whether the background's position is the picture's own."""
    reach = portrait.reach
    within = abs(x) < reach and abs(y) < reach and _inside(portrait.picture, x, y)
    return within and _cell(portrait.background, reach, x, y) > 0


@kernels.cached
def _finds_background(portrait, source, u, v, alpha):
    """Tell whether the source shows background too, as clear of hair as the driver."""
    if abs(u) > 1.0 or abs(v) > 1.0:
        return False
    size = len(source.shown)
    column = min(int((u + 1) * 0.5 * size), size - 1)
    row = min(int((v + 1) * 0.5 * size), size - 1)
    t, _, _, more = _shown_at(portrait, source, column, row)
    return t == _NOTHING and more <= alpha + MORE_HAIR


@kernels.cached
def _finds_point(portrait, source, u, v, kind, x, y):
    """Tell whether one of the four nearest source samples shows a point at rest."""
    if abs(u) > 1.0 or abs(v) > 1.0:
        return False
    across, down = _samples_across(source, u), _samples_across(source, v)
    for number in range(4):
        row, column = _near(source, across, down, number)
        t = source.shown[row, column]
        if not _is_of_surface(portrait, source, t, kind):
            continue
        triangles, at_rest = portrait.triangles, source.at_rest
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        w1, w2 = rasterizer.corner_shares(source.screen, a, b, c, across, down)
        w0 = 1.0 - w1 - w2
        px = w0 * at_rest[a, 0] + w1 * at_rest[b, 0] + w2 * at_rest[c, 0]
        py = w0 * at_rest[a, 1] + w1 * at_rest[b, 1] + w2 * at_rest[c, 1]
        if abs(px - x) < SAME_PLACE and abs(py - y) < SAME_PLACE:
            return True
    return False


@kernels.cached
def _finds_depth(portrait, source, u, v, kind, z):
    """Tell whether one of the four nearest source samples lies about as deep."""
    if abs(u) > 1.0 or abs(v) > 1.0:
        return False
    tolerance = MIRRORED_TOLERANCE
    if kind == _SHEET:
        tolerance = MIRRORED_SHEET_TOLERANCE
    across, down = _samples_across(source, u), _samples_across(source, v)
    for number in range(4):
        row, column = _near(source, across, down, number)
        t = source.shown[row, column]
        is_near = abs(source.depth[row, column] - z) < tolerance
        if _is_of_surface(portrait, source, t, kind) and is_near:
            return True
    return False


@kernels.cached
def _samples_across(source, position):
    """Turn an image position in [-1, 1] into samples."""
    return (position + 1) * 0.5 * len(source.shown) - 0.5


@kernels.cached
def _near(source, across, down, number):
    """Return row and column of one of the four samples around a position."""
    last = len(source.shown) - 1
    row = min(max(int(floor(down)) + number // 2, 0), last)
    return row, min(max(int(floor(across)) + number % 2, 0), last)


@kernels.cached
def _is_of_surface(portrait, source, t, kind):
    """Tell whether a triangle is whole and of a kind; face and sheet are one."""
    if t < 0 or source.stretch[t] > _LARGEST_STRETCH:
        return False
    return max(portrait.kinds[t], 1) == max(kind, 1)
