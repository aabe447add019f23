"""Contact sheets of measured portraits, and a page of their clips."""

import html
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from vasa_jax import media
from vasa_jax.evaluation.benchmark import portrait_runner
from vasa_jax.evaluation.metrics import photographs
from vasa_jax.evaluation.report import report_page

PORTRAITS = 5
"""Of a sheet. Ours: fits a screen."""

STYLE = """
div.strip { overflow-x: auto; } div.strip img { max-width: none; width: 1152px; }
section { display: flex; gap: 1rem; align-items: start; margin: .6rem 0; }
video { width: 224px; } pre { overflow-x: auto; font-size: 12px; }
"""


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
    for start in range(0, len(names), PORTRAITS):
        strips = [
            media.read_image(folder / "strips" / f"{name}.png")
            for name in names[start : start + PORTRAITS]
        ]
        width = max(strip.shape[1] for strip in strips)
        filled = [
            np.pad(s, ((0, 0), (0, width - s.shape[1]), (0, 0)), constant_values=255)
            for s in strips
        ]
        sheets.append(place / f"sheet_{start // PORTRAITS + 1:02d}.png")
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
    asked = ", ".join(photographs.ASKED)
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
