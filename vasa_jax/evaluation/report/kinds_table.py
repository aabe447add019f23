"""The table of kinds of portraits: which of them a checkpoint does worse on."""

from collections.abc import Mapping, Sequence
from typing import Any

from vasa_jax.evaluation.report import grouped_table
from vasa_jax.evaluation.report.grouped_table import Measured, Row

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


def summarise(
    table: Mapping[str, Row], clips: Mapping[str, Sequence[Measured]]
) -> dict[str, dict[str, Any]]:
    """Summarise the portraits of each kind.

    Args:
        table: rows by key.
        clips: values of the portraits of each kind.

    Returns:
        By kind that has any: `num_portraits`, whether they are `few`, and `rows`.
    """
    return {
        kind: {
            "num_portraits": len(found),
            "few": len(found) < FEW,
            "rows": grouped_table.summarise(table, found),
        }
        for kind, found in clips.items()
        if found
    }


def to_markdown(
    table: Mapping[str, Row],
    summary: Mapping[str, Mapping[str, Any]],
    kinds: Mapping[str, Mapping[str, Any]],
) -> str:
    """Write the table: a row for each kind, and below it that of copying the source.

    Args:
        table: rows by key.
        summary: of all portraits, as of `grouped_table.summarise`.
        kinds: as of `summarise`.
    """
    shown = [key for key in SHOWN if summary[key]["model"] is not None]
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
            digits, numbers = table[key].digits, found["rows"][key]
            is_less = (
                key not in NOT_HIGHER
                and numbers["model"] is not None
                and numbers["model"] < LEAST_OF_MEAN * summary[key]["model"]
            )
            own.append(_with_interval(numbers, digits) + (" ▼" if is_less else ""))
            copies.append(_number(numbers["copy"], digits))
        count = f"{found['num_portraits']}{' *' if found['few'] else ''}"
        lines.append("| " + " | ".join([kind, count, *own]) + " |")
        lines.append("| " + " | ".join(["copying the source", "", *copies]) + " |")
    return "\n".join(lines) + "\n"


def _with_interval(numbers: Mapping[str, Any], digits: int) -> str:
    text = _number(numbers["model"], digits)
    if numbers["low"] is None:
        return text
    low, high = (_number(numbers[end], digits) for end in ("low", "high"))
    return f"{text} ({low} to {high})"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
