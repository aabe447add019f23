"""The report on scored videos, as data, as JSON and as a Markdown table."""

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from vasa_jax.evaluation.benchmark.scoring import TOO_FEW_FRAMES, ClipResult
from vasa_jax.evaluation.metrics.definition import AS_REAL, Measured, Metric, Row
from vasa_jax.evaluation.metrics.scores import Summary


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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """All that is told of a set of videos.

    Attributes:
        lines: by key of their row.
        clips: what was found, by clip.
        about: what was scored and how; what JSON can hold.
    """

    lines: Mapping[str, Line]
    clips: Mapping[str, ClipResult]
    about: Mapping[str, Any]

    @property
    def num_missing(self) -> dict[str, int]:
        """Frames without a face, of the clips that have any."""
        return {n: c.num_missing for n, c in self.clips.items() if c.num_missing}

    @property
    def notes(self) -> list[str]:
        """Sentences: what differed, where no face is seen, which ends lack clips."""
        notes = [note for clip in self.clips.values() for note in clip.notes]
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
                        f"{line.row.title}: the {what} is of {count} of {total} clips"
                    )
        return list(dict.fromkeys(notes))


def summarise(
    metrics: Sequence[Metric],
    unmet: Mapping[str, str],
    results: Mapping[str, ClipResult],
    about: Mapping[str, Any],
) -> Report:
    """Sum up clips by all metrics.

    Args:
        metrics: in the order of the report.
        unmet: what metrics need that was not given, by name.
        results: by clip, of the other metrics.
        about: see `Report`.
    """
    lines: dict[str, Line] = {}
    for metric in metrics:
        if metric.name in unmet:
            for key, row in metric.rows.items():
                lines[key] = Line(row=row, not_measured=unmet[metric.name])
            continue
        measured = {name: r.measured[metric.name] for name, r in results.items()}
        scored = {n: one for n, one in measured.items() if one.left_out is None}
        summaries = metric.summarise(scored)
        for key, row in metric.rows.items():
            lines[key] = Line(
                row=row, summary=summaries[key], left_out=_left_out(measured, key)
            )
    return Report(lines=lines, clips=results, about=about)


def _left_out(measured: Mapping[str, Measured], key: str) -> dict[str, str]:
    """Name the clips without a score; a metric of sets has no scores of clips."""
    reasons = {n: m.left_out for n, m in measured.items() if m.left_out is not None}
    for name, one in measured.items():
        if one.left_out is not None or not one.scores:
            continue
        if key not in one.scores:
            reasons[name] = "it does not apply"
        elif math.isnan(one.scores[key].value):
            reasons[name] = TOO_FEW_FRAMES
    return dict(sorted(reasons.items()))


def to_json(report: Report) -> str:
    """Write the JSON file; what is no number is null, and infinity a name."""
    rows = {}
    for key, line in report.lines.items():
        row, summary = line.row, line.summary
        rows[key] = {
            "title": row.title,
            "unit": row.unit,
            "better": row.better,
            **{k: _plain(v) for k, v in dataclasses.asdict(summary).items()},
            "floor_is": row.floor,
            "ceiling_is": row.ceiling,
            "left_out": dict(line.left_out),
            "not_measured": line.not_measured,
        }
    clips = {
        name: {
            "num_frames": clip.num_frames,
            "num_frames_without_face": clip.num_missing,
            "notes": list(clip.notes),
        }
        for name, clip in report.clips.items()
    }
    plain = {"about": dict(report.about), "rows": rows, "clips": clips}
    return json.dumps(plain, indent=1, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, float) and math.isnan(value):
        return None
    return str(value) if isinstance(value, float) and math.isinf(value) else value


def to_markdown(report: Report) -> str:
    """Write the table, and below it what was left out and what is worth knowing."""
    lines = [
        "| | score (95 %) | ceiling | floor | better | clips |",
        "|---|---|---|---|---|---|",
    ]
    for line in report.lines.values():
        lines.append("| " + " | ".join(cells(line)).rstrip() + " |")
    if omitted := left_out(report):
        lines += ["", "Left out:", "", *(f"- {sentence}" for sentence in omitted)]
    if report.notes:
        lines += ["", "Notes:", "", *(f"- {sentence}" for sentence in report.notes)]
    return "\n".join(lines) + "\n"


def cells(line: Line) -> list[str]:
    """Return the texts of a line: title, score, ceiling, floor, better, clips."""
    row, summary = line.row, line.summary
    title = f"{row.title}, {row.unit}" if row.unit else row.title
    if line.not_measured is not None:
        return [title, f"not measured: {line.not_measured}", "-", "-", row.better, "0"]
    score = number(summary.mean, row.digits)
    if summary.mean is None:
        score = "not measured: no clip could be"
    if summary.low is not None:
        low, high = (number(v, row.digits) for v in (summary.low, summary.high))
        score += f" ({low} to {high})"
    ends = []
    for value, what in ((summary.ceiling, row.ceiling), (summary.floor, row.floor)):
        known = value is not None
        ends.append(f"{number(value, row.digits)} ({what})" if known else "-")
    better = "as the reference" if row.better == AS_REAL else row.better
    return [title, score, *ends, better, str(summary.num_clips)]


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
            sentences.append(f"{line.row.title}: {', '.join(names)}: {reason}")
    return sentences
