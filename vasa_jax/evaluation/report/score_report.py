"""The report on measured clips, as data, as JSON and as Markdown tables."""

import dataclasses
import itertools
import json
import math
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from vasa_jax import media
from vasa_jax.evaluation.benchmark.scoring import TOO_FEW_FRAMES, ClipResult
from vasa_jax.evaluation.metrics.definition import (
    ORIGINAL,
    Metric,
    Row,
    State,
    Summary,
)

DOES_NOT_APPLY = "it does not apply"
"""Why a clip has no number where others have one."""

MAX_NAMED = 8
"""Clips that a sentence names; the JSON names all. Ours: a benchmark has hundreds."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Line:
    """One line.

    Attributes:
        row: what it is about.
        summary: its numbers.
        left_out: reasons, by clip that has no score.
        not_measured: what the metric needs and was not given; None if measured.
    """

    row: Row
    summary: Summary = Summary()
    left_out: Mapping[str, str] = dataclasses.field(default_factory=dict)
    not_measured: str | None = None

    @property
    def title(self) -> str:
        """The row's title, behind that of its group."""
        return (
            f"{self.row.group}: {self.row.title}" if self.row.group else self.row.title
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """All that is known of a set of clips.

    Attributes:
        lines: by key of their row.
        clips: what was found, by clip.
        about: what was measured and how; what JSON can hold.
    """

    lines: Mapping[str, Line]
    clips: Mapping[str, ClipResult]
    about: Mapping[str, Any]

    @property
    def num_missing(self) -> dict[str, int]:
        """Frames without a face, of the clips that have any."""
        return {n: c.num_missing for n, c in self.clips.items() if c.num_missing}

    @property
    def comparing(self) -> list[str]:
        """What must be known to compare the numbers, a sentence once."""
        known = [o.summary for o in self.lines.values() if o.summary.mean is not None]
        return list(dict.fromkeys(one.about for one in known if one.about))

    @property
    def notes(self) -> list[str]:
        """Sentences: how to compare, what differed, where faces and ends lack."""
        notes = [*self.comparing, *self._without_originals]
        notes += [note for clip in self.clips.values() for note in clip.notes]
        for name, count in self.num_missing.items():
            total = self.clips[name].num_frames
            notes.append(f"{name}: no face in {count} of {total} frames, left out")
        for line in self.lines.values():
            total = line.summary.num_clips
            for what, count in (
                ("floor", line.summary.num_floors),
                ("ceiling", line.summary.num_ceilings),
            ):
                if 0 < count < total:
                    notes.append(
                        f"{line.title}: the {what} is of {count} of {total} clips"
                    )
        return list(dict.fromkeys(notes))

    @property
    def _without_originals(self) -> list[str]:
        """Name the scores that stand beside none of the originals."""
        titles = [
            line.title
            for line in self.lines.values()
            if line.summary.mean is not None
            and line.summary.ceiling is None
            and line.row.ceiling == ORIGINAL
        ]
        if not titles:
            return []
        return [
            f"{', '.join(titles)}: no original was given that can be scored, and "
            "without the originals' scores these compare with no others"
        ]


def summarise(
    metrics: Sequence[Metric],
    results: Mapping[str, ClipResult],
    about: Mapping[str, Any],
    unmet: Mapping[str, str] | None = None,
) -> Report:
    """Sum up clips by all metrics.

    Args:
        metrics: in the order of the report.
        results: by clip.
        about: see `Report`.
        unmet: what metrics need that was not given, by name.
    """
    unmet = unmet or {}
    lines: dict[str, Line] = {}
    for metric in metrics:
        if metric.name in unmet:
            for key, row in metric.rows.items():
                lines[key] = Line(row=row, not_measured=unmet[metric.name])
            continue
        state = State(
            {
                name: result.measured[metric.name]
                for name, result in results.items()
                if metric.name in result.measured
            }
        )
        summaries = metric.finish(state)
        for key, row in metric.rows.items():
            lines[key] = Line(
                row=row, summary=summaries[key], left_out=_left_out(state, key)
            )
    return Report(lines=lines, clips=results, about=about)


def _left_out(state: State, key: str) -> dict[str, str]:
    """Name the clips without a score; a metric of sets has no scores of clips."""
    reasons = {n: m.left_out for n, m in state.clips.items() if m.left_out is not None}
    scores = state.scores(key)
    for name, one in state.clips.items():
        if one.left_out is not None or not one.scores or not scores:
            continue
        if key not in one.scores:
            reasons[name] = DOES_NOT_APPLY
        elif math.isnan(one.scores[key].value):
            reasons[name] = TOO_FEW_FRAMES
    return dict(sorted(reasons.items()))


def write(texts: Mapping[str | os.PathLike[str], str]) -> None:
    """Write files, each whole.

    Args:
        texts: by path.

    Raises:
        UserError: a place cannot be written.
    """
    for path, text in texts.items():
        with media.written_beside(path) as beside:
            beside.write_text(text, encoding="utf-8")


def write_report(path: str | os.PathLike[str], report: Report) -> str:
    """Write a report as JSON and, beside it, as Markdown.

    Args:
        path: of the JSON; the table's ends in `.md` instead.
        report: what to write.

    Returns:
        The Markdown.

    Raises:
        UserError: the place cannot be written.
    """
    text = to_markdown(report)
    write({path: to_json(report), pathlib.Path(path).with_suffix(".md"): text})
    return text


def to_json(report: Report, **more: Any) -> str:
    """Write the JSON file; what is no number is null, and infinity a name.

    Args:
        report: what to write.
        more: what else JSON can hold, by name.
    """
    rows = {key: _line_to_plain(line) for key, line in report.lines.items()}
    clips = {
        name: {
            "num_frames": clip.num_frames,
            "num_frames_without_face": clip.num_missing,
            "notes": list(clip.notes),
        }
        for name, clip in report.clips.items()
    }
    plain = {"about": dict(report.about), "rows": rows, "clips": clips, **more}
    return json.dumps(_plain(plain), indent=1, allow_nan=False) + "\n"


def _line_to_plain(line: Line) -> dict[str, Any]:
    row = line.row
    return {
        "group": row.group,
        "title": row.title,
        "unit": row.unit,
        "aim": row.aim,
        "is_ratio": row.is_ratio,
        **dataclasses.asdict(line.summary),
        "floor_is": row.floor,
        "ceiling_is": row.ceiling,
        "left_out": dict(line.left_out),
        "not_measured": line.not_measured,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and math.isnan(value):
        return None
    return str(value) if isinstance(value, float) and math.isinf(value) else value


def to_markdown(report: Report) -> str:
    """Write the tables, and below them what was left out and what is worth knowing."""
    lines: list[str] = []
    for group, some in itertools.groupby(
        report.lines.values(), key=lambda line: line.row.group
    ):
        some = list(some)
        if group:
            lines += [*([""] if lines else []), f"### {group}", ""]
        lines.append(f"| | {' | '.join(heads(some))} |")
        lines.append("|---|---|---|---|---|---|")
        lines += ["| " + " | ".join(cells(line)).rstrip() + " |" for line in some]
    if omitted := left_out(report):
        lines += ["", "Left out:", "", *(f"- {sentence}" for sentence in omitted)]
    if report.notes:
        lines += ["", "Notes:", "", *(f"- {sentence}" for sentence in report.notes)]
    return "\n".join(lines) + "\n"


def heads(lines: Sequence[Line]) -> list[str]:
    """Return the heads of the columns: score, ceiling, floor, aim, clips.

    Ours: the rows of a group share floor and ceiling, which stand in the head alone.
    """
    row = lines[0].row
    ends = [row.ceiling, row.floor] if row.group else ["ceiling", "floor"]
    return ["score (95 %)", *ends, "aim", "clips"]


def cells(line: Line) -> list[str]:
    """Return the texts of a line: title, score, ceiling, floor, aim, clips."""
    row, summary = line.row, line.summary
    title = f"{row.title}, {row.unit}" if row.unit else row.title
    if line.not_measured is not None:
        return [title, f"not measured: {line.not_measured}", "-", "-", row.aim, "0"]
    score = interval(summary, row.digits)
    if summary.mean is None:
        score = "not measured: no clip could be"
    ends = []
    for value, what in ((summary.ceiling, row.ceiling), (summary.floor, row.floor)):
        text = number(value, row.digits)
        is_plain = value is None or row.group
        ends.append(text if is_plain else f"{text} ({what})")
    return [title, score, *ends, row.aim, str(summary.num_clips)]


def interval(summary: Summary, digits: int) -> str:
    """Write a mean and where it lies with 95 %."""
    text = number(summary.mean, digits)
    if summary.low is None:
        return text
    low, high = (number(v, digits) for v in (summary.low, summary.high))
    return f"{text} ({low} to {high})"


def number(value: float | None, digits: int) -> str:
    """Write a number, or a dash for none."""
    return "-" if value is None else f"{value:.{digits}f}"


def left_out(report: Report) -> list[str]:
    """Say which clips are missing in which lines, one sentence a line and reason."""
    sentences = []
    for line in report.lines.values():
        by_reason: dict[str, list[str]] = {}
        for name, reason in line.left_out.items():
            by_reason.setdefault(reason, []).append(name)
        for reason, names in by_reason.items():
            text = ", ".join(names[:MAX_NAMED])
            if len(names) > MAX_NAMED:
                text += f" and {len(names) - MAX_NAMED} more"
            sentences.append(f"{line.title}: {text}: {reason}")
    return sentences
