"""Gaze and emotion by published networks, all else by landmarks."""

import dataclasses

import einops
import numpy as np

from vasa_jax import types
from vasa_jax.portrait import (
    face_labels,
    face_views,
    hsemotion,
    l2cs,
    landmark_labels,
    landmarks,
    pose,
)

_CUTS = (2, 2 + len(types.EMOTIONS))
"""Ends of gaze and of emotion in a row; what follows is of landmarks."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PublishedEstimator:
    """Estimate labels; see `face_labels.LabelEstimator`.

    Paper: VASA-1 section 3.2: gaze by L2CS-Net, emotion by HSEmotion. Ours: where
    landmarks show that lids are shut the gaze is not known, and `units` are theirs.

    Attributes:
        gaze: estimates the gaze; None leaves it to landmarks.
        emotion: recognises the emotion; likewise.
    """

    gaze: l2cs.GazeNetwork | None = None
    emotion: hsemotion.EmotionNetwork | None = None
    _landmarks = landmark_labels.LandmarkEstimator()

    def see(self, image: np.ndarray, found: landmarks.Landmarks) -> np.ndarray:
        """Look at the face; return gaze, emotion and eyes, `[10 + 84]`."""
        gaze, emotion = np.split(np.full(_CUTS[1], np.nan), _CUTS[:1])
        if self.gaze is not None:
            gaze = self.gaze.look(face_views.cut(image, found, l2cs.SHRUNK_SIZE))
        if self.emotion is not None:
            view = face_views.cut(image, found, self.emotion.image_size)
            emotion = self.emotion.feel(view)
        eyes = self._landmarks.see(image, found)
        return np.concatenate([gaze, emotion, eyes.ravel()]).astype(np.float32)

    def measure(
        self, seen: np.ndarray, points: np.ndarray, fit: pose.HeadFit
    ) -> np.ndarray:
        """Return gaze, emotion and what is measured by landmarks, `[n, 10 + M]`."""
        both, eyes = np.split(seen, _CUTS[1:], axis=1)
        eyes = einops.rearrange(eyes, "n (e p c) -> n e p c", e=2, c=2)
        measured = self._landmarks.measure(eyes, points, fit)
        return np.concatenate([both, measured], axis=1)

    def estimate(self, measured: np.ndarray) -> face_labels.FaceLabels:
        """Estimate labels of a clip; see `face_labels.LabelEstimator.estimate`."""
        gaze, emotion, rest = np.split(measured, _CUTS, axis=1)
        labels = self._landmarks.estimate(rest)
        if self.gaze is not None:
            known = np.isfinite(labels.gaze)
            labels = dataclasses.replace(
                labels, gaze=np.where(known, gaze, labels.gaze)
            )
        if self.emotion is not None:
            labels = dataclasses.replace(labels, emotion=emotion)
        return labels
