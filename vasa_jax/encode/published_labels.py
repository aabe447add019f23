"""Gaze and emotion by published networks, all else by another estimator."""

import dataclasses

import numpy as np

from vasa_jax import types
from vasa_jax.portrait import (
    face_labels,
    face_views,
    hsemotion,
    l2cs,
    landmarks,
    pose,
)

_CUTS = (2, 2 + len(types.EMOTIONS))
"""Ends of gaze and of emotion in a row; what follows is of the other estimator."""

_NUM_BYTES = 4 * _CUTS[1]
"""Of these in what is kept of a frame."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PublishedEstimator:
    """Estimate labels; see `face_labels.LabelEstimator`.

    Paper: VASA-1 section 3.2: gaze by L2CS-Net, emotion by HSEmotion. Ours: where
    landmarks show that lids are shut the gaze is not known, and `units` are those of
    the other estimator.

    Attributes:
        gaze: estimates the gaze; None leaves it to the other estimator.
        emotion: recognises the emotion; likewise.
        other: estimates the rest; what it keeps of a frame are bytes.
    """

    other: face_labels.LabelEstimator
    gaze: l2cs.GazeNetwork | None = None
    emotion: hsemotion.EmotionNetwork | None = None

    def see(self, image: np.ndarray, found: landmarks.Landmarks) -> np.ndarray:
        """Look at the face; return the bytes of gaze, emotion and the other's look."""
        gaze, emotion = np.split(np.full(_CUTS[1], np.nan), _CUTS[:1])
        if self.gaze is not None:
            gaze = self.gaze.look(face_views.cut(image, found, l2cs.SHRUNK_SIZE))
        if self.emotion is not None:
            view = face_views.cut(image, found, self.emotion.image_size)
            emotion = self.emotion.feel(view)
        both = np.concatenate([gaze, emotion]).astype(np.float32)
        return np.concatenate([both.view(np.uint8), self.other.see(image, found)])

    def measure(
        self, seen: np.ndarray, points: np.ndarray, fit: pose.HeadFit
    ) -> np.ndarray:
        """Return gaze, emotion and what the other measures, `[n, 10 + M]`."""
        both, looks = np.split(seen, [_NUM_BYTES], axis=1)
        both = np.ascontiguousarray(both).view(np.float32)
        measured = self.other.measure(looks, points, fit)
        return np.concatenate([both, measured], axis=1)

    def estimate(self, measured: np.ndarray) -> face_labels.FaceLabels:
        """Estimate labels of a clip; see `face_labels.LabelEstimator.estimate`."""
        gaze, emotion, rest = np.split(measured, _CUTS, axis=1)
        labels = self.other.estimate(rest)
        if self.gaze is not None:
            known = np.isfinite(labels.gaze)
            labels = dataclasses.replace(
                labels, gaze=np.where(known, gaze, labels.gaze)
            )
        if self.emotion is not None:
            labels = dataclasses.replace(labels, emotion=emotion)
        return labels
