"""Follow the largest face through a video of any length, and see where it jumps.

Ours: frames are read one by one and only what was measured is kept, so that an hour of
video costs little memory.
"""

import dataclasses
import math
from collections.abc import Iterable

import einops
import numpy as np

from datasets.synthetic_heads import names
from datasets.video_clips import sampling
from vasa_jax import errors
from vasa_jax.portrait import face_labels, landmarks, pose, track

CUT_DIFFERENCE = 27.0
"""Mean difference of two frames' pixels, of 255, that is a cut. Follows: PySceneDetect
(content detector)."""

STILL_DIFFERENCE = 8.0
"""Largest difference of two frames' pixels, of 255, up to which they are one picture.
Ours: an encoded still picture flickered by 4; in five clips of GRID some pixel changed
by 32 or more within 0.8 s."""

LARGEST_STEP = 0.4
"""Head units (10 cm) that a head moves in a frame. Ours: a metre a second; more is
another head."""

LARGEST_SIZE_CHANGE = 1.2
"""Factor by which a head's size changes in a frame. Ours: zooms are slower."""

LARGEST_TURN_DEGREES = 20.0
"""Turn of the head in a frame. Ours: 500 degrees a second, twice a hasty shake."""

LOOK_EVERY_FRAMES = 5
"""Frames from one look for a face to the next where none is seen. Ours: a look costs as
much as following for a second."""

LABELS_EVERY_FRAMES = 2
"""Frames from one look at what a face shows to the next. Ours: eyes look for a fifth of
a second or longer and blink as long, and looking costs as much as following."""

_CHUNK_FRAMES = 250
_SAMPLES_A_SIDE = 48
_NOSE_TIP, _CHIN = 1, 152
_MOUTH_CORNERS, _LIPS = (291, 61), (13, 14)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Track:
    """The face of a video of T frames; rows without it are zeros.

    Attributes:
        height, width: of the video's frames, pixels.
        present: bool `[T]`, whether the face was seen.
        is_joined: bool `[T]`, whether it is the face of the frame before.
        fit: `pose.HeadFit` of leading shape `[T]`, video pixels.
        mouth_aperture: float32 `[T]`, see `landmarks.mouth_aperture`.
        keypoints: float32 `[T, 10, 2]` `names.KEYPOINT_NAMES`, video pixels.
        labels: float32 `[T, M]`, of `face_labels.LabelEstimator.measure`.
        is_still: bool `[T]`, whether the picture is that of the frame before.
    """

    height: int
    width: int
    present: np.ndarray
    is_joined: np.ndarray
    fit: pose.HeadFit
    mouth_aperture: np.ndarray
    keypoints: np.ndarray
    labels: np.ndarray
    is_still: np.ndarray


def track_video(
    frames: Iterable[np.ndarray],
    estimator: face_labels.LabelEstimator,
    within: tuple[float, float, float, float] | None = None,
) -> Track:
    """Follow the largest face; after a cut look for the largest again.

    Args:
        frames: uint8 `[H, W, 3]` each, at 25 Hz.
        estimator: of what the face shows.
        within: see `track.follow`.

    Returns:
        The track.

    Raises:
        UserError: there is no frame, or the picture's size changes.
    """
    present, is_cut, is_still, measured, points, seen = [], [], [], [], [], []
    last, look, samples, next_look, size = None, None, None, 0, None
    for index, frame in enumerate(frames):
        size = size or frame.shape[:2]
        if frame.shape[:2] != size:
            raise errors.UserError("The picture's size changes; cut the video there.")
        before, samples = samples, _sample(frame)
        change = 0 if before is None else np.abs(samples - before)
        cut = np.mean(change) > CUT_DIFFERENCE
        is_cut.append(cut)
        is_still.append(np.max(change) <= STILL_DIFFERENCE)
        if cut:
            last, next_look = None, index
        if last is not None or index >= next_look:
            last = track.follow(frame, last, within, sampling.sample_affine)
            if last is None:
                next_look = index + LOOK_EVERY_FRAMES
        is_same = bool(present) and present[-1] and not cut
        present.append(last is not None)
        if last is not None:
            points.append(last.points)
            if not is_same or index % LABELS_EVERY_FRAMES == 0:
                look = estimator.see(frame, last)
            seen.append(look)
        if len(points) == _CHUNK_FRAMES:
            measured.append(_measure(points, seen, estimator))
            points, seen = [], []
    if size is None:
        raise errors.UserError("The video holds no frame; make it again.")
    if points:
        measured.append(_measure(points, seen, estimator))
    if not measured:
        return _faceless(size, len(present))
    present = np.array(present)
    parts = zip(*measured, strict=True)
    columns = [_spread(np.concatenate(rows), present) for rows in parts]
    rotation, centre, unit, mouth_aperture, keypoints, labels = columns
    fit = pose.HeadFit(rotation=rotation, centre=centre, unit=unit)
    return Track(
        height=size[0],
        width=size[1],
        present=present,
        is_joined=~np.array(is_cut) & _is_steady(present, fit),
        fit=fit,
        mouth_aperture=mouth_aperture,
        keypoints=keypoints,
        labels=labels,
        is_still=np.array(is_still),
    )


