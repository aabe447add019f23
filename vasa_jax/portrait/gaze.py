"""Find irises and lids, and estimate where eyes look.

Follows: MediaPipe iris for the irises. Ours: an eyeball hangs at a fixed place behind
the middle of the eye's corners, known from the head pose; the iris, seen from the
eyeball's centre, is the direction of gaze.
"""

import math

import einops
import numpy as np

from vasa_jax.portrait import landmarks, networks, pose, resample

EYE_REGION_SCALE = 2.3
"""Side of an eye's region in distances of its corners. Follows: MediaPipe iris."""

EYEBALL_OFFSET = (0.021, -0.014, 0.043)
"""From the middle of the corners of the image's left eye to its eyeball's centre, head
units, head frame; x is mirrored for the other eye.

Ours: x and z measured on rendered heads with known gaze; y such that real people who
look into the camera have pitch 0, because their irises rest about 1.5 mm above the line
of the corners, and those of rendered heads upon it.
"""

IRIS_RADIUS = 0.085
"""From the eyeball's centre to the iris, head units.

Ours: measured on rendered heads, and a tenth more, which errs least where irises are a
few pixels wide.
"""

NUM_IRIS_POINTS, NUM_LID_POINTS = 5, 16
"""Points of an iris, and of the lids around it. Follows: MediaPipe iris."""

LID_POINTS = slice(NUM_IRIS_POINTS, NUM_IRIS_POINTS + NUM_LID_POINTS)
"""Of `find_eyes`: a corner, seven of the lower lid, the other corner, and seven of the
upper lid, either from one corner to the other. Follows: MediaPipe iris."""

LID_CORNER = 8
"""Place of the other corner among the points of the lids."""

YAW_BY = (10.27, 0.93, 0.24)
"""Yaw of gaze by x of `iris_positions` and by yaw and roll of the head, radians."""

PITCH_BY = (0.108, 6.73, 0.545)
"""Pitch of gaze: itself, and by y of `iris_positions` and pitch of the head, radians.

Ours: both by least squares to exact gaze on rendered heads and moved photographs
(`experiments.tools.fit_face_labels`, `docs/labels.md`). Each uses only what a mirror
turns, or leaves, as it does the angle, so that a mirrored face looks the mirrored way.
"""

LARGEST_SINE = 0.8
"""Ours: eyes do not turn by more than about 50 degrees from the viewer."""


def find_iris_outlines(image: np.ndarray, found: landmarks.Landmarks) -> np.ndarray:
    """Find the irises' centres, and four points on each one's edge.

    Args:
        image: uint8 `[H, W, 3]`.
        found: landmarks of the face in this image.

    Returns:
        float32 `[2, 5, 2]` x, y in image pixels, centres first; the image's left eye
        first.
    """
    return find_eyes(image, found)[:, :NUM_IRIS_POINTS]


def find_eyes(image: np.ndarray, found: landmarks.Landmarks) -> np.ndarray:
    """Find the irises and the edges of the lids.

    Ours: the lids' edges come with the irises, seen in the same enlarged picture, and
    show where an iris lies better than the corners of the 468 landmarks do.

    Args:
        image: uint8 `[H, W, 3]`.
        found: landmarks of the face in this image.

    Returns:
        float32 `[2, 21, 2]` x, y in image pixels, the image's left eye first: the
        iris' centre, four points on its edge, and `LID_POINTS`.
    """
    network = networks.load("iris_landmark")
    eyes = []
    for corners, is_mirrored in zip(landmarks.EYE_CORNERS, (False, True), strict=True):
        first, second = found.points[list(corners), :2].astype(np.float64)
        across = second - first
        region = landmarks.Region(
            center_x=float((first[0] + second[0]) / 2),
            center_y=float((first[1] + second[1]) / 2),
            size=EYE_REGION_SCALE * max(1.0, float(np.linalg.norm(across))),
            angle=math.atan2(across[1], across[0]),
        )
        matrix = region.matrix(network.size)
        if is_mirrored:
            mirror = np.array([[-1, 0, network.size], [0, 1, 0], [0, 0, 1]])
            matrix = matrix @ mirror
        view = resample.sample_affine(image, matrix, network.size, network.size)
        view /= 255
        contour, iris = network(view)
        lids = contour[: 3 * NUM_LID_POINTS]
        points = einops.rearrange(np.concatenate([iris, lids]), "(p c) -> p c", c=3)
        eyes.append(points[:, :2] @ matrix[:, :2].T + matrix[:, 2])
    return np.stack(eyes).astype(np.float32)


