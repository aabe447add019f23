"""Controls in a file: JSON or CSV, each a number or a curve over seconds.

{"gaze_yaw": [[0, -20], [2, 20]], "happiness": 0.5, "mouth_scale": 1.2}

seconds,gaze_yaw,happiness
0,-20,0.5
2,20,
"""

import csv
import json
import math
import os
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

from vasa_jax import types
from vasa_jax.animate import curves
from vasa_jax.animate.curves import Control
from vasa_jax.config import unknown_name
from vasa_jax.errors import UserError

ANGLES = {
    "gaze_yaw": ("gaze", 0),
    "gaze_pitch": ("gaze", 1),
    "pose_offset_yaw": ("pose_offset", 0),
    "pose_offset_pitch": ("pose_offset", 1),
    "pose_offset_roll": ("pose_offset", 2),
}
"""Field of `Controls` and index in it, by the name of an angle in a file."""

NUM_ANGLES = {"gaze": 2, "pose_offset": 3}

NUMBERS = (
    "head_distance",
    "liveliness",
    "pose_scale",
    "mouth_scale",
    "brow_offset",
    "smile_offset",
    "blink_rate",
    "audio_guidance",
    "gaze_guidance",
)
"""Fields of `Controls` that are called in a file as they are there."""

NAMES = (*ANGLES, *NUMBERS, *types.EMOTIONS)
"""All that a file may name."""


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a file of controls.

    Args:
        path: ends in .json or .csv.

    Returns:
        Fields of `Controls`, by name; those that the file does not name are left out.

    Raises:
        UserError: the file cannot be read, names what is no control, or holds what is
            neither a number nor a curve. `Controls` refuses what is out of range.
    """
    path = pathlib.Path(path)
    readers = {".json": _from_json, ".csv": _from_csv}
    if path.suffix.lower() not in readers:
        raise UserError(
            f"The controls {path} end neither in .json nor in .csv; name such a file."
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise UserError(
            f"Cannot read the controls {path}: {why}; name a file of controls."
        ) from error
    try:
        return to_fields(readers[path.suffix.lower()](text))
    except UserError as error:
        raise UserError(f"In the controls {path}: {error}") from error


def to_fields(named: Mapping[str, Control]) -> dict[str, Any]:
    """Gather controls by the names that files have for them.

    Args:
        named: controls by names of `NAMES`.

    Returns:
        Fields of `Controls`.

    Raises:
        UserError: a name is none of these.
    """
    fields: dict[str, Any] = {}
    for name, control in named.items():
        if name in ANGLES:
            field, index = ANGLES[name]
            angles = list(fields.get(field, (0.0,) * NUM_ANGLES[field]))
            angles[index] = control
            fields[field] = tuple(angles)
        elif name in types.EMOTIONS:
            fields.setdefault("emotion", {})[name] = control
        elif name in NUMBERS:
            fields[name] = control
        else:
            raise unknown_name(name, NAMES, "control")
    return fields


def _from_json(text: str) -> dict[str, Control]:
    try:
        values = json.loads(text, object_pairs_hook=_named_once)
    except (ValueError, RecursionError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"it is no JSON ({error}); write an object.") from error
    if not isinstance(values, dict):
        raise UserError("it is no JSON object; write one such as {...}.")
    return {name: curves.from_plain(value, name) for name, value in values.items()}


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    _refuse_twice(name for name, _ in pairs)
    return dict(pairs)


def _from_csv(text: str) -> dict[str, Control]:
    """Read columns; an empty cell is no point of its column's curve."""
    try:
        rows = [
            row for row in csv.reader(text.splitlines()) if any(map(str.strip, row))
        ]
    except csv.Error as error:
        raise UserError(f"it is no CSV ({error}); write a table.") from error
    names = [name.strip() for name in rows[0]] if rows else []
    if not names or names[0] != "seconds":
        raise UserError("the first column is not called seconds; call it so.")
    _refuse_twice(names)
    points: dict[str, list[tuple[float, float]]] = {name: [] for name in names[1:]}
    for number, row in enumerate(rows[1:], start=1):
        if len(row) != len(names):
            raise UserError(
                f"row {number} has {len(row)} cells, and the first line names "
                f"{len(names)} columns; give as many."
            )
        seconds = _number(row[0], number, "seconds")
        for name, cell in zip(names[1:], row[1:], strict=True):
            if cell.strip():
                points[name].append((seconds, _number(cell, number, name)))
    return {name: curves.from_plain(some, name) for name, some in points.items()}


def _number(cell: str, row: int, name: str) -> float:
    try:
        number = float(cell)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UserError(f"{name} in row {row} is {cell.strip()!r}; give a number.")
    return number


def _refuse_twice(names: Iterable[str]) -> None:
    seen = set()
    for name in names:
        if name in seen:
            raise UserError(f"{name} is named twice; name it once.")
        seen.add(name)
