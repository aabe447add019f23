"""S_C and S_D of finished videos, beside those of sound that is not theirs."""

import dataclasses
import functools

import numpy as np

from vasa_jax.evaluation.benchmark import video_clip
from vasa_jax.evaluation.metrics import synchrony
from vasa_jax.evaluation.metrics.definition import Needs
from vasa_jax.evaluation.metrics.lpips_metric import Weighted
from vasa_jax.evaluation.networks import (
    face_crops,
    syncnet,
    syncnet_scores,
    syncnet_weights,
)

MIN_FRAMES = 2 * (syncnet_scores.MAX_OFFSET_FRAMES + syncnet.WINDOW_FRAMES)
"""Ours: so that sound shifted by half lies beyond all offsets that are tried."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sync(Weighted, synchrony.Synchrony):
    """Whether lips and sound belong together, by the published SyncNet.

    Paper: VASA-1 section 4.1, S_C and S_D.
    """

    name = "sync"
    rows = synchrony.rows("sync", "SyncNet", digits=2)
    min_frames = MIN_FRAMES

    @property
    def needs(self) -> Needs:
        """The weights, a face and sound."""
        given = self.weights is not None
        return Needs(
            sound=True,
            face=True,
            num_frames=MIN_FRAMES,
            missing=None
            if given
            else f"--syncnet_weights=FILE ({syncnet_weights.CURE})",
            is_in_main=True,
        )

    def prepare(self) -> None:
        """Read the weights."""
        _params(self.weights)

    def embed(self, clip: video_clip.Clip) -> tuple[np.ndarray, np.ndarray]:
        """Return embeddings of faces and of sound."""
        facts = clip.facts
        boxes = face_crops.face_boxes(clip.face.head_pose, facts.height, facts.width)
        faces = face_crops.cut_faces(clip.frames(), boxes)
        return syncnet_scores.embed(_params(self.weights), faces, clip.waveform)

    def score_seen(
        self, face: video_clip.FaceCurves, lips: np.ndarray, sound: np.ndarray
    ) -> syncnet_scores.SyncScores | None:
        """Score the windows that show the face all along; None if there are none."""
        is_seen = face.seen_windows(syncnet.WINDOW_FRAMES)[: len(lips)]
        table = syncnet_scores.distances(lips, sound)[is_seen]
        return syncnet_scores.score(table) if len(table) else None

    def unseen(self) -> str:
        """Say that no window shows a face."""
        return f"no {syncnet.WINDOW_FRAMES} frames show a face"


@functools.cache
def _params(path: str):
    return syncnet_weights.read(path)
