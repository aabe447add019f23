"""The paper's tables with our numbers beside those printed, as Markdown and JSON."""

import dataclasses
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vasa_jax.evaluation.metrics.definition import AS_REAL, HIGHER, LOWER
from vasa_jax.evaluation.report import paper_figures
from vasa_jax.evaluation.report.score_report import Line, Report

PAPER, OURS, REAL = "paper", "ours", "real"
"""Where the numbers of a row come from; `REAL` is the benchmark's own video."""

OWN_VIDEO = "the benchmark's own video"
"""Ours: not "real", because a benchmark may be of rendered people."""

ARROWS = {HIGHER: " ↑", LOWER: " ↓", AS_REAL: ""}
"""Beside the head of a column. Follows: the paper."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cell:
    """One number; None is unknown.

    Attributes:
        value: of it.
        low, high: where it lies with 95 %.
        num_clips: that were measured.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    num_clips: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class TableRow:
    """One row.

    Attributes:
        name: of it.
        origin: `PAPER`, `OURS` or `REAL`.
        cells: by the head of their column.
    """

    name: str
    origin: str
    cells: Mapping[str, Cell]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Filled:
    """One table.

    Attributes:
        number: of the table here.
        title: what it shows.
        source: who printed the rows that are not ours.
        protocol: on what they were measured.
        digits: after the point, by the head of each column.
        heads: what is good, by the head of each column.
        rows: in order; the originals' first.
        missing: why a column has none of our numbers, by its head.
        clips: how many of which length stand behind our rows; empty without any.
        comparing: what must be known to compare its numbers, a sentence once.
    """

    number: int
    title: str
    source: str
    protocol: str
    digits: Mapping[str, int]
    heads: Mapping[str, str]
    rows: Sequence[TableRow]
    missing: Mapping[str, str]
    clips: str = ""
    comparing: Sequence[str] = ()


def find_line(report: Report, row: str) -> Line | None:
    """Return the line of a key or of a title, or None."""
    if row in report.lines:
        return report.lines[row]
    return next((o for o in report.lines.values() if o.row.title == row), None)


def fill(
    number: int,
    table: paper_figures.Table,
    reports: Mapping[paper_figures.Setting, Report],
    clips: str = "",
) -> Filled:
    """Put reports under the columns of a table.

    Args:
        number: of the table.
        table: its layout.
        reports: of each of its settings.
        clips: see `Filled`.
    """
    last = reports[table.settings[-1][0]]
    missing = {c.symbol: _missing(c, last) for c in table.columns}
    columns = [c for c in table.columns if not (c.is_extra and missing[c.symbol])]
    rows = [
        # Real video first: no score can be read without that of the originals.
        TableRow(
            name=f"{OWN_VIDEO}, measured alike",
            origin=REAL,
            cells=_own_cells(last, columns, _ceiling),
        ),
        *(
            _paper_row(f"{name} ({table.source})", values)
            for name, values in table.paper_values
        ),
    ]
    for setting, values in table.settings:
        if values:
            rows.append(_paper_row(f"{setting.title} (paper)", values))
        rows.append(
            TableRow(
                name=f"{setting.title} (ours)" if values else setting.title,
                origin=OURS,
                cells=_own_cells(reports[setting], columns, _score),
            )
        )
    known = (
        line.summary
        for setting, _ in table.settings
        for line in _lines_of(reports[setting], columns).values()
        if line.summary.mean is not None
    )
    comparing = dict.fromkeys(summary.about for summary in known if summary.about)
    comparing |= dict.fromkeys(_without_originals(last, columns))
    return Filled(
        number=number,
        title=table.title,
        source=table.source,
        protocol=table.protocol,
        digits={c.symbol: c.digits for c in columns},
        heads={c.symbol: c.better for c in columns},
        rows=rows,
        missing={c.symbol: missing[c.symbol] for c in columns if missing[c.symbol]},
        clips=clips,
        comparing=list(comparing),
    )


def _without_originals(
    report: Report, columns: Sequence[paper_figures.Column]
) -> list[str]:
    """Name the columns that hold our numbers and none of the originals."""
    summaries = {s: line.summary for s, line in _lines_of(report, columns).items()}
    lacking = [
        symbol
        for symbol, one in summaries.items()
        if one.mean is not None and one.ceiling is None
    ]
    if not lacking:
        return []
    return [
        f"{', '.join(lacking)}: no original was given that can be scored, and without "
        "the originals' scores these compare with no others."
    ]


def _paper_row(name: str, values: Mapping[str, float]) -> TableRow:
    """Return a printed row."""
    cells = {symbol: Cell(value=value) for symbol, value in values.items()}
    return TableRow(name=name, origin=PAPER, cells=cells)


def _lines_of(
    report: Report, columns: Sequence[paper_figures.Column]
) -> dict[str, Line]:
    """Return the lines of a report that stand under columns, by symbol."""
    lines = {c.symbol: find_line(report, c.row or "") for c in columns}
    return {symbol: line for symbol, line in lines.items() if line}


