"""Measured portraits: kinds of them beside one another, contact sheets, and a page."""

import dataclasses
import html
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from vasa_jax import media
from vasa_jax.evaluation.benchmark import portrait_runner
from vasa_jax.evaluation.metrics import photograph_measures
from vasa_jax.evaluation.metrics.definition import Metric, Row, State, Summary
from vasa_jax.evaluation.report import report_page, score_report

FEW = 12
"""Portraits of a kind below which its row is marked. Ours."""

LEAST_OF_MEAN = 0.85
"""Share of the mean of all portraits below which a kind is marked. Ours."""

SHOWN = {
    "face": "face found",
    "dlib": "dlib",
    "mobile": "MobileFaceNet",
    "eyes_large": "sharp eyes",
    "mouth_large": "sharp mouth",
    "ring": "sharp ring",
    "still": "ghosts",
    "lips": "lips",
    "std_width": "mouth width",
    "std_yaw": "yaw",
    "change": "change",
    "fast": "above 2 Hz",
    "happiness_corners": "happiness",
    "surprise_brows": "surprise",
    "emotions_rise": "emotions",
    "gaze_irises": "gaze",
}
"""Rows that the table shows, with their headings. Ours: one of each that may fail."""

NOT_HIGHER = frozenset({"still", "change", "fast"})
"""Of these, those of which more is not better."""

SHEET_PORTRAITS = 5
"""Of a sheet. Ours: fits a screen."""

STYLE = """
div.strip { overflow-x: auto; } div.strip img { max-width: none; width: 1152px; }
section { display: flex; gap: 1rem; align-items: start; margin: .6rem 0; }
video { width: 224px; } pre { overflow-x: auto; font-size: 12px; }
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class KindSummary:
    """The portraits of one kind.

    Attributes:
        num_portraits: of it.
        few: whether they are.
        rows: summaries by key.
    """

    num_portraits: int
    few: bool
    rows: Mapping[str, Summary]


def summarise_kinds(
    metric: Metric, state: State, kinds: Mapping[str, Sequence[str]]
) -> dict[str, KindSummary]:
    """Summarise the portraits of each kind.

    Args:
        metric: of photographs.
        state: of all portraits.
        kinds: names of the portraits of each; kinds without any are left out.
    """
    return {
        kind: KindSummary(
            num_portraits=len(names),
            few=len(names) < FEW,
            rows=metric.finish(State({name: state.clips[name] for name in names})),
        )
        for kind, names in kinds.items()
        if names
    }


def kinds_to_markdown(
    rows: Mapping[str, Row],
    summaries: Mapping[str, Summary],
    kinds: Mapping[str, KindSummary],
) -> str:
    """Write the table: a row for each kind, and below it that of copying the source.

    Args:
        rows: by key.
        summaries: of all portraits.
        kinds: as of `summarise_kinds`.
    """
    shown = [key for key in SHOWN if summaries[key].mean is not None]
    lines = [
        "### By kind of portrait",
        "",
        f"With 95 % intervals; * fewer than {FEW} portraits; ▼ below {LEAST_OF_MEAN} "
        "of the mean of all portraits. Headings stand for rows above.",
        "",
        "| | " + " | ".join(["portraits", *(SHOWN[key] for key in shown)]) + " |",
        "|---" * (len(shown) + 2) + "|",
    ]
    for kind, found in kinds.items():
        own, copies = [], []
        for key in shown:
            digits, one = rows[key].digits, found.rows[key]
            is_less = (
                key not in NOT_HIGHER
                and one.mean is not None
                and one.mean < LEAST_OF_MEAN * summaries[key].mean
            )
            own.append(score_report.interval(one, digits) + (" ▼" if is_less else ""))
            copies.append(score_report.number(one.floor, digits))
        count = f"{found.num_portraits}{' *' if found.few else ''}"
        lines.append("| " + " | ".join([kind, count, *own]) + " |")
        lines.append("| " + " | ".join(["copying the source", "", *copies]) + " |")
    return "\n".join(lines) + "\n"


def write_sheets(folder: pathlib.Path, names: Sequence[str]) -> list[pathlib.Path]:
    """Write sheets of the strips of portraits, some to a sheet.

    Args:
        folder: of the report, with `strips`.
        names: of portraits, in order.

    Returns:
        The sheets, PNG.
    """
    sheets = []
    place = folder / "sheets"
    place.mkdir(exist_ok=True)
    for old in place.glob("sheet_*.png"):
        old.unlink()
    for start in range(0, len(names), SHEET_PORTRAITS):
        strips = [
            media.read_image(folder / "strips" / f"{name}.png")
            for name in names[start : start + SHEET_PORTRAITS]
        ]
        width = max(strip.shape[1] for strip in strips)
        filled = [
            np.pad(s, ((0, 0), (0, width - s.shape[1]), (0, 0)), constant_values=255)
            for s in strips
        ]
        sheets.append(place / f"sheet_{start // SHEET_PORTRAITS + 1:02d}.png")
        media.write_image(sheets[-1], np.concatenate(filled))
    return sheets


def to_html(
    title: str,
    tables: str,
    results: Mapping[str, portrait_runner.Result],
    left_out: Mapping[str, str],
) -> str:
    """Write the page; clips and strips lie beside it.

    Args:
        title: of the page.
        tables: the report as Markdown.
        results: of portraits, by name.
        left_out: why others were not measured, by name.

    Returns:
        HTML.
    """
    escape = html.escape
    first, *_, last = portrait_runner.STRIP_SECONDS
    asked = ", ".join(photograph_measures.ASKED)
    body = [
        f"<h1>{escape(title)}</h1>",
        "<p>From left to right: the photograph as the model is given it and speech "
        f"from {first:g} to {last:g} s; below, the last frames of {asked}.</p>",
    ]
    for name, result in results.items():
        caption = ": ".join([name, ", ".join(result.kinds)])
        quoted = escape(f"{name}", quote=True)
        body.append(
            f"<h3>{escape(caption)}</h3><section>"
            f'<video controls preload="none" src="clips/{quoted}.mp4"></video>'
            f'<div class="strip"><img loading="lazy" alt="{escape(caption)}" '
            f'src="strips/{quoted}.png"></div></section>'
        )
    if left_out:
        lines = [f"<li>{escape(n)}: {escape(why)}</li>" for n, why in left_out.items()]
        body.append(f"<h2>Left out</h2><ul>{''.join(lines)}</ul>")
    body.append(f"<h2>Measured</h2><pre>{escape(tables)}</pre>")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{report_page.STYLE}{STYLE}</style>"
        "</head>\n<body>\n" + "\n".join(body) + "\n</body></html>\n"
    )
