"""CAPP of finished videos: whether the head moves with the voice."""

import dataclasses
import functools
from typing import Any

import numpy as np

from vasa_jax import export, types
from vasa_jax.evaluation.benchmark import cache, scoring, video_clip
from vasa_jax.evaluation.metrics import curves
from vasa_jax.evaluation.metrics.definition import HIGHER, Measured, Needs, PerClip, Row
from vasa_jax.evaluation.metrics.scores import Score
from vasa_jax.evaluation.networks import capp, capp_scores

MAX_GAP_FRAMES = 5
"""Frames in a row without a face that are passed in a straight line; windows with more
are left out. Ours: in 0.2 s a head hardly turns there and back."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class CappScore(PerClip):
    """The contrastive score of voice and head movement.

    Paper: VASA-1 section 4.1, CAPP. Ours: by a network of our own, whose scores are
    comparable among themselves only; the floor is the better of a head that does not
    move and of the sound shifted by half, because a video must beat both.

    Attributes:
        weights: folder of an export; None is the network that ships.
    """

    weights: str | None = None

    name = "capp"
    rows = {
        "capp": Row(
            title="CAPP (own)",
            better=HIGHER,
            floor="the better of a still head and its sound shifted by half",
            digits=3,
        )
    }

    @property
    def needs(self) -> Needs:
        """A face and sound of three seconds, and the network."""
        missing = None
        if self.weights is None and not capp_scores.SHIPPED.is_dir():
            missing = "--capp_weights=FOLDER (see experiments/configs/capp.py)"
        return Needs(
            sound=True,
            face=True,
            num_frames=capp.WINDOW_FRAMES,
            missing=missing,
            is_in_main=True,
        )

    def settings(self) -> dict[str, Any]:
        """Return what the folder holds in place of its name; None without one."""
        digest = None
        if self.weights is not None or capp_scores.SHIPPED.is_dir():
            folder = self.weights or capp_scores.SHIPPED
            digest = cache.digest_of(f"{folder}/{export.MANIFEST_NAME}")
        return {"weights": digest, "max_gap_frames": MAX_GAP_FRAMES}

    def prepare(self) -> None:
        """Read the weights."""
        _scorer(self.weights)

    def measure(
        self, clip: video_clip.Clip, reference: video_clip.Clip | None
    ) -> Measured:
        """Measure one clip."""
        scorer = _scorer(self.weights)
        if (reason := _too_short(clip, scorer)) is not None:
            return Measured(left_out=reason)
        features, rotation = scorer.hear(_voice(clip)), seen_rotation(clip.face)
        if not capp_scores.has_window(features, rotation, scorer.sizes.window_frames):
            return Measured(left_out="none of its windows shows a face all along")
        count = min(len(features), len(rotation))
        # Zero in the same frames, so that both are scored in the same windows.
        floor = max(
            scorer.score(features, 0 * rotation),
            scorer.score(np.roll(features[:count], count // 2, axis=0), rotation),
        )
        ceiling = np.nan
        if reference is not None and _too_short(reference, scorer) is None:
            ceiling = self.kept_of_reference(
                reference, lambda: {"score": _score(scorer, reference)}
            )["score"]
        value = scorer.score(features, rotation)
        return Measured(scores={"capp": Score(value, floor, ceiling)})


def seen_rotation(face: video_clip.FaceCurves) -> np.ndarray:
    """Return head turns `[T, 3]`, not a number where the face is away for long."""
    return curves.bridge_gaps(face.rotation, face.present, MAX_GAP_FRAMES)


def _score(scorer: capp_scores.Scorer, clip: video_clip.Clip) -> float:
    return scorer.score(scorer.hear(_voice(clip)), seen_rotation(clip.face))


def _too_short(clip: video_clip.Clip, scorer: capp_scores.Scorer) -> str | None:
    """Say why a clip cannot be scored, or None."""
    wanted = scorer.sizes.window_frames
    for what, count, spare in (
        ("sound lasts", clip.facts.num_sound_frames, scoring.SOUND_TOLERANCE),
        ("picture lasts", clip.facts.num_frames, 0),
    ):
        if count + spare < wanted:
            return f"its {what} {count} frames, and {wanted} are needed"
    return None


def _voice(clip: video_clip.Clip) -> np.ndarray:
    """Return the sound, with silence where it ends a little before the picture."""
    missing = clip.facts.num_frames * types.SAMPLES_PER_FRAME - len(clip.waveform)
    most = scoring.SOUND_TOLERANCE * types.SAMPLES_PER_FRAME
    return np.pad(clip.waveform, (0, missing if 0 < missing <= most else 0))


@functools.cache
def _scorer(folder: str | None) -> capp_scores.Scorer:
    return capp_scores.read(folder)