def _own_cells(
    report: Report,
    columns: Sequence[paper_figures.Column],
    as_cell: Callable[[Any], Cell],
) -> dict[str, Cell]:
    """Return a row of a report, by symbol."""
    lines = _lines_of(report, columns)
    return {symbol: as_cell(line.summary) for symbol, line in lines.items()}


def fill_sanity(
    number: int,
    table: paper_figures.SanityTable,
    found: Mapping[float, float],
    num_clips: Mapping[float, int],
    reason: str | None,
    favour: str,
) -> Filled:
    """Put our CAPP's answers to shifts or factors beside the paper's.

    Args:
        number: of the table.
        table: its layout.
        found: ours by shift or factor.
        num_clips: behind each.
        reason: why there are none; None if there are.
        favour: whom the network favours.
    """

    def head(value):
        return f"±{value:g}" if table.is_shift and value else f"{value:g}"

    keys = sorted({*table.paper_values, *found})
    own = {head(k): Cell(value=found[k], num_clips=num_clips.get(k)) for k in found}
    too_short = {
        head(k): "no clip is long enough" for k in keys if k not in found and not reason
    }
    rows = [
        TableRow(name=f"{OWN_VIDEO}, CAPP (own)", origin=REAL, cells=own),
        TableRow(
            name="real video, CAPP (paper)",
            origin=PAPER,
            cells={head(k): Cell(value=v) for k, v in table.paper_values.items()},
        ),
    ]
    ends = sorted({min(num_clips.values()), max(num_clips.values())} if found else ())
    return Filled(
        number=number,
        title=table.title,
        source=paper_figures.PAPER,
        protocol=table.protocol,
        digits={head(k): 3 for k in keys},
        heads={head(k): AS_REAL for k in keys},
        rows=rows,
        missing={"CAPP (own)": reason} if reason else too_short,
        clips=f"{' to '.join(map(str, ends))} clips a column" if found else "",
        comparing=[favour] if found else [],
    )


def _score(summary) -> Cell:
    return Cell(
        value=summary.mean,
        low=summary.low,
        high=summary.high,
        num_clips=summary.num_clips,
    )


def _ceiling(summary) -> Cell:
    # Sets of clips have one ceiling and count no clips for it.
    count = summary.num_ceilings or summary.num_clips
    return Cell(value=summary.ceiling, num_clips=count)


def _missing(column: paper_figures.Column, report: Report) -> str:
    """Say why a column has none of our numbers; empty if it has."""
    if column.row is None:
        return column.absent
    line = find_line(report, column.row)
    if line is None:
        return "there is no metric of this name"
    if line.not_measured is not None:
        return line.not_measured
    reasons = sorted(set(line.left_out.values()))
    if line.summary.mean is None:
        return f"no clip could be measured ({'; '.join(reasons) or 'too few'})"
    return ""


def to_markdown(tables: Sequence[Filled], notes: Sequence[str], here: str) -> str:
    """Write all tables.

    Args:
        tables: filled.
        notes: what is worth knowing about them.
        here: what our rows were measured on.
    """
    parts = []
    for table in tables:
        heads = [symbol + ARROWS[better] for symbol, better in table.heads.items()]
        lines = [
            f"### Table {table.number}: {table.title}",
            "",
            f"Rows of ({table.source}) are measured on {table.protocol}; rows in bold "
            f"on {', '.join(filter(None, (here, table.clips)))}.",
            "",
            f"| | {' | '.join(heads)} |",
            "|---" * (len(heads) + 1) + "|",
        ]
        for row in table.rows:
            cells = [
                _text(row.cells.get(symbol, Cell()), digits)
                for symbol, digits in table.digits.items()
            ]
            name = row.name if row.origin == PAPER else f"**{row.name}**"
            lines.append(f"| {name} | {' | '.join(cells)} |")
        if table.missing:
            lines += ["", "Not measured by us:", ""]
            for reason in dict.fromkeys(table.missing.values()):
                names = [n for n, other in table.missing.items() if other == reason]
                lines.append(f"- {', '.join(names)}: {reason}")
        if table.comparing:
            # Under each table, since tables are quoted one by one.
            lines += ["", " ".join(table.comparing)]
        parts.append("\n".join(lines))
    if notes:
        listed = "\n".join(f"- {note}" for note in notes)
        parts.append(f"### How this differs from the paper\n\n{listed}")
    return "\n\n".join(parts) + "\n"


def _text(cell: Cell, digits: int) -> str:
    if cell.value is None:
        return "-"
    text = f"{cell.value:.{digits}f}"
    if cell.low is not None:
        text += f" ({cell.low:.{digits}f} to {cell.high:.{digits}f})"
    return text


def to_json(
    tables: Sequence[Filled], notes: Sequence[str], about: Mapping[str, Any]
) -> str:
    """Write the same for programs; what is no number is null."""
    plain = {
        "about": dict(about),
        "tables": [dataclasses.asdict(table) for table in tables],
        "notes": list(notes),
    }
    return json.dumps(_finite(plain), indent=1, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    is_number = isinstance(value, float)
    return None if is_number and not math.isfinite(value) else value
