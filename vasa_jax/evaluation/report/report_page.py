"""The report as one page of HTML that needs nothing beside it."""

import base64
import dataclasses
import html
import pathlib
import tempfile
from collections.abc import Sequence

import numpy as np

from vasa_jax import media
from vasa_jax.evaluation.benchmark import video_clip
from vasa_jax.evaluation.benchmark.scoring import Pair
from vasa_jax.evaluation.metrics import frame_similarity
from vasa_jax.evaluation.report import drawings, score_report

NUM_SHOWN = 4
"""Clips of which frames and curves are shown. Ours: keeps a page below some MB."""

STRIP_FRAMES, STRIP_HEIGHT = 8, 128
"""Frames of a strip, and its height in pixels at most. Ours."""

STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1200px;
  padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8884;
  vertical-align: middle; }
td.score { font-weight: 600; white-space: nowrap; }
td.end, figcaption, p.small { color: #7a7f87; font-size: 13px; }
tr.absent td { color: #7a7f87; font-weight: 400; }
img { max-width: 100%; display: block; }
figure { margin: 0 0 .4rem; }
div.curves { display: flex; flex-wrap: wrap; gap: 1rem; }
div.plot { overflow-x: auto; }
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shown:
    """A clip as the page shows it.

    Attributes:
        name: of it.
        strips: caption and uint8 `[h, w, 3]` of each strip.
        plots: caption and lines, as of `drawings.curves`, of each plot.
    """

    name: str
    strips: Sequence[tuple[str, np.ndarray]]
    plots: Sequence[tuple[str, Sequence[tuple[str, np.ndarray]]]]


def show_some(
    pairs: Sequence[Pair], cache_dir: pathlib.Path, has_face: bool
) -> list[Shown]:
    """Show the first sample of each of the first clips; see `show`."""
    first_samples: dict[str, Pair] = {}
    for pair in pairs:
        first_samples.setdefault(pair.name, pair)
    some = list(first_samples.values())[:NUM_SHOWN]
    return [show(pair, cache_dir, has_face) for pair in some]


def show(pair: Pair, cache_dir: pathlib.Path, has_face: bool) -> Shown:
    """Take frames and curves of a pair of videos.

    Args:
        pair: whose face, if one was looked for, lies in the cache.
        cache_dir: of the report.
        has_face: whether to draw the face's curves.
    """
    opened = [("video", video_clip.Clip(pair.video, cache_dir))]
    if pair.reference is not None:
        opened.append(("reference", video_clip.Clip(pair.reference, cache_dir)))
    num_frames = min(clip.facts.num_frames for _, clip in opened)
    strips = [
        (title, frame_similarity.strip(clip, num_frames, STRIP_FRAMES, STRIP_HEIGHT))
        for title, clip in opened
    ]
    plots = []
    if has_face:
        for title, read in (
            ("mouth opening", lambda face: face.mouth_opening),
            ("yaw, degrees", lambda face: np.degrees(face.rotation[:, 0])),
            ("eye opening", lambda face: face.eye_opening),
        ):
            lines = [
                (name, np.where(clip.face.present, read(clip.face), np.nan))
                for name, clip in opened
            ]
            plots.append((title, lines))
    return Shown(name=pair.name, strips=strips, plots=plots)


def to_html(report: score_report.Report, shown: Sequence[Shown], title: str) -> str:
    """Write the page.

    Args:
        report: its numbers.
        shown: clips with frames and curves.
        title: of the page.

    Returns:
        HTML with style, drawings and pictures inside.
    """
    escape = html.escape
    rows = "\n".join(_row(line) for line in report.lines.values())
    body = [
        "<p>Dots are clips, the blue bar is where the mean lies with 95 % (bootstrap "
        "over clips); green is the ceiling, orange the floor. "
        f"{len(report.clips)} clips.</p>",
        "<table><tr><th></th><th>score (95 %)</th><th></th><th>ceiling</th>"
        f"<th>floor</th><th>aim</th><th>clips</th></tr>\n{rows}</table>",
    ]
    for heading, sentences in (
        ("Left out", score_report.left_out(report)),
        ("Notes", report.notes),
    ):
        if sentences:
            items = "".join(f"<li>{escape(s)}</li>" for s in sentences)
            body.append(f"<h2>{heading}</h2><ul>{items}</ul>")
    body += [_clip(one) for one in shown]
    about = escape(", ".join(f"{k}: {v}" for k, v in report.about.items()))
    body.append(f'<p class="small">{about}</p>')
    return frame(title, body)


def frame(title: str, body: Sequence[str]) -> str:
    """Put the parts of a page into HTML that needs nothing beside it.

    Args:
        title: of the page.
        body: its elements, in order.
    """
    escaped = html.escape(title)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escaped}</title><style>{STYLE}</style></head>\n<body>\n"
        f"<h1>{escaped}</h1>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def _row(line: score_report.Line) -> str:
    title, score, ceiling, floor, aim, count = map(
        html.escape, score_report.cells(line)
    )
    summary = line.summary
    if summary.mean is None:
        return (
            f'<tr class="absent"><td>{title}</td><td colspan="4">{score}</td>'
            f"<td>{aim}</td><td>{count}</td></tr>"
        )
    plot = drawings.score_row(summary)
    return (
        f'<tr><td>{title}</td><td class="score">{score}</td>'
        f'<td><div class="plot">{plot}</div></td><td class="end">{ceiling}</td>'
        f'<td class="end">{floor}</td><td>{aim}</td><td>{count}</td></tr>'
    )


def _clip(shown: Shown) -> str:
    parts = [f"<h2>{html.escape(shown.name)}</h2>"]
    for caption, image in shown.strips:
        parts.append(
            f'<figure><img alt="{html.escape(caption)}" src="data:image/jpeg;base64,'
            f'{jpeg(image)}"><figcaption>{html.escape(caption)}</figcaption></figure>'
        )
    plots = "".join(
        f"<figure>{drawings.curves(lines)}<figcaption>{html.escape(caption)}"
        f" ({_legend(lines)})</figcaption></figure>"
        for caption, lines in shown.plots
    )
    parts.append(f'<div class="curves">{plots}</div>')
    return "\n".join(parts)


def _legend(lines: Sequence[tuple[str, np.ndarray]]) -> str:
    return ", ".join(
        f'<span style="color:{colour}">{html.escape(name)}</span>'
        for (name, _), colour in zip(lines, drawings.COLOURS, strict=False)
    )


def jpeg(image: np.ndarray) -> str:
    """Return a picture, uint8 `[H, W, 3]`, as JPEG in base64."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "strip.jpg"
        media.write_image(path, image)
        return base64.b64encode(path.read_bytes()).decode("ascii")
