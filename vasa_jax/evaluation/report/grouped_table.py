"""From numbers of clips to the table that stands in the README, and to JSON."""

import dataclasses
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from vasa_jax import media
from vasa_jax.evaluation.metrics import signals


class Value(NamedTuple):
    """One number of one clip, and what it is compared with; not a number if unknown.

    Attributes:
        model: of the generated frames.
        copy: of the source, held still for the whole clip.
        truth: of the true frames, measured in the same way.
    """

    model: float
    copy: float = np.nan
    truth: float = np.nan


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        group: heading under which it stands.
        title: what is measured.
        unit: of the numbers; empty if none.
        aim: what would be good, in words; empty if there is no aim.
        digits: after the point.
        is_ratio: whether the table shows the values' mean over that of the truth.
            Ours: a mean of each clip's own ratio is above 1 for two performances that
            move alike, since some truths hardly move (1.13 for head poses of held-out
            clips set beside one another at random).
    """

    group: str
    title: str
    unit: str = ""
    aim: str = ""
    digits: int = 2
    is_ratio: bool = False


Measured = dict[str, Value]
"""Values of one clip by the key of their row."""


def average(takes: Sequence[Measured]) -> Measured:
    """Average the values of one clip's takes, each over the takes that know it.

    Args:
        takes: with the same keys.
    """
    if len(takes) == 1:
        return takes[0]
    return {
        key: Value(*(_known_mean([take[key][i] for take in takes]) for i in range(3)))
        for key in takes[0]
    }


def _known_mean(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else np.nan


def summarise(
    rows: Mapping[str, Row], clips: Iterable[Measured]
) -> dict[str, dict[str, Any]]:
    """Summarise clips as numbers of rows.

    Values that are not numbers are left out, and infinite ones stay: a row without any
    number says "not measured".

    Args:
        rows: by key.
        clips: values of each clip.

    Returns:
        By key: `model`, its interval `low` and `high`, `copy`, `truth` (None if not
        measured) and `num_clips`.
    """
    clips = list(clips)
    summary = {}
    for key, row in rows.items():
        found = [clip[key] for clip in clips if key in clip]
        if row.is_ratio:
            summary[key] = _summarise_ratio(found)
            continue
        columns = {
            name: [v for v in (getattr(one, name) for one in found) if not np.isnan(v)]
            for name in Value._fields
        }
        numbers = {n: float(np.mean(v)) if v else None for n, v in columns.items()}
        low = high = None
        if len(columns["model"]) > 1 and np.isfinite(columns["model"]).all():
            low, high = signals.interval(np.array(columns["model"]))
        num_clips = len(columns["model"])
        summary[key] = {**numbers, "low": low, "high": high, "num_clips": num_clips}
    return summary


def _summarise_ratio(found: list[Value]) -> dict[str, Any]:
    """Summarise values as means over the mean of the truth."""
    values = np.array(found, np.float64).reshape(-1, len(Value._fields))
    model, copy, truth = values[np.isfinite(values).all(axis=1)].T
    low = high = None
    if not truth.sum() > 0:
        numbers = dict.fromkeys(Value._fields)
    else:
        means = (model.mean(), copy.mean(), truth.mean())
        numbers = {
            name: float(mean / truth.mean())
            for name, mean in zip(Value._fields, means, strict=True)
        }
        if len(truth) > 1:
            low, high = signals.interval(model, over=truth)
    return {**numbers, "low": low, "high": high, "num_clips": len(truth)}


def to_markdown(
    rows: Mapping[str, Row], summary: Mapping[str, Mapping[str, Any]]
) -> str:
    """Write the table.

    Args:
        rows: by key, those of a group next to one another.
        summary: as from `summarise`.

    Returns:
        Markdown, a table for each group.
    """
    lines: list[str] = []
    group = None
    for key, row in rows.items():
        if row.group != group:
            group = row.group
            lines += ["", f"### {group}", ""] if lines else [f"### {group}", ""]
            lines += [
                "| | model (95 %) | copying the source | truth, measured alike | aim |",
                "|---|---|---|---|---|",
            ]
        found = summary[key]

        def number(name, found=found, digits=row.digits):
            value = found[name]
            return "-" if value is None else f"{value:.{digits}f}"

        model = number("model") if found["model"] is not None else "not measured"
        if found["low"] is not None:
            model += f" ({number('low')} to {number('high')})"
        title = f"{row.title}, {row.unit}" if row.unit else row.title
        cells = [title, model, number("copy"), number("truth"), row.aim]
        lines.append("| " + " | ".join(cells).rstrip() + " |")
    return "\n".join(lines) + "\n"


def write(
    path: str | os.PathLike[str],
    rows: Mapping[str, Row],
    summary: Mapping[str, Mapping[str, Any]],
    about: Mapping[str, Any],
) -> None:
    """Write the numbers as JSON and, beside it, the table as Markdown.

    Args:
        path: of the JSON; the table's ends in `.md` instead.
        rows: by key.
        summary: as from `summarise`.
        about: what was measured and how.

    Raises:
        UserError: the place cannot be written.
    """
    stem, _ = os.path.splitext(os.fspath(path))
    texts = {
        path: to_json(rows, summary, {"about": about}),
        f"{stem}.md": to_markdown(rows, summary),
    }
    for place, text in texts.items():
        with media.written_beside(place) as beside:
            beside.write_text(text, encoding="utf-8")


def to_json(
    rows: Mapping[str, Row],
    summary: Mapping[str, Mapping[str, Any]],
    more: Mapping[str, Any],
) -> str:
    """Write the numbers, with each row's title and aim, and what else is to be told.

    Args:
        rows: by key.
        summary: as from `summarise`.
        more: what JSON can hold, by name; it comes first.
    """
    named = {
        key: {**dataclasses.asdict(row), **summary[key]} for key, row in rows.items()
    }
    return json.dumps(_plain({**more, "rows": named}), indent=1) + "\n"


def _plain(value: Any) -> Any:
    """Replace infinities, which JSON cannot hold, by their names."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return str(value) if isinstance(value, float) and np.isinf(value) else value
