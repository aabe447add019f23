"""ARKit's weights in a CSV: as capture apps and trackers write them, and as we do.

Columns are known by their names, never by their order, which differs between apps.
"""

import csv
import dataclasses
import math
import os
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from vasa_jax import arkit, media, types
from vasa_jax.errors import UserError
from vasa_jax.face.dynamics_code import Expression

SECONDS, TIMECODE = "seconds", "timecode"
"""Columns that give the time: ours, and that of Live Link Face."""

MAY_LACK = ("tongueOut",)
"""Follows: MediaPipe, whose list begins with `_neutral` and ends without the tongue."""

USUAL_RATE_HZ = 60.0
"""Rows a second where a time code is too short to tell. Follows: Live Link Face."""

LEAST_RATE_HZ = 10.0
"""Ours: fewer rows a second are no capture of a face that speaks."""

WEIGHT_RANGE = (-0.5, 2.0)
"""What is cut to 0 to 1. Ours: trackers overshoot; what is further out is no weight but
percent, say."""


@dataclasses.dataclass(frozen=True)
class _Table:
    """Rows under names, lower case."""

    names: Sequence[str]
    rows: Sequence[Sequence[str]]

    def cells(self, name: str) -> list[str]:
        column = self.names.index(name)
        return [row[column].strip() for row in self.rows]


def read(path: str | os.PathLike[str]) -> Expression:
    """Read weights, and bring them to 25 frames a second.

    Ours: rows without weights, which apps write where they lost the face, lie on
    straight lines between their neighbours. Angles of the head are not read: apps
    differ in their signs.

    Args:
        path: a CSV whose columns are named as ARKit's units, capitals aside, with a
            column `seconds` or `Timecode`.

    Returns:
        The weights, and the gaze that they give, of every frame.

    Raises:
        UserError: the file cannot be read, or lacks columns, or a row holds what is no
            weight or no time.
    """
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise UserError(
            f"Cannot read the weights {path}: {why}; name a CSV of ARKit's units."
        ) from error
    try:
        return _expression(_table(text))
    except UserError as error:
        raise UserError(f"In the weights {path}: {error}") from error


def write(path: str | os.PathLike[str], expression: Expression) -> None:
    """Write weights, 25 rows a second, so that `read` gives them back.

    Args:
        path: an older file is replaced.
        expression: of T frames; its gaze goes into the eyeLook weights, and weights
            are cut to 0 to 1.

    Raises:
        UserError: it cannot be written there.
    """
    weights = arkit.with_gaze(expression.arkit, expression.gaze_in_head)
    with (
        media.written_beside(path) as beside,
        open(beside, "w", encoding="utf-8", newline="") as file,
    ):
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow((SECONDS, *arkit.NAMES))
        for number, row in enumerate(np.clip(weights, 0, 1)):
            seconds = number / types.FRAME_RATE_HZ
            rows.writerow((f"{seconds:.2f}", *(f"{weight:.6f}" for weight in row)))


def _table(text: str) -> _Table:
    try:
        lines = [row for row in csv.reader(text.splitlines()) if any(row)]
    except csv.Error as error:
        raise UserError(f"it is no CSV ({error}).") from error
    if len(lines) < 2:
        raise UserError("it has no row below the names of its columns.")
    names = [name.strip().lower() for name in lines[0]]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UserError(f"two of its columns are called {twice[0]!r}.")
    # Apps that lost the face end rows early.
    rows = [[*row, *[""] * (len(names) - len(row))] for row in lines[1:]]
    for number, row in enumerate(rows, start=1):
        if len(row) > len(names):
            raise UserError(f"row {number} has more cells than there are columns.")
    return _Table(names, rows)


