"""Loss weights that change with the steps of a run."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import jax
import optax

from vasa_jax import config


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ramp:
    """A factor on the weight of a term, which goes in a straight line over some steps.

    Ours: one shape serves to fade terms in and out; two ramps of a term multiply.

    Attributes:
        term: name of the weight.
        first_step, last_step: where the line begins and ends.
        first, last: the factor up to the first and from the last step on.
    """

    term: str
    first_step: int = 0
    last_step: int
    first: float = 1.0
    last: float = 1.0

    def __post_init__(self) -> None:
        config.require(
            0 <= self.first_step < self.last_step,
            f"The ramp of {self.term!r} goes from step {self.first_step} to "
            f"{self.last_step}; give a last step after the first.",
        )
        config.require(
            self.first >= 0 and self.last >= 0,
            f"The ramp of {self.term!r} goes from {self.first} to {self.last}; give "
            "factors of 0 or more.",
        )


def check(weights: Any, terms: Iterable[str]) -> None:
    """Refuse ramps of weights that are not there, or are 0.

    Args:
        weights: a configuration with a number for each term, and `schedule`, ramps.
        terms: names that a ramp may have.

    Raises:
        UserError: an unknown term, or one whose weight is 0, so that it is left out.
    """
    terms = list(terms)
    for ramp in weights.schedule:
        if ramp.term not in terms:
            raise config.unknown_name(ramp.term, terms, "term in a schedule:")
        config.require(
            getattr(weights, ramp.term) != 0,
            f"The schedule names {ramp.term!r}, whose weight is 0, so that it is left "
            f"out; give {type(weights).__name__}.{ramp.term} its largest weight.",
        )


def factor(schedule: Iterable[Ramp], term: str, step: jax.Array) -> jax.Array | float:
    """Return the factor of a term at a step; 1 without a ramp.

    Args:
        schedule: ramps.
        term: name of the weight.
        step: steps done, a scalar.
    """
    value: jax.Array | float = 1.0
    for ramp in schedule:
        if ramp.term == term:
            steps = ramp.last_step - ramp.first_step
            line = optax.linear_schedule(ramp.first, ramp.last, steps, ramp.first_step)
            value = value * line(step)
    return value


def weighted_sum(
    weights: Any, terms: Mapping[str, jax.Array], step: jax.Array
) -> jax.Array | float:
    """Sum terms by their weights at a step.

    Args:
        weights: as `check` takes them.
        terms: scalars by name.
        step: steps done, a scalar.

    Returns:
        A scalar; 0 of nothing.
    """
    return sum(
        getattr(weights, name) * factor(weights.schedule, name, step) * term
        for name, term in terms.items()
    )
