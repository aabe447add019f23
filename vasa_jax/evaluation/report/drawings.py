"""Small drawings as SVG text: a row of scores, and curves in time."""

import html
from collections.abc import Mapping, Sequence

import numpy as np

WIDTH, ROW_HEIGHT, CURVE_HEIGHT = 340, 34, 90
MARGIN = 8
COLOURS = ("#2a6fdb", "#8a8f98", "#d9730d", "#2e9e5b")
"""Of the video, the reference, the floor and the ceiling."""


def score_row(
    values: Mapping[str, float],
    mean: float,
    low: float | None,
    high: float | None,
    floor: float | None,
    ceiling: float | None,
) -> str:
    """Draw every clip as a dot on one axis, with mean, interval, floor and ceiling.

    Args:
        values: finite, by clip.
        mean: of them.
        low, high: of the interval, or None.
        floor, ceiling: or None.

    Returns:
        An `<svg>` element.
    """
    marks = [mean, low, high, floor, ceiling, *values.values()]
    known = [v for v in marks if v is not None and np.isfinite(v)]
    start, stop = min(known), max(known)
    span = (stop - start) or 1.0

    def x(value):
        return MARGIN + (value - start) / span * (WIDTH - 2 * MARGIN)

    middle = ROW_HEIGHT / 2
    parts = [_line(MARGIN, middle, WIDTH - MARGIN, middle, "#c9ccd1", 1, "")]
    for value, colour, name in (
        (floor, COLOURS[2], "floor"),
        (ceiling, COLOURS[3], "ceiling"),
    ):
        if value is not None and np.isfinite(value):
            title = f"{name} {value:.4g}"
            parts.append(_line(x(value), 3, x(value), ROW_HEIGHT - 3, colour, 3, title))
    if low is not None:
        title = f"95 %: {low:.4g} to {high:.4g}"
        parts.append(_line(x(low), middle, x(high), middle, COLOURS[0], 6, title))
    for name, value in values.items():
        if np.isfinite(value):
            parts.append(
                f'<circle cx="{x(value):.1f}" cy="{middle}" r="3" fill="{COLOURS[0]}" '
                f'fill-opacity="0.45"><title>{html.escape(name)}: {value:.4g}</title>'
                "</circle>"
            )
    title = f"mean {mean:.4g}"
    if np.isfinite(mean):
        parts.append(_line(x(mean), 7, x(mean), ROW_HEIGHT - 7, COLOURS[0], 3, title))
    return _svg(ROW_HEIGHT, parts)


def curves(lines: Sequence[tuple[str, np.ndarray]]) -> str:
    """Draw up to two curves in time over one another, the first on top.

    Args:
        lines: name and values `[T]`; frames that are no numbers are gaps.

    Returns:
        An `<svg>` element.
    """
    numbers = np.concatenate([np.asarray(v, np.float64) for _, v in lines])
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return _svg(CURVE_HEIGHT, [])
    start, span = numbers.min(), np.ptp(numbers) or 1.0
    longest = max(2, *(len(v) for _, v in lines))
    parts = []
    for (name, values), colour in reversed(list(zip(lines, COLOURS, strict=False))):
        x = MARGIN + np.arange(len(values)) / (longest - 1) * (WIDTH - 2 * MARGIN)
        y = CURVE_HEIGHT - MARGIN
        y = y - (np.asarray(values) - start) / span * (CURVE_HEIGHT - 2 * MARGIN)
        seen = np.flatnonzero(np.isfinite(values))
        for run in np.split(seen, np.flatnonzero(np.diff(seen) > 1) + 1):
            points = " ".join(f"{x[i]:.1f},{y[i]:.1f}" for i in run)
            parts.append(
                f'<polyline points="{points}" fill="none" stroke="{colour}" '
                f'stroke-width="1.5"><title>{html.escape(name)}</title></polyline>'
            )
    return _svg(CURVE_HEIGHT, parts)


def _line(x1, y1, x2, y2, colour, width, title) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        f'stroke="{colour}" stroke-width="{width}"><title>{html.escape(title)}</title>'
        "</line>"
    )


def _svg(height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )
