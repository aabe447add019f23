"""Follow one face through a clip: pose, mouth, eyes and gaze of every frame.

Follows: MediaPipe face mesh for following (the last landmarks say where to look next,
detection starts over when presence falls). Ours: nothing is smoothed, so that jitter in
a clip can be measured.
"""

import dataclasses
from collections.abc import Callable, Iterable

import numpy as np

from vasa_jax import errors
from vasa_jax.portrait import crop, gaze, landmarks, locate, pose, resample


@dataclasses.dataclass(frozen=True, kw_only=True)
class FaceTrack:
    """What a face does in a clip of T frames.

    Frames without the face repeat the values of the nearest frame with it.

    Attributes:
        box: the crop of the whole clip.
        head_pose: float32 `[T, 6]` vectors of `types.HeadPose`, image units of the box.
        mouth_aperture: float32 `[T]`, see `landmarks.mouth_aperture`.
        eye_aperture: float32 `[T]`, see `gaze.eye_aperture`.
        gaze: float32 `[T, 2]`, see `gaze.estimate_gaze`.
        present: bool `[T]`, whether the face was seen.
    """

    box: crop.CropBox
    head_pose: np.ndarray
    mouth_aperture: np.ndarray
    eye_aperture: np.ndarray
    gaze: np.ndarray
    present: np.ndarray


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClipLandmarks:
    """The landmarks of one face in a clip of T frames.

    Frames without the face repeat the values of the nearest frame with it.

    Attributes:
        points: float32 `[T, 468, 3]`, see `landmarks.Landmarks`.
        eyes: float32 `[T, 2, 21, 2]`, see `gaze.find_eyes`.
        present: bool `[T]`, whether the face was seen.
    """

    points: np.ndarray
    eyes: np.ndarray
    present: np.ndarray


def track_face(
    frames: Iterable[np.ndarray], box: crop.CropBox | None = None
) -> FaceTrack:
    """Follow the largest face of a clip.

    Args:
        frames: uint8 `[H, W, 3]` each, all of one size; read one at a time.
        box: the crop in which to express poses; None takes the one crop of the clip,
            the median over its frames.

    Returns:
        The track.

    Raises:
        UserError: no frame shows a face.
    """
    return read_landmarks(track_landmarks(frames), box)


def read_landmarks(found: ClipLandmarks, box: crop.CropBox | None = None) -> FaceTrack:
    """Read pose, mouth, eyes and gaze off the landmarks of a clip.

    Args:
        found: of the clip.
        box: as of `track_face`.
    """
    fit = pose.fit_head(found.points)
    looking = gaze.estimate_gaze(found.eyes[:, :, 0], found.points, fit)
    if box is None:
        box = crop_of_clip(fit)
    head_pose = pose.head_pose_in_crop(fit, box)
    vector = [head_pose.rotation, head_pose.translation, head_pose.scale]
    return FaceTrack(
        box=box,
        head_pose=np.concatenate(vector, axis=-1),
        mouth_aperture=landmarks.mouth_aperture(found.points).astype(np.float32),
        eye_aperture=gaze.eye_aperture(found.eyes).astype(np.float32),
        gaze=looking,
        present=found.present,
    )


def track_landmarks(frames: Iterable[np.ndarray]) -> ClipLandmarks:
    """Follow the landmarks of the largest face of a clip.

    Args:
        frames: uint8 `[H, W, 3]` each, all of one size; read one at a time.

    Returns:
        The landmarks.

    Raises:
        UserError: no frame shows a face.
    """
    points, eyes, present = [], [], []
    last = None
    for frame in frames:
        last = follow(frame, last)
        present.append(last is not None)
        if last is not None:
            points.append(last.points)
            eyes.append(gaze.find_eyes(frame, last))
    if not points:
        raise errors.UserError(
            f"No face was found in any of the {len(present)} frames of the clip; give "
            "one that shows a face from the front."
        )
    nearest = _nearest_seen(np.array(present))
    return ClipLandmarks(
        points=np.stack(points)[nearest],
        eyes=np.stack(eyes)[nearest],
        present=np.array(present),
    )


def crop_of_clip(fit: pose.HeadFit) -> crop.CropBox:
    """Return one crop for all frames of a clip: the median of their crops.

    Ours: a crop that followed the head would take its movement out of the video.

    Args:
        fit: fits of leading shape `[T]`.

    Returns:
        The box.
    """
    return pose.crop_of_fit(
        pose.HeadFit(
            rotation=np.median(fit.rotation, axis=0),
            centre=np.median(fit.centre, axis=0),
            unit=np.median(fit.unit, axis=0),
        )
    )


def follow(
    frame: np.ndarray,
    last: landmarks.Landmarks | None,
    within: tuple[float, float, float, float] | None = None,
    sample_affine: Callable[..., np.ndarray] = resample.sample_affine,
) -> landmarks.Landmarks | None:
    """Find the face of the frame before in a frame, or else its largest face.

    Follows: MediaPipe face mesh.

    Args:
        frame: uint8 `[H, W, 3]`.
        last: landmarks of the frame before; None looks for faces everywhere.
        within: where to look for a face and where its middle must stay, (left, top,
            right, bottom) in pixels; None is everywhere.
        sample_affine: as of `landmarks.landmarks_in_region`.

    Returns:
        The landmarks, or None where no face is seen.
    """
    if last is not None:
        region = landmarks.region_of_landmarks(last)
        found = landmarks.landmarks_in_region(frame, region, sample_affine)
        is_there = within is None or found.is_within(within)
        if found.presence >= landmarks.PRESENCE_THRESHOLD and is_there:
            return found
    if within is not None:
        return locate.find_within(frame, within)
    try:
        return locate.locate_face(frame).landmarks
    except errors.UserError:
        return None


def _nearest_seen(present):
    """Return for each frame the index, among those seen, of the nearest one."""
    seen = np.flatnonzero(present)
    frames = np.arange(len(present))
    return np.abs(frames[:, None] - seen).argmin(axis=1)
