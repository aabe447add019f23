"""Place 468 landmarks on a face, and measure the mouth by them.

Follows: MediaPipe face mesh. The network sees the face upright, so its region is turned
by the line of the eyes; a second pass takes the region from the first one's landmarks.
"""

import dataclasses
import math
from collections.abc import Callable

import einops
import numpy as np

from vasa_jax.portrait import detection, networks, resample

NUM_LANDMARKS = 468

REGION_SCALE = 1.5
"""Side of the region in sides of the face's box. Follows: MediaPipe."""

NUM_PASSES = 2
"""Ours: the detection's box is rough; a second look from the landmarks settles it."""

PRESENCE_THRESHOLD = 0.5
"""Presence score from which landmarks are of a face. Follows: MediaPipe."""

EYE_CORNERS = ((33, 133), (362, 263))
"""Landmarks at each eye's corners, left to right; the image's left eye first.

Follows: MediaPipe's topology of 468 landmarks, like all the indices here.
"""

INNER_LIPS = ((82, 87), (13, 14), (312, 317))
"""Pairs of landmarks on the inner edge of the upper and lower lip."""

OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378),
    *(400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21),
    *(54, 103, 67, 109),
)
"""Outline of the face, from the forehead's middle around."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Landmarks:
    """Landmarks of one face.

    Attributes:
        points: float32 `[468, 3]` x, y in image pixels, z (away from the viewer) in the
            same unit from an unspecified origin.
        presence: probability in [0, 1] that the region showed a face.
    """

    points: np.ndarray
    presence: float

    def is_within(self, window: tuple[float, float, float, float]) -> bool:
        """Tell whether the face's middle lies in (left, top, right, bottom) pixels."""
        x, y = self.points[:, :2].mean(axis=0)
        left, top, right, bottom = window
        return bool(left <= x < right and top <= y < bottom)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Region:
    """A turned square of the image.

    Attributes:
        center_x, center_y: its centre in image pixels.
        size: its side in image pixels.
        angle: turn in radians, clockwise as seen, of its own x axis.
    """

    center_x: float
    center_y: float
    size: float
    angle: float

    def matrix(self, num_pixels: int) -> np.ndarray:
        """Return `[2, 3]` from pixels of the region's view to image pixels."""
        pixel = self.size / num_pixels
        turn = pixel * resample.rotation_2d(self.angle)
        centre = np.array([self.center_x, self.center_y])
        corner = centre - turn @ np.full(2, num_pixels / 2)
        return np.concatenate([turn, corner[:, None]], axis=1)


def find_landmarks(image: np.ndarray, face: detection.Face) -> Landmarks:
    """Place landmarks on a detected face.

    Args:
        image: uint8 `[H, W, 3]`.
        face: the face, as detected in this image.

    Returns:
        The landmarks of the last pass; see `Landmarks.presence` for whether they count.
    """
    found = landmarks_in_region(image, _region_of_face(face))
    for _ in range(NUM_PASSES - 1):
        found = landmarks_in_region(image, region_of_landmarks(found))
    return found


def landmarks_in_region(
    image: np.ndarray,
    region: Region,
    sample_affine: Callable[..., np.ndarray] = resample.sample_affine,
) -> Landmarks:
    """Run the landmark network once.

    Args:
        image: uint8 `[H, W, 3]`.
        region: where the face is.
        sample_affine: does what `resample.sample_affine` does.

    Returns:
        The landmarks in image pixels.
    """
    network = networks.load("face_landmark")
    matrix = region.matrix(network.size)
    view = sample_affine(image, matrix, network.size, network.size)
    view /= 255
    points, logit = network(view)
    points = einops.rearrange(points, "1 1 (n c) -> n c", n=NUM_LANDMARKS)
    placed = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    depth = points[:, 2:] * (region.size / network.size)
    return Landmarks(
        points=np.concatenate([placed, depth], axis=1).astype(np.float32),
        presence=float(1 / (1 + np.exp(-logit.item()))),
    )


def region_of_landmarks(landmarks: Landmarks) -> Region:
    """Return the region to look at next: around the landmarks, eyes level.

    Follows: MediaPipe face landmark tracking.
    """
    points = landmarks.points[:, :2].astype(np.float64)
    across = points[EYE_CORNERS[1][1]] - points[EYE_CORNERS[0][0]]
    angle = math.atan2(across[1], across[0])
    turn = resample.rotation_2d(angle)
    level = points @ turn
    low, high = level.min(axis=0), level.max(axis=0)
    center_x, center_y = turn @ ((low + high) / 2)
    return Region(
        center_x=center_x,
        center_y=center_y,
        size=REGION_SCALE * max(1.0, *(high - low)),
        angle=angle,
    )


def mouth_aperture(points: np.ndarray) -> np.ndarray:
    """Measure the gap between the inner lips.

    Ours: the mean of three gaps over the distance of the eyes, in three dimensions, so
    that neither size nor pose of the head matters.

    Args:
        points: `[..., 468, 3]`.

    Returns:
        `[...]`, 0 when closed, about 0.3 in a wide "ah".
    """
    corners = np.array(EYE_CORNERS)
    eyes = points[..., corners, :].mean(axis=-2)
    distance = np.linalg.norm(eyes[..., 1, :] - eyes[..., 0, :], axis=-1)
    return _gaps(points, INNER_LIPS).mean(axis=-1) / distance


def _gaps(points, pairs):
    """Return the distances `[..., n]` between n pairs of landmarks."""
    pairs = np.array(pairs)
    return np.linalg.norm(
        points[..., pairs[:, 0], :] - points[..., pairs[:, 1], :], axis=-1
    )


def _region_of_face(face):
    """Return the first region to look at. Follows: MediaPipe."""
    across = face.keypoints[1] - face.keypoints[0]
    return Region(
        center_x=face.center_x,
        center_y=face.center_y,
        size=REGION_SCALE * face.size,
        angle=math.atan2(float(across[1]), float(across[0])),
    )
