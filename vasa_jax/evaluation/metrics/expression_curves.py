"""What a face does in a clip, with the head's turn taken out, as curves in time.

Lengths are in units of the distance of the outer corners of the eyes.
"""

import dataclasses
from collections.abc import Iterable

import numpy as np

from vasa_jax import errors
from vasa_jax.portrait import gaze, landmarks, pose, track

OUTER_CORNERS = (33, 263)
"""Of the eyes. Follows: MediaPipe's topology of 468 landmarks, like all the indices."""

EYE_CORNERS = (33, 133, 362, 263)

BROWS = ((70, 63, 105, 66, 107), (336, 296, 334, 293, 300))
"""Upper edges; the brow on the image's left first."""

INNER_BROWS = (55, 107, 285, 336)

MOUTH_CORNERS = (61, 291)

INNER_LIPS = (13, 14)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FaceCurves:
    """Curves of T frames; those without the face repeat the nearest one with it.

    Attributes:
        rotation: `[T, 3]` yaw, pitch, roll, radians.
        size: `[T]` pixels of 10 cm at the head.
        centre: `[T, 2]` of the head, pixels.
        unit: distance of the outer corners of the eyes, pixels, median in time.
        brows: `[T, 2]` mean height of each brow above the eyes' corners.
        inner_brows: `[T]` height of the brows' inner ends.
        mouth_opening: `[T]`, as of `landmarks.mouth_opening`.
        mouth_width: `[T]` distance of the corners of the mouth.
        corner_height: `[T]` of the mouth's corners, below the eyes' and so negative.
        corner_lift: `[T]` of the mouth's corners above the middle of its inner lips.
            Ours: how they move in speech, whatever the jaw does.
        eye_opening: `[T]`, as of `landmarks.eye_opening`.
        irises: `[T]` from the middle of the eyes' corners to the image's right, over
            the width of an eye, mean of both eyes.
        present: bool `[T]`, whether the face was seen.
    """

    rotation: np.ndarray
    size: np.ndarray
    centre: np.ndarray
    unit: float
    brows: np.ndarray
    inner_brows: np.ndarray
    mouth_opening: np.ndarray
    mouth_width: np.ndarray
    corner_height: np.ndarray
    corner_lift: np.ndarray
    eye_opening: np.ndarray
    irises: np.ndarray
    present: np.ndarray


def follow(frames: Iterable[np.ndarray]) -> FaceCurves | None:
    """Follow the largest face of a clip.

    Args:
        frames: uint8 `[H, W, 3]` each, all of one size.

    Returns:
        Its curves; None where no frame shows a face.
    """
    try:
        return of_landmarks(track.track_landmarks(frames))
    except errors.UserError:
        return None


def of_landmarks(found: track.ClipLandmarks) -> FaceCurves:
    """Measure landmarks, turned back to face the viewer by their head fit.

    Ours: in three dimensions, so that a nod does not lower the corners of the mouth.

    Args:
        found: landmarks of T frames.
    """
    fit = pose.fit_head(found.points)
    points = np.asarray(found.points, np.float64)
    points = points - points.mean(axis=1, keepdims=True)
    # Rows times the matrix are columns times its inverse.
    facing = points @ fit.matrix()
    first, second = OUTER_CORNERS
    unit = float(
        np.median(np.linalg.norm(facing[:, second] - facing[:, first], axis=-1))
    )
    facing = facing / unit

    def height(places, above=EYE_CORNERS):
        return facing[:, above, 1].mean(axis=-1) - facing[:, places, 1].mean(axis=-1)

    left, right = (facing[:, place] for place in MOUTH_CORNERS)
    return FaceCurves(
        rotation=fit.rotation,
        size=fit.unit,
        centre=fit.centre,
        unit=unit,
        brows=np.stack([height(brow) for brow in BROWS], axis=-1),
        inner_brows=height(INNER_BROWS),
        mouth_opening=landmarks.mouth_opening(points),
        mouth_width=np.linalg.norm(right - left, axis=-1),
        corner_height=height(MOUTH_CORNERS),
        corner_lift=height(MOUTH_CORNERS, above=INNER_LIPS),
        eye_opening=landmarks.eye_opening(points),
        irises=_iris_places(found, fit),
        present=found.present,
    )


def _iris_places(found: track.ClipLandmarks, fit: pose.HeadFit) -> np.ndarray:
    """Return the mean place of the irises between the eyes' corners, eye widths."""
    offsets = gaze.iris_offsets(found.irises, found.points, fit)
    corners = found.points[:, np.array(landmarks.EYE_CORNERS), :2].astype(np.float64)
    across = corners[..., 1, :] - corners[..., 0, :]
    width = np.linalg.norm(across, axis=-1)
    along = (offsets * across).sum(axis=-1) / width * fit.unit[:, None]
    return (along / width).mean(axis=-1)
