"""Trace what each cell of a driver frame shows into a source frame."""

from math import floor

from datasets.photo_heads.rendering import kernels, rasterizer

SAMPLES = 3
"""Samples along a cell's side; the middle one is the cell's centre."""

SAME_PLACE = 0.0235
"""Head units at rest within which both frames show the same place. Ours: two pixels of
a crop of 256."""

MIRRORED_TOLERANCE, MIRRORED_SHEET_TOLERANCE = 0.08, 0.25
"""Head units between the mirror image of a point and what the source shows there.
Follows: `synthetic_heads.correspondence`."""

_SHEET, _INVENTED = rasterizer.SHEET, rasterizer.INVENTED
_CUT_OUT = rasterizer.CUT_OUT
_LARGEST_STRETCH = rasterizer.LARGEST_STRETCH
_NOTHING, _MIXED = -1, -2


@kernels.cached
def trace(
    triangles, kinds, opacity, background, picture, reach, half_size, is_one_ground,
    screen, places, stretch, shown,
    source_screen, source_places, source_stretch, source_depth, source_shown,
    targets, mirrored_targets, pair_stretch,
    flow, visible, mirrored_flow, mirrored_visible, learnable,
):  # fmt: skip
    """Fill the fields of a `correspondence.Correspondence`.

    Args:
        triangles, kinds: the mesh.
        opacity: float32 `[C, C]` of the sheet over the reach; background: uint8
            `[C, C]`, 1 where it is the picture's own.
        picture: float32 `[4]` left, top, right, bottom on the screen.
        reach: half the side that opacity and background span, head units.
        half_size: of both frames' background, head units.
        is_one_ground: whether both frames show the same background, filled or not.
        screen, shown: the driver frame's z-buffer, see `rasterizer.rasterize`.
        places: float32 `[N, 2]` what each point shows: its place at rest, screen.
        stretch: float32 `[T]` from the photograph to the frame.
        source_*: the same of the source frame, and its depths.
        targets: float32 `[N, 3]` where the source has what the driver's points show: x,
            y in [-1, 1] and depth; mirrored_targets: of their mirror images.
        pair_stretch: float32 `[T]` from the source to the driver.
        flow, visible, mirrored_flow, mirrored_visible, learnable: overwritten.
    """
    size = len(flow)
    for row in range(size):
        for column in range(size):
            good = 0
            for number in range(SAMPLES * SAMPLES):
                y = row * SAMPLES + number // SAMPLES
                x = column * SAMPLES + number % SAMPLES
                t, px, py = _shown_at(
                    screen, triangles, kinds, opacity, reach, places, shown, x, y
                )
                if t >= 0:
                    is_painted = kinds[t] == _INVENTED or kinds[t] == _CUT_OUT
                    is_own = kinds[t] < _INVENTED and stretch[t] <= _LARGEST_STRETCH
                    good += (is_painted or is_own) and _inside(picture, px, py)
                elif t == _NOTHING:
                    px, py = _on_ground(half_size, x, y, len(shown))
                    good += _is_background(background, picture, reach, px, py)
            learnable[row, column] = good / (SAMPLES * SAMPLES)
            x, y = SAMPLES * column + SAMPLES // 2, SAMPLES * row + SAMPLES // 2
            t, px, py = _shown_at(
                screen, triangles, kinds, opacity, reach, places, shown, x, y
            )
            mirrored_visible[row, column] = False
            if t < 0:
                px, py = _on_ground(half_size, x, y, len(shown))
                u, v = px / half_size, py / half_size
                flow[row, column, 0], flow[row, column, 1] = u, v
                mirrored_flow[row, column, 0], mirrored_flow[row, column, 1] = u, v
                visible[row, column] = (
                    t == _NOTHING
                    and (
                        is_one_ground
                        or _is_background(background, picture, reach, px, py)
                    )
                    and _finds_background(
                        source_screen,
                        triangles,
                        kinds,
                        opacity,
                        reach,
                        source_places,
                        source_shown,
                        u,
                        v,
                    )  # fmt: skip
                )
                continue
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            w1, w2 = rasterizer.corner_shares(screen, a, b, c, x, y)
            w0 = 1.0 - w1 - w2
            u = w0 * targets[a, 0] + w1 * targets[b, 0] + w2 * targets[c, 0]
            v = w0 * targets[a, 1] + w1 * targets[b, 1] + w2 * targets[c, 1]
            flow[row, column, 0], flow[row, column, 1] = u, v
            is_own = kinds[t] < _INVENTED and _inside(picture, px, py)
            visible[row, column] = (
                is_own
                and pair_stretch[t] <= _LARGEST_STRETCH
                and _finds(
                    triangles,
                    kinds,
                    source_screen,
                    source_places,
                    source_stretch,
                    source_depth,
                    source_shown,
                    u,
                    v,
                    kinds[t],
                    px,
                    py,
                    SAME_PLACE,
                    False,
                )  # fmt: skip
            )
            goal = mirrored_targets
            u = w0 * goal[a, 0] + w1 * goal[b, 0] + w2 * goal[c, 0]
            v = w0 * goal[a, 1] + w1 * goal[b, 1] + w2 * goal[c, 1]
            z = w0 * goal[a, 2] + w1 * goal[b, 2] + w2 * goal[c, 2]
            mirrored_flow[row, column, 0], mirrored_flow[row, column, 1] = u, v
            tolerance = MIRRORED_TOLERANCE
            if kinds[t] == _SHEET:
                tolerance = MIRRORED_SHEET_TOLERANCE
            mirrored_visible[row, column] = kinds[t] < _INVENTED and _finds(
                triangles, kinds, source_screen, source_places, source_stretch,
                source_depth, source_shown, u, v, kinds[t], z, 0.0, tolerance, True,
            )  # fmt: skip


