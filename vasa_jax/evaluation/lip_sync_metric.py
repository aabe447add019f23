"""`S_C (own)` and `S_D (own)` of finished videos, beside those of sound not theirs."""

import dataclasses
import functools
from typing import Any

import numpy as np

from vasa_jax import export
from vasa_jax.evaluation import cache, clips, lip_crops, lip_sync_scores
from vasa_jax.evaluation.metrics import (
    HIGHER,
    LOWER,
    Measured,
    Needs,
    PerClip,
    Row,
)
from vasa_jax.evaluation.scores import Score

FLOOR = "its sound shifted by half"


@dataclasses.dataclass(frozen=True, kw_only=True)
class OwnSync(PerClip):
    """Whether lips and sound belong together, by a network that comes with the package.

    Paper: VASA-1 section 4.1, S_C and S_D. Ours: by another network than the published
    one, hence comparable among themselves only.

    Attributes:
        weights: folder of an export; None is the network that ships.
    """

    weights: str | None = None

    name = "own_sync"
    rows = {
        "own_sync/confidence": Row(
            title="S_C (own)", better=HIGHER, floor=FLOOR, digits=3
        ),
        "own_sync/distance": Row(
            title="S_D (own)", better=LOWER, floor=FLOOR, digits=3
        ),
        "own_sync/offset": Row(
            title="Offset of least distance (own)", unit="frames", digits=1
        ),
    }

    @property
    def needs(self) -> Needs:
        """A face and sound, and the network."""
        missing = None
        if self.weights is None and not lip_sync_scores.SHIPPED.is_dir():
            missing = "--sync_weights=FOLDER (train experiments/sync.py and export it)"
        return Needs(
            sound=True,
            face=True,
            num_frames=lip_sync_scores.MIN_FRAMES,
            missing=missing,
            is_in_main=True,
        )

    def settings(self) -> dict[str, Any]:
        """Return what the folder holds in place of its name; None without one."""
        if self.weights is None and not lip_sync_scores.SHIPPED.is_dir():
            return {"weights": None}
        folder = self.weights or lip_sync_scores.SHIPPED
        return {"weights": cache.digest_of(f"{folder}/{export.MANIFEST_NAME}")}

    def prepare(self) -> None:
        """Read the weights."""
        _scorer(self.weights)

    def measure(self, clip: clips.Clip, reference: clips.Clip | None) -> Measured:
        """Measure one clip."""
        wanted = lip_sync_scores.MIN_FRAMES
        if clip.facts.num_sound_frames < wanted:
            return Measured(
                left_out=f"its sound lasts {clip.facts.num_sound_frames} frames, and "
                f"{wanted} are needed"
            )
        window = self._window_frames()
        lips, sound = self._embed(clip)
        found = score_seen(clip.face, lips, sound, window)
        if found is None:
            return Measured(
                left_out=f"too few of its windows of {window} frames show a face all "
                "along to try every offset of the sound"
            )
        away = np.roll(sound, len(sound) // 2, axis=0)
        floor = score_seen(clip.face, lips, away, window)
        real = {}
        if reference is not None and reference.facts.num_sound_frames >= wanted:
            real = self.kept_of_reference(reference, lambda: self._find(reference))

        def score(field, lowest=floor):
            ceiling = real.get(field, np.nan)
            return Score(float(getattr(found, field)), getattr(lowest, field), ceiling)

        return Measured(
            scores={
                "own_sync/confidence": score("confidence"),
                "own_sync/distance": score("distance"),
                "own_sync/offset": score("offset_frames")._replace(floor=np.nan),
            }
        )

    def _window_frames(self) -> int:
        return _scorer(self.weights).sizes.window_frames

    def _find(self, clip: clips.Clip) -> dict[str, float]:
        """Return the scores of a clip by name; none where they are not known."""
        found = score_seen(clip.face, *self._embed(clip), self._window_frames())
        names = ("confidence", "distance", "offset_frames")
        return {} if found is None else {n: float(getattr(found, n)) for n in names}

    def _embed(self, clip: clips.Clip) -> tuple[np.ndarray, np.ndarray]:
        scorer = _scorer(self.weights)
        lips = lip_crops.cut_lips(clip.frames(), clip.face.head_pose)
        return scorer.embed(lips, scorer.hear(clip.waveform))


def score_seen(
    face: clips.FaceCurves, lips: np.ndarray, sound: np.ndarray, window_frames: int
) -> lip_sync_scores.LipScores | None:
    """Score the windows that show the face all along.

    Args:
        face: of T frames.
        lips, sound: `[n, E]` embeddings of the first windows.
        window_frames: of a window.

    Returns:
        The scores; None if at some offset no such window has sound.
    """
    is_seen = face.seen_windows(window_frames)[: len(lips)]
    table = lip_sync_scores.distances(lips, sound, is_seen=is_seen)
    return lip_sync_scores.score(table) if lip_sync_scores.can_score(table) else None


@functools.cache
def _scorer(folder: str | None) -> lip_sync_scores.LipScorer:
    return lip_sync_scores.read(folder)
