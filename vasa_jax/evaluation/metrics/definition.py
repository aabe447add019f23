"""What a metric is: its rows, what it needs, how it measures a clip and sums up.

A new metric is a frozen dataclass derived from `PerClip`, whose fields are its
settings, and a line in `registry.make`.
"""

import dataclasses
import importlib.util
import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol

import numpy as np

from vasa_jax.evaluation.benchmark import video_clip
from vasa_jax.evaluation.metrics.scores import ClipScores, Score, Summary

HIGHER, LOWER, AS_REAL = "higher", "lower", "as real"
"""Which values are good; `AS_REAL` is as near to real video as can be."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a report.

    Attributes:
        title: what is measured.
        unit: of the numbers; empty if none.
        better: `HIGHER`, `LOWER` or `AS_REAL`.
        floor: what the floor is, in words.
        ceiling: what the ceiling is, in words.
        digits: after the point.
    """

    title: str
    unit: str = ""
    better: str = AS_REAL
    floor: str = ""
    ceiling: str = "the reference"
    digits: int = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Needs:
    """What a metric cannot do without.

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


class Metric(Protocol):
    """Measures clips one by one and sums them up.

    Attributes:
        name: in `--metrics`.
        rows: by key, which begins with the name.
        needs: of it.
    """

    name: str
    rows: Mapping[str, Row]
    needs: Needs

    def settings(self) -> dict[str, Any]:
        """Return all that a clip's scores depend on, beside the clip, for JSON."""

    def prepare(self) -> None:
        """Load what measuring needs, so that a wrong file is told at once."""

    def measure(
        self, clip: video_clip.Clip, reference: video_clip.Clip | None
    ) -> Measured:
        """Measure one clip; `needs` have been seen to."""

    def summarise(self, measured: Mapping[str, Measured]) -> dict[str, Summary]:
        """Sum up clips, by name, as summaries of all rows."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PerClip:
    """A metric whose summary is the mean of its clips.

    Ours: clips weigh the same, long or short.
    """

    name: ClassVar[str]
    rows: ClassVar[Mapping[str, Row]]
    needs: ClassVar[Needs] = Needs()

    def settings(self) -> dict[str, Any]:
        """Return the fields."""
        return dataclasses.asdict(self)

    def prepare(self) -> None:
        """Load nothing."""

    def kept_of_reference(
        self, reference: video_clip.Clip, find: Callable[[], dict[str, float]]
    ) -> dict[str, float]:
        """Return what is found in a reference alone.

        Ours: kept beside the report, because the samples of a voice, and the reports
        of other systems, share their references.
        """
        settings = json.dumps(self.settings(), sort_keys=True)
        return reference.kept(f"{self.name}_of_reference", find, settings)

    def summarise(self, measured: Mapping[str, Measured]) -> dict[str, Summary]:
        """Average the clips that have a score, row by row."""
        return {
            key: ClipScores(
                {n: m.scores[key] for n, m in measured.items() if key in m.scores}
            ).compute()
            for key in self.rows
        }


def shared_length(clip: video_clip.Clip, reference: video_clip.Clip | None) -> int:
    """Return how many frames both have."""
    lengths = [c.facts.num_frames for c in (clip, reference) if c is not None]
    return min(lengths)


def of_reference(
    reference: video_clip.Clip | None, measure_one, otherwise: float = np.nan
) -> float:
    """Return what a function finds in a reference, or `otherwise` without one."""
    return otherwise if reference is None else float(measure_one(reference))
