"""The report as one page of HTML that needs nothing beside it, drawings included."""

import base64
import dataclasses
import html
import importlib.util
import io
import pathlib
import tempfile
from collections.abc import Sequence

import einops
import numpy as np

from vasa_jax import errors, media
from vasa_jax.evaluation.benchmark import video_clip
from vasa_jax.evaluation.benchmark.scoring import Pair
from vasa_jax.evaluation.metrics.definition import Summary
from vasa_jax.evaluation.report import score_report

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

DRAWING_INCHES = 3.4
"""Width of a drawing; 72 points each."""

COLOURS = ("#2a6fdb", "#8a8f98", "#d9730d", "#2e9e5b")
"""Of the video, the reference, the floor and the ceiling."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shown:
    """A clip as the page shows it.

    Attributes:
        name: of it.
        strips: caption and uint8 `[h, w, 3]` of each strip.
        plots: caption and lines, as of `draw_curves`, of each plot.
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
        (title, film_strip(clip, num_frames, STRIP_FRAMES, STRIP_HEIGHT))
        for title, clip in opened
    ]
    plots = []
    if has_face:
        for title, read in (
            ("mouth opening", lambda face: face.mouth_aperture),
            ("yaw, degrees", lambda face: np.degrees(face.rotation[:, 0])),
            ("eye opening", lambda face: face.eye_aperture),
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


def frame(title: str, body: Sequence[str], style: str = "") -> str:
    """Put the parts of a page into HTML with its style.

    Args:
        title: of the page.
        body: its elements, in order.
        style: beside that of all pages.
    """
    escaped = html.escape(title)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escaped}</title><style>{STYLE}{style}</style></head>\n<body>\n"
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
    plot = draw_scores(summary)
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
        f"<figure>{draw_curves(lines)}<figcaption>{html.escape(caption)}"
        f" ({_legend(lines)})</figcaption></figure>"
        for caption, lines in shown.plots
    )
    parts.append(f'<div class="curves">{plots}</div>')
    return "\n".join(parts)


def _legend(lines: Sequence[tuple[str, np.ndarray]]) -> str:
    return ", ".join(
        f'<span style="color:{colour}">{html.escape(name)}</span>'
        for (name, _), colour in zip(lines, COLOURS, strict=False)
    )


def jpeg(image: np.ndarray) -> str:
    """Return a picture, uint8 `[H, W, 3]`, as JPEG in base64."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "strip.jpg"
        media.write_image(path, image)
        return base64.b64encode(path.read_bytes()).decode("ascii")


def film_strip(
    clip: video_clip.Clip, num_frames: int, count: int, height: int
) -> np.ndarray:
    """Return some frames of a clip side by side, evenly spread.

    Args:
        clip: the video.
        num_frames: of it that are considered.
        count: frames to show, at most.
        height: of the strip, at most; pixels.

    Returns:
        uint8 `[h, w, 3]`.
    """
    every = max(1, num_frames // count)
    frames = clip.sampled(every, num_frames)[:count]
    step = -(-frames.shape[1] // height)
    rows, columns = (size // step * step for size in frames.shape[1:3])
    small = einops.reduce(
        frames[:, :rows, :columns].astype(np.float32),
        "t (h a) (w b) c -> h (t w) c",
        "mean",
        a=step,
        b=step,
    )
    return np.rint(small).astype(np.uint8)


def require_matplotlib() -> None:
    """Refuse to go on without matplotlib, before anything slow is done.

    Raises:
        UserError: it is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise errors.UserError(
            "The page of a report needs matplotlib; install it by "
            "pip install 'vasa_jax[evaluate]'."
        )


def draw_scores(summary: Summary) -> str:
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


def draw_curves(lines: Sequence[tuple[str, np.ndarray]]) -> str:
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

    made = figure.Figure(figsize=(DRAWING_INCHES, inches))
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
