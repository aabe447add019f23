"""What faces show in the frames of a clip, and what an estimator of it must do."""

import dataclasses
from typing import Protocol

import numpy as np

from vasa_jax.portrait import landmarks, pose


@dataclasses.dataclass(frozen=True, kw_only=True)
class FaceLabels:
    """What T frames of a clip show; not a number where it is not known.

    Attributes:
        gaze: float32 `[T, 2]` yaw and pitch in the camera frame, radians; unknown
            where lids are shut.
        blink: float32 `[T]` how far lids are shut, 0 to 1.
        units: float32 `[T, 52]` weights of `arkit.NAMES`, 0 to 1; whole columns are
            unknown.
        emotion: float32 `[T, 8]` probabilities of `types.EMOTIONS`.
    """

    gaze: np.ndarray
    blink: np.ndarray
    units: np.ndarray
    emotion: np.ndarray


class LabelEstimator(Protocol):
    """Tell what faces show, frame by frame and then clip by clip.

    Ours: three steps, since a long video's frames and landmarks do not fit in memory,
    and since how far this person's eyes are open is known only by the whole clip.
    """

    def see(self, image: np.ndarray, found: landmarks.Landmarks) -> np.ndarray:
        """Look at the face of one frame.

        Args:
            image: uint8 `[H, W, 3]`.
            found: landmarks of the face in it.

        Returns:
            What must be kept of it, an array of one shape `S`.
        """
        ...

    def measure(
        self, seen: np.ndarray, points: np.ndarray, fit: pose.HeadFit
    ) -> np.ndarray:
        """Reduce some frames to what is kept for long.

        Args:
            seen: `[n, *S]`.
            points: `[n, 468, 3]` landmarks.
            fit: head fits of leading shape `[n]`.

        Returns:
            float32 `[n, M]`.
        """
        ...

    def estimate(self, measured: np.ndarray) -> FaceLabels:
        """Estimate what the frames of one clip of one face show.

        Args:
            measured: `[T, M]`.
        """
        ...
