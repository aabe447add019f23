"""The measures of runs as a table and as a sheet of curves."""

import pathlib

from vasa_jax import media
from vasa_jax.train import metric_writer

PANEL_INCHES = (3.2, 2.2)
COLUMNS = 4


def read_curves(workdir: str) -> dict[str, list[tuple[int, float]]]:
    """Read all measures of a run.

    Args:
        workdir: its work folder.

    Returns:
        Points (step, value) by name of the measure; nothing where none was written.
    """
    path = pathlib.Path(workdir) / metric_writer.FILE_NAME
    curves: dict[str, list[tuple[int, float]]] = {}
    if not path.exists():
        return curves
    for row in metric_writer.read_metrics(path):
        for name, value in row.items():
            if name != "step":
                curves.setdefault(name, []).append((row["step"], value))
    return curves


def to_table(runs: dict[str, dict[str, list[tuple[int, float]]]]) -> str:
    """Lay the first and last values out as a Markdown table.

    Args:
        runs: curves by run.

    Returns:
        Lines of text.
    """
    lines = ["| run | measure | step | first | last |", "|---|---|---|---|---|"]
    for run, curves in runs.items():
        for name, points in sorted(curves.items()):
            (_, first), (step, last) = points[0], points[-1]
            lines.append(f"| {run} | {name} | {step} | {first:.5g} | {last:.5g} |")
    return "\n".join(lines)


def draw(runs: dict[str, dict[str, list[tuple[int, float]]]], path: str) -> None:
    """Draw a panel for each measure that has two points or more.

    Args:
        runs: curves by run.
        path: ends in `.png`.
    """
    # Imported late: of an extra that a table does without.
    from matplotlib import figure

    panels = [
        (f"{run}: {name}", points)
        for run, curves in runs.items()
        for name, points in sorted(curves.items())
        if len(points) > 1
    ]
    rows = max(1, -(-len(panels) // COLUMNS))
    width, height = PANEL_INCHES
    sheet = figure.Figure((width * COLUMNS, height * rows), layout="constrained")
    axes = sheet.subplots(rows, COLUMNS, squeeze=False).ravel()
    for panel in axes[len(panels) :]:
        panel.set_axis_off()
    for panel, (title, points) in zip(axes, panels, strict=False):
        panel.plot(*zip(*points, strict=True), linewidth=1)
        panel.set_title(title, fontsize=6)
        panel.tick_params(labelsize=6)
    with media.written_beside(path) as beside:
        sheet.savefig(beside, dpi=110)
