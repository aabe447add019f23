"""`S_C (own)` and `S_D (own)` of finished videos, beside those of sound not theirs."""

import dataclasses
import functools
from typing import Any

import numpy as np

from vasa_jax import export
from vasa_jax.evaluation.benchmark import cache, video_clip
from vasa_jax.evaluation.metrics import synchrony
from vasa_jax.evaluation.metrics.definition import Needs
from vasa_jax.evaluation.networks import lip_crops, lip_sync_scores


@dataclasses.dataclass(frozen=True, kw_only=True)
class OwnSync(synchrony.Synchrony):
    """Whether lips and sound belong together, by a network that comes with the package.

    Paper: VASA-1 section 4.1, S_C and S_D. Ours: by another network than the published
    one, hence comparable among themselves only.

    Attributes:
        weights: folder of an export; None is the network that ships.
    """

    weights: str | None = None

    name = "own_sync"
    rows = synchrony.rows("own_sync", "own", digits=3)
    min_frames = lip_sync_scores.MIN_FRAMES

    @property
    def needs(self) -> Needs:
        """A face and sound, and the network."""
        missing = None
        if self.weights is None and not lip_sync_scores.SHIPPED.is_dir():
            missing = "--sync_weights=FOLDER (see experiments/configs/sync.py)"
        return Needs(
            sound=True,
            face=True,
            num_frames=self.min_frames,
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

    def embed(self, clip: video_clip.Clip) -> tuple[np.ndarray, np.ndarray]:
        """Return embeddings of lips and of sound."""
        scorer = _scorer(self.weights)
        lips = lip_crops.cut_lips(clip.frames(), clip.face.head_pose)
        return scorer.embed(lips, scorer.hear(clip.waveform))

    def score_seen(
        self, face: video_clip.FaceCurves, lips: np.ndarray, sound: np.ndarray
    ) -> lip_sync_scores.LipScores | None:
        """Score the windows that show the face all along.

        Args:
            face: of T frames.
            lips, sound: `[n, E]` embeddings of the first windows.

        Returns:
            The scores; None if at some offset no such window has sound.
        """
        is_seen = face.seen_windows(self._window_frames())[: len(lips)]
        table = lip_sync_scores.distances(lips, sound, is_seen=is_seen)
        return (
            lip_sync_scores.score(table) if lip_sync_scores.can_score(table) else None
        )

    def unseen(self) -> str:
        """Say that too few windows show a face."""
        return (
            f"too few of its windows of {self._window_frames()} frames show a face all "
            "along to try every offset of the sound"
        )

    def _window_frames(self) -> int:
        return _scorer(self.weights).sizes.window_frames


@functools.cache
def _scorer(folder: str | None) -> lip_sync_scores.LipScorer:
    return lip_sync_scores.read(folder)