def _expression(table: _Table) -> Expression:
    known = {name.lower(): unit for unit, name in enumerate(arkit.NAMES)}
    there = {name: unit for name, unit in known.items() if name in table.names}
    missing = [
        arkit.NAMES[unit]
        for name, unit in known.items()
        if name not in there and arkit.NAMES[unit] not in MAY_LACK
    ]
    if missing:
        raise UserError(
            f"it has no column {missing[0]}"
            + (f" and lacks {len(missing) - 1} more" if missing[1:] else "")
            + "; name columns as ARKit's units are."
        )
    weights, is_there = _weights(table, there)
    times = _times(table)
    step = float(np.median(np.diff(times))) if len(times) > 1 else 1 / USUAL_RATE_HZ
    rate = len(times) / (times[-1] + step)
    if rate < LEAST_RATE_HZ:
        raise UserError(
            f"it has {rate:.2g} rows a second, too few for a face; give a column "
            "seconds with the time of each row."
        )
    # A thousandth of a frame is lost in rounding.
    count = max(1, math.floor((times[-1] + step) * types.FRAME_RATE_HZ + 1e-3))
    middles = (np.arange(count) + 0.5) / types.FRAME_RATE_HZ
    seen = times[is_there] + step / 2
    frames = [np.interp(middles, seen, column) for column in weights[is_there].T]
    frames = np.stack(frames, axis=-1).astype(np.float32)
    return Expression(arkit=frames, gaze_in_head=arkit.gaze_of(frames))


def _weights(table: _Table, there: Mapping[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return weights `[R, 52]` and which rows have them, bool `[R]`."""
    weights = np.zeros((len(table.rows), arkit.NUM_UNITS))
    columns = {unit: table.cells(name) for name, unit in there.items()}
    is_there = np.array([any(cells) for cells in zip(*columns.values(), strict=True)])
    if not is_there.any():
        raise UserError("none of its rows has weights.")
    low, high = WEIGHT_RANGE
    for unit, cells in columns.items():
        for row in np.flatnonzero(is_there):
            weight = _to_float(cells[row])
            if not low <= weight <= high:
                raise UserError(
                    f"{arkit.NAMES[unit]} in row {row + 1} is {cells[row][:20]!r}; "
                    "give weights from 0 to 1."
                )
            weights[row, unit] = weight
    return np.clip(weights, 0, 1), is_there


def _times(table: _Table) -> np.ndarray:
    """Return the time of each row since the first, seconds."""
    if SECONDS in table.names:
        times = np.array([_to_float(cell) for cell in table.cells(SECONDS)])
        if not np.isfinite(times).all() or np.any(np.diff(times) <= 0):
            raise UserError(
                "its column seconds does not rise from row to row; give the time of "
                "each row."
            )
        return times - times[0]
    if TIMECODE not in table.names:
        raise UserError(
            "it has neither a column seconds nor Timecode; add the time of each row."
        )
    return np.arange(len(table.rows)) / _rows_a_second(table.cells(TIMECODE))


def _rows_a_second(codes: Sequence[str]) -> float:
    """Return the rate of rows by the whole seconds of HH:MM:SS:FF.

    Ours: writers differ in what the frames and their fraction mean, but not in seconds.
    """
    seconds = []
    for number, code in enumerate(codes, start=1):
        parts = code.replace(";", ":").split(":")
        whole = [part for part in parts[:3] if part.isdecimal() and len(part) < 4]
        if len(parts) != 4 or len(whole) != 3:
            raise UserError(
                f"Timecode in row {number} is {code[:20]!r}; give HH:MM:SS:FF, or a "
                "column seconds."
            )
        hours, minutes, rest = map(int, whole)
        seconds.append((60 * hours + minutes) * 60 + rest)
    steps = np.diff(seconds)
    if np.any(steps < 0):
        raise UserError(
            f"Timecode goes back in row {int(np.argmax(steps < 0)) + 2}; give times "
            "that rise, or a column seconds."
        )
    changes = np.flatnonzero(steps)
    if len(changes) < 2:
        return USUAL_RATE_HZ
    num_rows = changes[-1] - changes[0]
    return float(num_rows / (seconds[changes[-1] + 1] - seconds[changes[0] + 1]))


def _to_float(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan
