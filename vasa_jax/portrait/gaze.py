"""Estimate where eyes look, from the irises between the corners of the eyes.

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

LARGEST_SINE = 0.8
"""Ours: eyes do not turn by more than about 50 degrees from the viewer."""


def find_irises(image: np.ndarray, found: landmarks.Landmarks) -> np.ndarray:
    """Find the centres of the irises.

    Args:
        image: uint8 `[H, W, 3]`.
        found: landmarks of the face in this image.

    Returns:
        float32 `[2, 2]` x, y in image pixels; the image's left eye first.
    """
    return find_iris_outlines(image, found)[:, 0]


def find_iris_outlines(image: np.ndarray, found: landmarks.Landmarks) -> np.ndarray:
    """Find the irises' centres, and four points on each one's edge.

    Args:
        image: uint8 `[H, W, 3]`.
        found: landmarks of the face in this image.

    Returns:
        float32 `[2, 5, 2]` x, y in image pixels, centres first; the image's left eye
        first.
    """
    network = networks.load("iris_landmark")
    outlines = []
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
        view = resample.sample_affine(image, matrix, network.size, network.size) / 255
        _, iris = network(view)
        points = einops.rearrange(iris, "(p c) -> p c", c=3)[:, :2]
        outlines.append(points @ matrix[:, :2].T + matrix[:, 2])
    return np.stack(outlines).astype(np.float32)


def estimate_gaze(
    irises: np.ndarray, points: np.ndarray, fit: pose.HeadFit
) -> np.ndarray:
    """Estimate the common direction of gaze of both eyes.

    Ours: errs by about 6 degrees within one person, where irises are some pixels wide;
    pitch is also off by up to 15 degrees from person to person, so compare it with the
    same person's at rest.

    Args:
        irises: `[..., 2, 2]` centres as `find_irises` returns them.
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
