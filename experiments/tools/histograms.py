"""Histograms and bars as inline SVG, which need no library and take either theme."""

import html
from collections.abc import Iterable, Sequence

import numpy as np

WIDTH, HEIGHT, BAR_AREA = 260, 120, 84
"""Pixels of a drawing, and the height of its highest bar. Ours."""

NUM_BINS = 30

CUT_SHARE = 0.002
"""Of values at either end that lie in the last bins. Ours: one stray value must not
press all others into one bar."""


def histogram(title: str, values: Iterable[float]) -> str:
    """Draw how often values come; what is not a number is counted below.

    Args:
        title: what they are, with its unit.
        values: of any number.

    Returns:
        A `<figure>` element.
    """
    array = np.asarray(list(values), np.float64)
    known = array[np.isfinite(array)]
    unknown = 1 - len(known) / len(array) if len(array) else 0.0
    notes = [f"{unknown:.1%} not known"] if unknown else []
    if not len(known):
        return _figure(title, "", "nothing is known")
    low, high = np.quantile(known, [CUT_SHARE, 1 - CUT_SHARE])
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts, _ = np.histogram(np.clip(known, low, high), NUM_BINS, (low, high))
    notes.insert(0, f"mean {known.mean():.3g}, median {np.median(known):.3g}")
    bars_drawn = _columns(counts / counts.max())
    return _figure(title, bars_drawn + _ends(low, high), ", ".join(notes))


def bars(title: str, names: Sequence[str], values: Sequence[float]) -> str:
    """Draw a bar for each of some classes.

    Args:
        title: what they tell.
        names: of the classes.
        values: 0 or more.

    Returns:
        A `<figure>` element.
    """
    row, highest, drawn = HEIGHT / max(1, len(names)), max([*values, 1e-9]), []
    for index, (name, value) in enumerate(zip(names, values, strict=True)):
        middle = (index + 0.5) * row
        length = 0.4 * WIDTH * value / highest
        drawn.append(
            f'<text x="0" y="{middle + 4:.1f}">{html.escape(name)}</text>'
            f'<rect x="{0.36 * WIDTH:.1f}" y="{middle - 0.35 * row:.1f}" '
            f'width="{length:.1f}" height="{0.7 * row:.1f}"/>'
            f'<text x="{0.38 * WIDTH + length:.1f}" y="{middle + 4:.1f}">'
            f"{value:.3g}</text>"
        )
    return _figure(title, "".join(drawn), "")


def _columns(shares: np.ndarray) -> str:
    step = WIDTH / len(shares)
    return "".join(
        f'<rect x="{index * step:.1f}" y="{BAR_AREA * (1 - share) + 8:.1f}" '
        f'width="{step - 1:.1f}" height="{BAR_AREA * share:.1f}"/>'
        for index, share in enumerate(shares)
    )


def _ends(low: float, high: float) -> str:
    return (
        f'<text x="0" y="{HEIGHT - 10}">{low:.3g}</text>'
        f'<text x="{WIDTH}" y="{HEIGHT - 10}" text-anchor="end">{high:.3g}</text>'
    )


def _figure(title: str, drawn: str, note: str) -> str:
    return (
        f"<figure><figcaption>{html.escape(title)}</figcaption>"
        f'<svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'fill="#2a6fdb" font-size="12" role="img" '
        f'aria-label="{html.escape(title)}">'
        f"<style>text {{ fill: currentColor; }}</style>{drawn}</svg>"
        f"<figcaption>{html.escape(note)}</figcaption></figure>"
    )
