"""Scores of clips beside their floors and ceilings, in a state that can be merged."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from vasa_jax.evaluation.metrics import signals


class Score(NamedTuple):
    """One number of one clip, not a number where unknown.

    Attributes:
        value: of the video.
        floor: of what a video must be better than, such as a static face.
        ceiling: of what cannot be expected to be surpassed, such as the reference.
    """

    value: float
    floor: float = np.nan
    ceiling: float = np.nan


@dataclasses.dataclass(frozen=True, kw_only=True)
class Summary:
    """One line of a report; None is "not measured".

    Attributes:
        mean: over the clips that have a value.
        floor, ceiling: means over those of them that have one.
        low, high: where the mean lies with 95 %; None for a single clip.
        num_clips: clips in `mean`.
        num_floors, num_ceilings: clips in `floor` and `ceiling`, where clips have any.
        values: of each clip, by name.
    """

    mean: float | None = None
    low: float | None = None
    high: float | None = None
    floor: float | None = None
    ceiling: float | None = None
    num_clips: int = 0
    num_floors: int = 0
    num_ceilings: int = 0
    values: Mapping[str, float] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class ClipScores:
    """Scores by the name of their clip.

    Follows: kauldron and clu (state, merge, compute). Ours: clips stay apart until the
    end, because the interval needs every one; they are put in order of their names, so
    that shards, in whatever order, give bit for bit what one process gives.

    Attributes:
        scores: by clip.
    """

    scores: Mapping[str, Score] = dataclasses.field(default_factory=dict)

    @classmethod
    def from_batch(
        cls,
        names: Sequence[str],
        values: np.ndarray,
        floors: np.ndarray | None = None,
        ceilings: np.ndarray | None = None,
        mask: np.ndarray | None = None,
    ) -> "ClipScores":
        """Take the scores of a batch.

        Args:
            names: of the B clips; padding may have any name.
            values, floors, ceilings: `[B]`; None is unknown.
            mask: bool `[B]`, false for padding; None counts all.
        """
        unknown = np.full(len(names), np.nan)
        columns = [unknown if c is None else c for c in (values, floors, ceilings)]
        mask = np.ones(len(names), bool) if mask is None else mask
        rows = zip(names, mask, *columns, strict=True)
        kept = [(name, Score(*map(float, row))) for name, use, *row in rows if use]
        if len({name for name, _ in kept}) < len(kept):
            raise ValueError(f"the names of clips must differ; got {list(names)}")
        return cls(dict(kept))

    def merge(self, other: "ClipScores") -> "ClipScores":
        """Return the state of both parts together.

        Raises:
            ValueError: a clip is in both.
        """
        if twice := self.scores.keys() & other.scores.keys():
            raise ValueError(f"{min(twice)!r} is in both parts; score each clip once")
        return ClipScores({**self.scores, **other.scores})

    def compute(self) -> Summary:
        """Return means, interval and count.

        Ours: a clip whose value is no number is left out with its floor and ceiling,
        or these would be of other clips than the mean beside them.
        """
        ordered = [
            (n, s) for n, s in sorted(self.scores.items()) if not np.isnan(s.value)
        ]
        known = {
            name: {
                clip: getattr(s, name)
                for clip, s in ordered
                if not np.isnan(getattr(s, name))
            }
            for name in Score._fields
        }
        means = {
            name: float(np.mean(list(column.values()))) if column else None
            for name, column in known.items()
        }
        values = np.array(list(known["value"].values()))
        low = high = None
        if len(values) > 1 and np.isfinite(values).all():
            low, high = signals.interval(values)
        return Summary(
            mean=means["value"],
            low=low,
            high=high,
            floor=means["floor"],
            ceiling=means["ceiling"],
            num_clips=len(values),
            num_floors=len(known["floor"]),
            num_ceilings=len(known["ceiling"]),
            values=known["value"],
        )
