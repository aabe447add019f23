"""What a metric is: its rows, what it finds in a clip, how clips merge and sum up.

A metric's state holds what was found in each clip; parts merge, and `finish` turns the
state into a summary of every row. A new metric of finished videos is a frozen dataclass
derived from `VideoMetric`, whose fields are its settings, and a line in
`registry.make`.
"""

import abc
import dataclasses
import functools
import importlib.util
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np

from vasa_jax.evaluation.benchmark import video_clip

HIGHER, LOWER, AS_REAL = "higher", "lower", "as the reference"
"""Which values are good; `AS_REAL` is as near to real video as can be."""

ORIGINAL = "the reference"
"""What the ceiling is where the original is measured as the video is."""

NUM_RESAMPLES = 1000
"""Ours: enough for two digits of an interval."""


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
class Row:
    """One line of a report.

    Attributes:
        title: what is measured.
        group: heading under which it stands; empty if none.
        unit: of the numbers; empty if none.
        aim: what is good: `HIGHER`, `LOWER`, `AS_REAL`, or other words.
        floor: what the floor is, in words.
        ceiling: what the ceiling is, in words.
        digits: after the point.
        is_ratio: whether the summary is the values' mean over that of the ceilings.
            Ours: a mean of each clip's own ratio is above 1 for two performances that
            move alike, since some references hardly move (1.13 for head poses of
            held-out clips set beside one another at random).
    """

    title: str
    group: str = ""
    unit: str = ""
    aim: str = AS_REAL
    floor: str = ""
    ceiling: str = ORIGINAL
    digits: int = 2
    is_ratio: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measured:
    """What a metric found in a clip.

    Attributes:
        scores: by the key of their row; rows that do not apply are left out.
        features: arrays that summing up needs beside the scores.
        left_out: why the clip has no score; None if it has.
    """

    scores: Mapping[str, Score] = dataclasses.field(default_factory=dict)
    features: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    left_out: str | None = None

    def to_plain(self) -> dict[str, Any]:
        """Return what JSON can hold; numbers come back bit for bit."""
        return {
            "scores": {key: list(score) for key, score in self.scores.items()},
            "features": {k: np.asarray(v).tolist() for k, v in self.features.items()},
            "left_out": self.left_out,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Measured":
        """Return what `to_plain` was given."""
        return cls(
            scores={key: Score(*score) for key, score in plain["scores"].items()},
            features={key: np.array(v) for key, v in plain["features"].items()},
            left_out=plain["left_out"],
        )


def average(takes: Sequence[Measured]) -> Measured:
    """Average several takes of one clip, such as the samples of one voice.

    Args:
        takes: none of them left out; a take counts in the rows whose value it knows,
            and its floor and ceiling where it knows them too. Features that all takes
            share, such as their reference's, are kept once.
    """
    scores = {}
    for key in dict.fromkeys(key for take in takes for key in take.scores):
        given = [take.scores[key] for take in takes if key in take.scores]
        known = [score for score in given if not np.isnan(score.value)] or given
        scores[key] = Score(*map(mean_of_known, zip(*known, strict=True)))
    features = {}
    for key, first in takes[0].features.items():
        parts = [take.features[key] for take in takes]
        is_shared = all(np.array_equal(part, first) for part in parts)
        features[key] = first if is_shared else np.concatenate(parts)
    return Measured(scores=scores, features=features)


def mean_of_known(values: Sequence[float]) -> float:
    """Return the mean of the numbers among values; not a number if there are none."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else np.nan


@dataclasses.dataclass(frozen=True)
class State:
    """What one metric found in some clips.

    Follows: kauldron and clu (state, merge, finish). Ours: clips stay apart until the
    end, because the interval needs every one; they are put in order of their names, so
    that shards, in whatever order, give bit for bit what one process gives.

    Attributes:
        clips: by name.
    """

    clips: Mapping[str, Measured] = dataclasses.field(default_factory=dict)

    def merge(self, other: "State") -> "State":
        """Return the state of both parts together.

        Raises:
            ValueError: a clip is in both.
        """
        if twice := self.clips.keys() & other.clips.keys():
            raise ValueError(f"{min(twice)!r} is in both parts; measure each clip once")
        return State({**self.clips, **other.clips})

    def known(self) -> list[Measured]:
        """Return the clips that were not left out, in order of their names."""
        found = [self.clips[name] for name in sorted(self.clips)]
        return [one for one in found if one.left_out is None]

    def scores(self, key: str) -> dict[str, Score]:
        """Return the scores of a row by clip, where it has one."""
        return {n: m.scores[key] for n, m in self.clips.items() if key in m.scores}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Summary:
    """The numbers of one row; None is "not measured".

    Attributes:
        mean: over the clips that have a value.
        low, high: where the mean lies with 95 %; None for a single clip.
        floor, ceiling: means over those of them that have one.
        num_clips: clips in `mean`.
        num_floors, num_ceilings: clips in `floor` and `ceiling`, where clips have any.
        values: of each clip, by name; none of a ratio.
        about: what must be known to compare the numbers; every table prints it.
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
    about: str = ""


def summarise(scores: Mapping[str, Score], is_ratio: bool = False) -> Summary:
    """Return means, interval and counts.

    Ours: a clip whose value is no number is left out with its floor and ceiling, or
    these would be of other clips than the mean beside them.

    Args:
        scores: by the name of their clip.
        is_ratio: see `Row`; then a clip counts whose three numbers are finite.
    """
    ordered = [(n, s) for n, s in sorted(scores.items()) if not np.isnan(s.value)]
    if is_ratio:
        ordered = [(name, s) for name, s in ordered if np.isfinite(s).all()]
    columns = {
        field: [getattr(s, field) for _, s in ordered] for field in Score._fields
    }
    known = {f: [v for v in c if not np.isnan(v)] for f, c in columns.items()}
    means = {f: float(np.mean(c)) if c else None for f, c in known.items()}
    low = high = over = None
    values = dict(zip((name for name, _ in ordered), columns["value"], strict=True))
    if is_ratio:
        if not ordered or not means["ceiling"] > 0:
            return Summary()
        means = {f: mean / means["ceiling"] for f, mean in means.items()}
        over = np.array(columns["ceiling"])
    if len(values) > 1 and np.isfinite(columns["value"]).all():
        low, high = interval(np.array(columns["value"]), over=over)
    return Summary(
        mean=means["value"],
        low=low,
        high=high,
        floor=means["floor"],
        ceiling=means["ceiling"],
        num_clips=len(values),
        num_floors=len(known["floor"]),
        num_ceilings=len(known["ceiling"]),
        values={} if is_ratio else values,
    )


def interval(
    values: np.ndarray, share: float = 0.95, over: np.ndarray | None = None
) -> tuple[float, float]:
    """Return where the mean of clips lies, by resampling them.

    Follows: Efron (bootstrap, percentiles).

    Args:
        values: `[n]`, one for each clip, finite.
        share: of the means that lie inside.
        over: `[n]` of the same clips, above 0, by whose mean it is divided.

    Returns:
        Its two ends.
    """
    generator = np.random.default_rng(0)
    picks = generator.integers(len(values), size=(NUM_RESAMPLES, len(values)))
    means = np.asarray(values, np.float64)[picks].mean(axis=1)
    if over is not None:
        means = means / np.asarray(over, np.float64)[picks].mean(axis=1)
    low, high = np.quantile(means, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)


class Metric(Protocol):
    """What a report asks of a metric.

    Attributes:
        name: of it.
        rows: by key, which begins with the name.
    """

    name: str
    rows: Mapping[str, Row]

    def finish(self, state: State) -> dict[str, Summary]:
        """Sum up the clips of a state, as summaries of all rows."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PerClip:
    """A metric whose summary is the mean of its clips.

    Ours: clips weigh the same, long or short.
    """

    def finish(self, state: State) -> dict[str, Summary]:
        """Average the clips that have a score, row by row."""
        return {
            key: summarise(state.scores(key), row.is_ratio)
            for key, row in self.rows.items()
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class Needs:
    """What a metric of finished videos cannot do without.

    Attributes:
        sound: in the video.
        reference: a video of the same name.
        face: in the frames.
        same_size: video and reference have frames of one size.
        num_frames: at the least.
        packages: to be importable.
        missing: a sentence's end on what was not given, such as
            "--i3d_weights=FILE"; None if nothing is missing.
        is_in_main: measured in the main process, because it uses the accelerator.
    """

    sound: bool = False
    reference: bool = False
    face: bool = False
    same_size: bool = False
    num_frames: int = 1
    packages: tuple[str, ...] = ()
    missing: str | None = None
    is_in_main: bool = False

    def unmet(self) -> str | None:
        """Say what is missing for every clip alike, or None."""
        absent = [p for p in self.packages if importlib.util.find_spec(p) is None]
        if absent:
            return f"needs the package {absent[0]}: pip install 'vasa_jax[evaluate]'"
        return None if self.missing is None else f"needs {self.missing}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class VideoMetric(PerClip, abc.ABC):
    """A metric of finished videos, one by one.

    Attributes:
        name: in `--metrics`.
        rows: by key, which begins with the name.
        needs: of it.
    """

    name: ClassVar[str]
    rows: ClassVar[Mapping[str, Row]]
    needs: ClassVar[Needs] = Needs()

    def settings(self) -> dict[str, Any]:
        """Return all that a clip's scores depend on, beside the clip, for JSON."""
        return dataclasses.asdict(self)

    def prepare(self) -> None:
        """Load what measuring needs, so that a wrong file is refused at once."""

    @abc.abstractmethod
    def measure(
        self, clip: video_clip.Clip, reference: video_clip.Clip | None
    ) -> Measured:
        """Measure one clip; `needs` have been seen to."""

    def kept_of_reference(
        self,
        reference: video_clip.Clip,
        find: Callable[[], dict[str, float]],
        num_frames: int | None = None,
    ) -> dict[str, float]:
        """Return what is found in a reference alone, or in its first frames.

        Ours: kept beside the report, because the samples of a voice, and the reports
        of other systems, share their references.
        """
        settings = json.dumps([self.settings(), num_frames], sort_keys=True)
        return reference.kept(f"{self.name}_of_reference", find, settings)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ByWeightsFile(VideoMetric):
    """A metric of finished videos by a network whose file a user has to get.

    Attributes:
        weights: the file; None if it was not given.
    """

    weights: str | None = None

    def settings(self) -> dict[str, Any]:
        """Return the fields, with what the file holds in place of its name."""
        digest = None if self.weights is None else _digest(self.weights)
        return {**super().settings(), "weights": digest}


@functools.cache
def _digest(path: str) -> str:
    return video_clip.digest_of(path)


def shared_length(clip: video_clip.Clip, reference: video_clip.Clip | None) -> int:
    """Return how many frames both have."""
    lengths = [c.facts.num_frames for c in (clip, reference) if c is not None]
    return min(lengths)


def of_reference(
    reference: video_clip.Clip | None, measure_one, otherwise: float = np.nan
) -> float:
    """Return what a function finds in a reference, or `otherwise` without one."""
    return otherwise if reference is None else float(measure_one(reference))