def place_keypoints(points: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Place the points of `names.KEYPOINT_NAMES` by landmarks.

    Ours: an eye is the middle of its corners. The person's left is the image's right.

    Args:
        points: `[..., 468, 3]` landmarks.
        centre: `[..., 2]` head centre in the same unit.

    Returns:
        `[..., 10, 2]`.
    """
    flat = points[..., :2]
    right_eye, left_eye = (
        flat[..., list(corners), :].mean(axis=-2) for corners in landmarks.EYE_CORNERS
    )
    at = {
        "left_eye": left_eye,
        "right_eye": right_eye,
        "mouth": flat[..., list(_LIPS), :].mean(axis=-2),
        "mouth_left": flat[..., _MOUTH_CORNERS[0], :],
        "mouth_right": flat[..., _MOUTH_CORNERS[1], :],
        "lip_top": flat[..., _LIPS[0], :],
        "lip_bottom": flat[..., _LIPS[1], :],
        "nose_tip": flat[..., _NOSE_TIP, :],
        "chin": flat[..., _CHIN, :],
        "head_centre": centre,
    }
    return np.stack([at[name] for name in names.KEYPOINT_NAMES], axis=-2)


def _sample(frame):
    """Take even samples of a frame, to tell cuts by."""
    steps = (max(1, math.ceil(side / _SAMPLES_A_SIDE)) for side in frame.shape[:2])
    rows, columns = steps
    return frame[::rows, ::columns].astype(np.float32)


def _faceless(size, count):
    """Return the track of frames none of which shows a face."""
    nothing = np.zeros(count, bool)
    return Track(
        height=size[0],
        width=size[1],
        present=nothing,
        is_joined=nothing,
        fit=pose.HeadFit(
            rotation=np.zeros((count, 3)),
            centre=np.zeros((count, 2)),
            unit=np.zeros(count),
        ),
        mouth_aperture=np.zeros(count, np.float32),
        keypoints=np.zeros((count, len(names.KEYPOINT_NAMES), 2), np.float32),
        labels=np.zeros((count, 0), np.float32),
        is_still=nothing,
    )


def _measure(points, seen, estimator):
    """Reduce landmarks and what was seen of n frames to what a track keeps."""
    points = np.stack(points)
    fit = pose.fit_head(points)
    return (
        fit.rotation,
        fit.centre,
        fit.unit,
        landmarks.mouth_aperture(points).astype(np.float32),
        place_keypoints(points, fit.centre).astype(np.float32),
        estimator.measure(np.stack(seen), points, fit),
    )


def _spread(rows, present):
    """Give each frame that shows the face its row, and zeros to the others."""
    spread = np.zeros((len(present), *rows.shape[1:]), rows.dtype)
    spread[present] = rows
    return spread


def _is_steady(present, fit):
    """Tell for each frame whether the head is where the frame before had it."""
    steady = np.zeros(len(present), bool)
    unit = np.maximum(fit.unit, 1e-6)
    step = np.linalg.norm(np.diff(fit.centre, axis=0), axis=-1) / unit[1:]
    size_change = np.abs(np.diff(np.log(unit)))
    turn = _turn_between(fit.matrix())
    steady[1:] = (
        present[1:]
        & present[:-1]
        & (step < LARGEST_STEP)
        & (size_change < np.log(LARGEST_SIZE_CHANGE))
        & (turn < np.deg2rad(LARGEST_TURN_DEGREES))
    )
    return steady


def _turn_between(matrices):
    """Return the angles `[T - 1]` from each rotation `[T, 3, 3]` to the next."""
    trace = einops.einsum(matrices[:-1], matrices[1:], "t i j, t i j -> t")
    return np.arccos(np.clip((trace - 1) / 2, -1, 1))
