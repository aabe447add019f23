"""S_C and S_D by the published SyncNet, beside what they are without its zeros.

Paper: VASA-1 section 4.1. The published program compares lips with zeros where the
sound lies beyond the clip's ends, and averages these distances in: the shorter the
clip, the larger their share.
"""

import dataclasses
import functools

import numpy as np

from vasa_jax.evaluation.benchmark import video_clip
from vasa_jax.evaluation.metrics import synchrony
from vasa_jax.evaluation.metrics.definition import (
    HIGHER,
    LOWER,
    ByWeightsFile,
    Needs,
    Row,
    State,
    Summary,
)
from vasa_jax.evaluation.networks import face_crops, sound_offsets, syncnet

MIN_FRAMES = 100
"""Follows: syncnet_python (`run_pipeline`), which drops shorter tracks."""

ZEROS = "sync/zeros"


@dataclasses.dataclass(frozen=True, kw_only=True)
class SyncNetScore(ByWeightsFile, synchrony.OfLips):
    """S_C and S_D by the published SyncNet.

    Ours: beside them the same without distances to zeros, and the zeros' share.
    """

    name = "sync"
    rows = {
        **synchrony.offset_rows("sync", "SyncNet", digits=2),
        "sync/confidence_inside": Row(
            title="S_C (SyncNet, without zeros beyond the clip's ends)",
            aim=HIGHER,
            floor=synchrony.SHIFTED,
        ),
        "sync/distance_inside": Row(
            title="S_D (SyncNet, without zeros beyond the clip's ends)",
            aim=LOWER,
            floor=synchrony.SHIFTED,
        ),
        ZEROS: Row(title="Share of SyncNet's distances that are to zeros", digits=3),
    }

    @property
    def needs(self) -> Needs:
        """The weights, a face and sound."""
        missing = f"--syncnet_weights=FILE ({syncnet.CURE})"
        return Needs(
            sound=True,
            face=True,
            missing=missing if self.weights is None else None,
            is_in_main=True,
        )

    def prepare(self) -> None:
        """Read the weights."""
        _syncnet(self.weights)

    def too_short(self, clip: video_clip.Clip) -> str | None:
        """Say that the published program would not score a clip."""
        facts = clip.facts
        sound = facts.num_sound_frames + video_clip.SOUND_TOLERANCE
        count = min(facts.num_frames, sound)
        if count < MIN_FRAMES:
            return (
                f"no score: it lasts {count} frames, and the published program leaves "
                f"out what lasts less than {MIN_FRAMES}"
            )
        return None

    def embed(self, clip: video_clip.Clip) -> tuple[np.ndarray, np.ndarray]:
        """Return embeddings of faces and of sound."""
        facts = clip.facts
        boxes = face_crops.face_boxes(clip.face.head_pose, facts.height, facts.width)
        faces = face_crops.cut_faces(clip.frames(), boxes)
        return syncnet.embed(_syncnet(self.weights), faces, clip.waveform)

    def window_frames(self) -> int:
        """Return how many frames a window has."""
        return syncnet.WINDOW_FRAMES

    def distances(
        self, lips: np.ndarray, sound: np.ndarray, is_seen: np.ndarray
    ) -> np.ndarray:
        """Return distances by the published rule, zeros beyond the clip's ends."""
        return sound_offsets.distances(
            lips, sound, is_seen=is_seen, beyond=0.0, added=syncnet.DISTANCE_EPSILON
        )

    def score(
        self, face: video_clip.FaceCurves, seen: np.ndarray, heard: np.ndarray
    ) -> dict[str, float]:
        """Return the scores by the published rule, and without zeros."""
        found = super().score(face, seen, heard)
        if not found:
            return {}
        is_seen = face.seen_windows(self.window_frames())[: len(seen)]
        inside = sound_offsets.distances(
            seen, heard, is_seen=is_seen, added=syncnet.DISTANCE_EPSILON
        )
        found[ZEROS] = float(np.isnan(inside[is_seen]).mean())
        if sound_offsets.can_score(inside):
            own = sound_offsets.score(inside)
            found["sync/confidence_inside"] = own.confidence
            found["sync/distance_inside"] = own.distance
        return found

    def floors(
        self, face: video_clip.FaceCurves, seen: np.ndarray, heard: np.ndarray
    ) -> dict[str, float]:
        """Return the floors; the share of zeros has none."""
        return {**super().floors(face, seen, heard), ZEROS: np.nan}

    def unseen(self) -> str:
        """Say that no window shows a face."""
        return f"no {syncnet.WINDOW_FRAMES} frames show a face"

    def finish(self, state: State) -> dict[str, Summary]:
        """Average the clips, and say how much of the averages zeros are."""
        found = super().finish(state)
        shares = [one.value for one in state.scores(ZEROS).values()]
        if not shares:
            return found
        low, high = (f"{100 * share:.1f}" for share in (min(shares), max(shares)))
        about = (
            "S_C and S_D by SyncNet average in distances to zeros beyond the clip's "
            f"ends, as published: {low if low == high else f'{low} to {high}'} % of "
            "them here, by the clips' lengths. Compare clips of these lengths only, "
            "or the columns without zeros. Clip and original are cut to one length."
        )
        return {k: dataclasses.replace(one, about=about) for k, one in found.items()}


@functools.cache
def _syncnet(path: str):
    return syncnet.read_weights(path)
