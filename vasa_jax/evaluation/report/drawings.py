"""Small drawings for pages, as SVG text: a row of scores, and curves in time."""

import importlib.util
import io
from collections.abc import Sequence

import numpy as np

from vasa_jax import errors
from vasa_jax.evaluation.metrics.definition import Summary

INCHES = 3.4
"""Width of a drawing; 72 points each."""

COLOURS = ("#2a6fdb", "#8a8f98", "#d9730d", "#2e9e5b")
"""Of the video, the reference, the floor and the ceiling."""


def require() -> None:
    """Refuse to go on without matplotlib, before anything slow is done.

    Raises:
        UserError: it is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise errors.UserError(
            "The page of a report needs matplotlib; install it by "
            "pip install 'vasa_jax[evaluate]'."
        )


def score_row(summary: Summary) -> str:
    """Draw every clip as a dot on one axis, with mean, interval, floor and ceiling.

    Args:
        summary: with a mean.

    Returns:
        An `<svg>` element.
    """
    figure, axes = _figure(0.34)
    values = [v for v in summary.values.values() if np.isfinite(v)]
    axes.axhline(0, color="#c9ccd1", linewidth=1, zorder=0)
    for value, colour in ((summary.floor, COLOURS[2]), (summary.ceiling, COLOURS[3])):
        if value is not None and np.isfinite(value):
            axes.plot([value, value], [-0.8, 0.8], color=colour, linewidth=2.5)
    if summary.low is not None:
        width = summary.high - summary.low
        axes.barh(0, width, 0.7, summary.low, color=COLOURS[0], alpha=0.3)
    dots = np.zeros(len(values))
    axes.scatter(values, dots, s=16, color=COLOURS[0], alpha=0.6, linewidth=0)
    if np.isfinite(summary.mean):
        mean = [summary.mean, summary.mean]
        axes.plot(mean, [-0.6, 0.6], color=COLOURS[0], linewidth=2.5)
    axes.set_ylim(-1, 1)
    return _svg(figure)


def curves(lines: Sequence[tuple[str, np.ndarray]]) -> str:
    """Draw up to two curves in time over one another, the first on top.

    Args:
        lines: name and values `[T]`; frames that are no numbers are gaps.

    Returns:
        An `<svg>` element.
    """
    figure, axes = _figure(0.9)
    for (name, values), colour in reversed(list(zip(lines, COLOURS, strict=False))):
        axes.plot(np.asarray(values), color=colour, linewidth=1.2, label=name)
    return _svg(figure)


def _figure(inches: float):
    # Imported late, because only pages need it; without pyplot, nothing stays open.
    from matplotlib import figure

    made = figure.Figure(figsize=(INCHES, inches))
    axes = made.add_axes((0.02, 0.04, 0.96, 0.92))
    axes.set_axis_off()
    return made, axes


def _svg(figure) -> str:
    import matplotlib

    text = io.StringIO()
    # Names of clip paths come of their contents, so that drawings of one page, and the
    # pages of one report, do not depend on chance.
    with matplotlib.rc_context({"svg.hashsalt": "vasa_jax", "svg.fonttype": "none"}):
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    drawing = text.getvalue()
    return drawing[drawing.index("<svg") :]