def estimate_gaze(
    irises: np.ndarray, points: np.ndarray, fit: pose.HeadFit
) -> np.ndarray:
    """Estimate the common direction of gaze of both eyes.

    Ours: errs by about 6 degrees within one person, where irises are some pixels wide;
    pitch is also off by up to 15 degrees from person to person, so compare it with the
    same person's at rest.

    Args:
        irises: `[..., 2, 2]` centres, the first points of `find_eyes`.
        points: `[..., 468, 3]` landmarks of the same images.
        fit: head fits of the same images.

    Returns:
        float32 `[..., 2]` yaw and pitch in the camera frame, radians; (0, 0) looks at
        the viewer.
    """
    sines = (iris_offsets(irises, points, fit) - _turned_offsets(fit)) / IRIS_RADIUS
    sines = sines.mean(axis=-2)
    length = np.linalg.norm(sines, axis=-1, keepdims=True)
    sines = sines * np.minimum(1, LARGEST_SINE / np.maximum(length, 1e-6))
    x, y = sines[..., 0], sines[..., 1]
    yaw = np.arctan2(x, np.sqrt(1 - x * x - y * y))
    return np.stack([yaw, np.arcsin(y)], axis=-1).astype(np.float32)


def gaze_between_lids(eyes: np.ndarray, fit: pose.HeadFit) -> np.ndarray:
    """Tell the common direction of gaze by where the irises lie between the lids.

    Ours: six numbers, fitted to exact gaze; errs by half as much as `estimate_gaze`,
    whose offsets are from the corners of the 468 landmarks.

    Args:
        eyes: `[..., 2, 21, 2]` as `find_eyes` returns them.
        fit: head fits of the same images.

    Returns:
        float32 `[..., 2]` yaw and pitch in the camera frame, radians; (0, 0) looks at
        the viewer.
    """
    x, y = np.moveaxis(iris_positions(eyes, fit), -1, 0)
    head_yaw, head_pitch, head_roll = np.moveaxis(fit.rotation, -1, 0)
    yaw = YAW_BY[0] * x + YAW_BY[1] * head_yaw + YAW_BY[2] * head_roll
    pitch = PITCH_BY[0] + PITCH_BY[1] * y + PITCH_BY[2] * head_pitch
    return np.stack([yaw, pitch], axis=-1).astype(np.float32)


def iris_positions(eyes: np.ndarray, fit: pose.HeadFit) -> np.ndarray:
    """Measure the irises from the middles of the lids' corners, mean of both eyes.

    Args:
        eyes, fit: see `gaze_between_lids`.

    Returns:
        float64 `[..., 2]` offset in the image plane, head units.
    """
    lids = eyes[..., LID_POINTS, :].astype(np.float64)
    middles = (lids[..., 0, :] + lids[..., LID_CORNER, :]) / 2
    offsets = (eyes[..., 0, :] - middles).mean(axis=-2)
    return offsets / np.asarray(fit.unit)[..., None]


def lid_gaps(eyes: np.ndarray) -> np.ndarray:
    """Measure how far each eye is open.

    Ours: from the mean of the lower lid to that of the upper one, over the width.

    Args:
        eyes: `[..., 2, 21, 2]` as `find_eyes` returns them.

    Returns:
        float64 `[..., 2]`, the image's left eye first.
    """
    lids = eyes[..., LID_POINTS, :].astype(np.float64)
    lower = lids[..., 1:LID_CORNER, :].mean(axis=-2)
    upper = lids[..., LID_CORNER + 1 :, :].mean(axis=-2)
    width = np.linalg.norm(lids[..., LID_CORNER, :] - lids[..., 0, :], axis=-1)
    return np.linalg.norm(upper - lower, axis=-1) / np.maximum(width, 1e-6)


def eye_aperture(eyes: np.ndarray) -> np.ndarray:
    """Measure how far the eyes are open.

    Ours: by the edges of the lids in an enlarged picture of each eye. On photographs
    that were moved so that they blink, 75 of 80 blinks are found by them and 49 by the
    lids among the 468 landmarks, which see shut eyes up to 0.9 open.

    Args:
        eyes: `[..., 2, 21, 2]` as `find_eyes` returns them.

    Returns:
        float64 `[...]`, the mean of `lid_gaps`.
    """
    return lid_gaps(eyes).mean(axis=-1)


def iris_offsets(
    irises: np.ndarray, points: np.ndarray, fit: pose.HeadFit
) -> np.ndarray:
    """Measure the irises from the middles of the eyes' corners.

    Ours: in head units, so that size does not matter.

    Args:
        irises: `[..., 2, 2]`, see `estimate_gaze`, like the others.
        points: `[..., 468, 3]`.
        fit: head fits.

    Returns:
        float64 `[..., 2, 2]` offsets in the image plane.
    """
    corners = points[..., np.array(landmarks.EYE_CORNERS), :2]
    middles = corners.astype(np.float64).mean(axis=-2)
    return (irises - middles) / fit.unit[..., None, None]


def _turned_offsets(fit):
    """Return the eyeballs' offsets `[..., 2, 2]` in the image plane."""
    x, y, z = EYEBALL_OFFSET
    offsets = np.array([[x, y, z], [-x, y, z]])
    return (offsets @ np.swapaxes(fit.matrix(), -1, -2))[..., :2]