@kernels.cached
def _shown_at(
    screen, triangles, kinds, opacity, reach, places, shown, x, y
):  # fmt: skip
    """Return a sample's triangle, or nothing, or half transparent; and its place."""
    t = shown[y, x]
    if t < 0:
        return _NOTHING, 0.0, 0.0
    a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
    w1, w2 = rasterizer.corner_shares(screen, a, b, c, x, y)
    w0 = 1.0 - w1 - w2
    px = w0 * places[a, 0] + w1 * places[b, 0] + w2 * places[c, 0]
    py = w0 * places[a, 1] + w1 * places[b, 1] + w2 * places[c, 1]
    if kinds[t] == _SHEET:
        alpha = _cell(opacity, reach, px, py)
        if alpha <= rasterizer.NEARLY_CLEAR:
            return _NOTHING, px, py
        if alpha < rasterizer.NEARLY_OPAQUE:
            return _MIXED, px, py
    return t, px, py


@kernels.cached
def _cell(grid, reach, x, y):
    """Read a grid over the reach at the nearest cell."""
    side = len(grid)
    column = int((x / reach + 1) / 2 * side)
    row = int((y / reach + 1) / 2 * side)
    return grid[min(max(row, 0), side - 1), min(max(column, 0), side - 1)]


@kernels.cached
def _on_ground(half_size, x, y, num_samples):
    """Find the place of a sample of the background on the screen."""
    px = half_size * ((2 * x + 1) / num_samples - 1)
    return px, half_size * ((2 * y + 1) / num_samples - 1)


@kernels.cached
def _inside(picture, x, y):
    return picture[0] < x < picture[2] and picture[1] < y < picture[3]


@kernels.cached
def _is_background(background, picture, reach, x, y):
    """Tell whether the background's place is the picture's own."""
    within = abs(x) < reach and abs(y) < reach
    return within and _inside(picture, x, y) and _cell(background, reach, x, y) > 0


@kernels.cached
def _finds_background(
    screen, triangles, kinds, opacity, reach, places, shown, u, v
):  # fmt: skip
    """Tell whether the source shows background at an image place."""
    if abs(u) > 1.0 or abs(v) > 1.0:
        return False
    size = len(shown)
    column = min(int((u + 1) * 0.5 * size), size - 1)
    row = min(int((v + 1) * 0.5 * size), size - 1)
    t, _, _ = _shown_at(
        screen, triangles, kinds, opacity, reach, places, shown, column, row
    )
    return t == _NOTHING


@kernels.cached
def _finds(
    triangles, kinds, screen, places, stretch, depth, shown,
    u, v, kind, first, second, tolerance, by_depth,
):  # fmt: skip
    """Tell whether one of the four nearest source samples shows a place, or a depth."""
    if abs(u) > 1.0 or abs(v) > 1.0:
        return False
    size = len(shown)
    across, down = (u + 1) * 0.5 * size - 0.5, (v + 1) * 0.5 * size - 0.5
    left, top = int(floor(across)), int(floor(down))
    for number in range(4):
        row = min(max(top + number // 2, 0), size - 1)
        column = min(max(left + number % 2, 0), size - 1)
        t = shown[row, column]
        if t < 0 or stretch[t] > _LARGEST_STRETCH:
            continue
        # Face and sheet are one surface.
        if max(kinds[t], 1) != max(kind, 1):
            continue
        if by_depth:
            if abs(depth[row, column] - first) < tolerance:
                return True
            continue
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        w1, w2 = rasterizer.corner_shares(screen, a, b, c, across, down)
        w0 = 1.0 - w1 - w2
        x = w0 * places[a, 0] + w1 * places[b, 0] + w2 * places[c, 0]
        y = w0 * places[a, 1] + w1 * places[b, 1] + w2 * places[c, 1]
        if abs(x - first) < tolerance and abs(y - second) < tolerance:
            return True
    return False
