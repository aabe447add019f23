"""S_C and S_D of finished videos, beside those of sound that is not theirs."""

import dataclasses
import functools

import numpy as np

from vasa_jax.evaluation import clips, sync_crops, sync_scores, syncnet, syncnet_weights
from vasa_jax.evaluation.metrics import HIGHER, LOWER, Measured, Needs, Row
from vasa_jax.evaluation.scores import Score
from vasa_jax.evaluation.weighted import Weighted

MIN_FRAMES = 2 * (sync_scores.MAX_OFFSET_FRAMES + syncnet.WINDOW_FRAMES)
"""Ours: so that sound shifted by half lies beyond all offsets that are tried."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sync(Weighted):
    """Whether lips and sound belong together, by the published SyncNet.

    Paper: VASA-1 section 4.1, S_C and S_D.
    """

    name = "sync"
    rows = {
        "sync/confidence": Row(
            title="S_C (SyncNet)", better=HIGHER, floor="its sound shifted by half"
        ),
        "sync/distance": Row(
            title="S_D (SyncNet)", better=LOWER, floor="its sound shifted by half"
        ),
        "sync/offset": Row(
            title="Offset of least distance (SyncNet)", unit="frames", digits=1
        ),
    }

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

    def measure(self, clip: clips.Clip, reference: clips.Clip | None) -> Measured:
        """Measure one clip."""
        if clip.facts.num_sound_frames < MIN_FRAMES:
            return Measured(
                left_out=f"its sound lasts {clip.facts.num_sound_frames} frames, and "
                f"{MIN_FRAMES} are needed"
            )
        lips, sound = self._embed(clip)
        found = score_seen(clip.face, lips, sound)
        if found is None:
            return Measured(left_out=f"no {syncnet.WINDOW_FRAMES} frames show a face")
        floor = score_seen(clip.face, lips, np.roll(sound, len(sound) // 2, axis=0))
        real = {}
        if reference is not None and reference.facts.num_sound_frames >= MIN_FRAMES:
            real = self.kept_of_reference(reference, lambda: self._find(reference))

        def score(field, lowest=floor):
            ceiling = real.get(field, np.nan)
            return Score(float(getattr(found, field)), getattr(lowest, field), ceiling)

        return Measured(
            scores={
                "sync/confidence": score("confidence"),
                "sync/distance": score("distance"),
                "sync/offset": score("offset_frames")._replace(floor=np.nan),
            }
        )

    def _find(self, clip: clips.Clip) -> dict[str, float]:
        """Return the scores of a clip by name; none where they are not known."""
        found = score_seen(clip.face, *self._embed(clip))
        names = ("confidence", "distance", "offset_frames")
        return {} if found is None else {n: float(getattr(found, n)) for n in names}

    def _embed(self, clip: clips.Clip) -> tuple[np.ndarray, np.ndarray]:
        facts = clip.facts
        boxes = sync_crops.face_boxes(clip.face.head_pose, facts.height, facts.width)
        faces = sync_crops.cut_faces(clip.frames(), boxes)
        return sync_scores.embed(_params(self.weights), faces, clip.waveform)


def score_seen(
    face: clips.FaceCurves, lips: np.ndarray, sound: np.ndarray
) -> sync_scores.SyncScores | None:
    """Score the windows that show the face all along; None if there are none.

    Args:
        face: of T frames.
        lips, sound: `[n, C]` embeddings of the first windows.
    """
    is_seen = face.seen_windows(syncnet.WINDOW_FRAMES)[: len(lips)]
    table = sync_scores.distances(lips, sound)[is_seen]
    return sync_scores.score(table) if len(table) else None


@functools.cache
def _params(path: str):
    return syncnet_weights.read(path)
