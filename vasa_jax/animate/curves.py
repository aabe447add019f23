"""Curves over time: what a control is where one number will not do."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from vasa_jax.errors import UserError


@dataclasses.dataclass(frozen=True)
class Curve:
    """Straight lines between points in time, held before the first and after the last.

    Attributes:
        seconds: of each point, from the first frame on; rising.
        values: at each point.
    """

    seconds: tuple[float, ...]
    values: tuple[float, ...]

    def __post_init__(self):
        """Refuse points that make no curve."""
        for name in ("seconds", "values"):
            # Lists and arrays come, too; equal curves shall be equal.
            numbers = tuple(float(number) for number in getattr(self, name))
            object.__setattr__(self, name, numbers)
        if not self.seconds or len(self.seconds) != len(self.values):
            raise UserError(
                f"A curve has {len(self.seconds)} times and {len(self.values)} values; "
                "give one value for each time, and one point at least."
            )
        if not all(map(math.isfinite, (*self.seconds, *self.values))):
            raise UserError("A curve has a point that is not finite; give numbers.")
        if self.seconds[0] < 0 or np.any(np.diff(self.seconds) <= 0):
            raise UserError(
                f"A curve has the times {', '.join(f'{t:g}' for t in self.seconds)}; "
                "give seconds from 0 on, each later than the one before."
            )

    def at(self, seconds: np.ndarray) -> np.ndarray:
        """Return the values at some times, float64 of the same shape."""
        return np.interp(seconds, self.seconds, self.values)


Control = float | Curve
"""A control: one number throughout, or a curve."""


def values_at(control: Control, seconds: np.ndarray) -> np.ndarray:
    """Return a control's values at some times, float64 of the same shape."""
    if isinstance(control, Curve):
        return control.at(seconds)
    return np.full(np.shape(seconds), control, np.float64)


def mean_over(control: Control, seconds: np.ndarray) -> float:
    """Return a control's mean over some times; a number is its own mean, exactly."""
    if isinstance(control, Curve):
        return float(control.at(seconds).mean())
    return control


def from_plain(value: Any, name: str) -> Control:
    """Read a control out of parsed JSON: a number, or points.

    Args:
        value: such as `0.5` or `[[0, 0.5], [2.5, 1]]`: seconds and value of each point.
        name: of the control, for the sentence.

    Raises:
        UserError: it is neither, or the points make no curve.
    """
    if _is_number(value):
        return _to_float(value)
    is_curve = isinstance(value, Sequence) and not isinstance(value, str)
    if not is_curve or not all(map(_is_point, value)):
        raise UserError(
            f"{name} is neither a number nor a list of [seconds, value]; give one of "
            "both, such as 0.5 or [[0, 0.5], [2.5, 1]]."
        )
    try:
        seconds = tuple(_to_float(point[0]) for point in value)
        return Curve(seconds, tuple(_to_float(point[1]) for point in value))
    except UserError as error:
        raise UserError(f"{name}: {error}") from error


def to_plain(control: Control) -> float | list[list[float]]:
    """Return what `from_plain` reads back equal."""
    if isinstance(control, Curve):
        return [
            list(point) for point in zip(control.seconds, control.values, strict=True)
        ]
    return control


def _is_point(value: Any) -> bool:
    return (
        isinstance(value, Sequence) and len(value) == 2 and all(map(_is_number, value))
    )


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _to_float(number: float) -> float:
    """Return a number as a float, whole ones beyond all floats as infinite."""
    try:
        return float(number)
    except OverflowError:
        return math.inf
