"""What metrics of lips and sound share, whichever network embeds both."""

import abc
import dataclasses
from typing import Any, ClassVar

import numpy as np

from vasa_jax.evaluation.benchmark import video_clip
from vasa_jax.evaluation.metrics.definition import HIGHER, LOWER, Measured, PerClip, Row
from vasa_jax.evaluation.metrics.scores import Score

FIELDS = ("confidence", "distance", "offset_frames")
"""Of what a network's `score_seen` returns."""

FLOOR = "its sound shifted by half"


def rows(name: str, network: str, digits: int) -> dict[str, Row]:
    """Return the rows of a metric.

    Args:
        name: of the metric.
        network: whose scores these are.
        digits: of confidence and distance.
    """
    return {
        f"{name}/confidence": Row(
            title=f"S_C ({network})", better=HIGHER, floor=FLOOR, digits=digits
        ),
        f"{name}/distance": Row(
            title=f"S_D ({network})", better=LOWER, floor=FLOOR, digits=digits
        ),
        f"{name}/offset": Row(
            title=f"Offset of least distance ({network})", unit="frames", digits=1
        ),
    }


@dataclasses.dataclass(frozen=True, kw_only=True)
class Synchrony(PerClip, abc.ABC):
    """Whether lips and sound belong together.

    Paper: VASA-1 section 4.1, S_C and S_D: confidence, least distance and its offset.

    Attributes:
        min_frames: of sound, below which a clip is left out.
    """

    min_frames: ClassVar[int]

    def measure(
        self, clip: video_clip.Clip, reference: video_clip.Clip | None
    ) -> Measured:
        """Measure one clip."""
        if clip.facts.num_sound_frames < self.min_frames:
            return Measured(
                left_out=f"its sound lasts {clip.facts.num_sound_frames} frames, and "
                f"{self.min_frames} are needed"
            )
        lips, sound = self.embed(clip)
        found = self.score_seen(clip.face, lips, sound)
        if found is None:
            return Measured(left_out=self.unseen())
        away = np.roll(sound, len(sound) // 2, axis=0)
        floor = self.score_seen(clip.face, lips, away)
        real = {}
        if (
            reference is not None
            and reference.facts.num_sound_frames >= self.min_frames
        ):
            real = self.kept_of_reference(reference, lambda: self._find(reference))

        def score(field):
            ceiling = real.get(field, np.nan)
            return Score(float(getattr(found, field)), getattr(floor, field), ceiling)

        confidence, distance, offset = map(score, FIELDS)
        return Measured(
            scores={
                f"{self.name}/confidence": confidence,
                f"{self.name}/distance": distance,
                f"{self.name}/offset": offset._replace(floor=np.nan),
            }
        )

    def _find(self, clip: video_clip.Clip) -> dict[str, float]:
        """Return the scores of a clip by name; none where they are not known."""
        found = self.score_seen(clip.face, *self.embed(clip))
        return {} if found is None else {n: float(getattr(found, n)) for n in FIELDS}

    @abc.abstractmethod
    def embed(self, clip: video_clip.Clip) -> tuple[np.ndarray, np.ndarray]:
        """Return embeddings `[n, C]` of a clip's lips and of its sound."""

    @abc.abstractmethod
    def score_seen(
        self, face: video_clip.FaceCurves, lips: np.ndarray, sound: np.ndarray
    ) -> Any:
        """Return what has `FIELDS`, of windows that show the face; None of too few."""

    @abc.abstractmethod
    def unseen(self) -> str:
        """Say why `score_seen` had too few windows."""
