"""Ground truth of a rendered frame: pose, gaze, keypoints, mouth, masks."""

import numba
import numpy as np

from datasets.synthetic_heads import names
from datasets.synthetic_heads.person import geometry, head
from datasets.synthetic_heads.rendering import kernels, scene, shading

MASK_SIZE = 64
"""Cells along a mask's edge. Follows: the face model's feature resolution."""

_TO_IMAGE_FRAME = np.array([1.0, -1.0, -1.0])
_NUM_CLASSES = len(names.MASK_CLASSES)
_BACKGROUND, _TORSO, _HEAD, _HAIR, _EYES, _MOUTH = range(_NUM_CLASSES)


def head_pose(posed: geometry.PosedHead, camera: scene.Camera) -> np.ndarray:
    """Read the weak-perspective head pose out of a posed head.

    Ours: what is seen counts, so rotation is taken relative to the ray from the eye
    through the head centre: a head that faces the camera has rotation 0 wherever it
    is in the image.

    Returns:
        float32 `[6]`: yaw, pitch, roll, x, y, scale, as `vasa_jax.types.HeadPose`.
    """
    x, y, depth = camera.project(posed.head_centre)
    turned = _image_axes(posed, camera) @ posed.rotation * _TO_IMAGE_FRAME
    yaw = np.arctan2(-turned[0, 2], turned[2, 2])
    pitch = np.arcsin(np.clip(-turned[1, 2], -1.0, 1.0))
    roll = np.arctan2(-turned[1, 0], turned[1, 1])
    scale = scene.HALF_IMAGE_HEAD_UNITS * camera.focal / depth
    return np.array([yaw, pitch, roll, x, y, scale], np.float32)


def gaze(posed: geometry.PosedHead, camera: scene.Camera) -> np.ndarray:
    """Read the gaze `[2]` (yaw, pitch) in the camera frame, radians.

    Ours: relative to the ray through the head centre, like the head's rotation, so
    that (0, 0) looks at the viewer.
    """
    x, y, z = _image_axes(posed, camera) @ posed.gaze_direction
    return np.array([np.arctan2(x, -z), np.arcsin(np.clip(y, -1, 1))], np.float32)


def keypoints(posed: geometry.PosedHead, camera: scene.Camera) -> np.ndarray:
    """Project the points of `names.KEYPOINT_NAMES`; float32 `[10, 2]` image units."""
    marks = head.load_head_mesh().landmarks
    at = {name: posed.points[index] for name, index in marks.items()}
    at["left_eye"], at["right_eye"] = posed.eye_centres
    at["mouth"] = (at["lip_top"] + at["lip_bottom"]) / 2
    at["head_centre"] = posed.head_centre
    points = np.stack([at[name] for name in names.KEYPOINT_NAMES])
    return camera.project(points)[:, :2].astype(np.float32)


def mouth_aperture(posed: geometry.PosedHead) -> float:
    """Return the gap of the inner lips along the face, in eye distances."""
    marks = head.load_head_mesh().landmarks
    gap = posed.points[marks["lip_top"]] - posed.points[marks["lip_bottom"]]
    eyes = posed.eye_centres[0] - posed.eye_centres[1]
    return max(0.0, float(gap @ posed.rotation[:, 1] / np.linalg.norm(eyes)))


def _image_axes(posed, camera):
    """Return `[3, 3]` from mesh axes to image axes seen along the head's ray."""
    to_image = _TO_IMAGE_FRAME[:, None] * camera.axes
    ray = to_image @ (posed.head_centre - camera.eye)
    ray = ray / np.linalg.norm(ray)
    x, y, z = ray
    cross = np.array([[0, 0, x], [0, 0, y], [-x, -y, 0]])
    towards_ray = np.eye(3) + cross + cross @ cross / (1 + z)
    return towards_ray.T @ to_image


@kernels.cached
def draw_masks(screen, triangles, attributes, shown, heights, masks):
    """Give every cell its most frequent class among up to 4 x 4 samples.

    Args:
        screen, triangles, attributes, shown: as `rasterizer.rasterize` had them.
        heights: float32 `[N]` of vertices above the garment's edge.
        masks: uint8 `[M, M]`, overwritten.
    """
    size, cells = shown.shape[0], masks.shape[0]
    taps = max(1, min(4, size // cells))
    counts = np.zeros(_NUM_CLASSES, np.int64)
    for row in range(cells):
        for column in range(cells):
            counts[:] = 0
            for i in range(taps):
                for j in range(taps):
                    y = int((row + (i + 0.5) / taps) * size / cells)
                    x = int((column + (j + 0.5) / taps) * size / cells)
                    t = shown[y, x]
                    found = _BACKGROUND
                    if t >= 0:
                        found = _class_at(
                            screen, triangles[t], attributes, heights, x, y
                        )
                    counts[found] += 1
            masks[row, column] = np.argmax(counts)


@numba.njit(inline="always", fastmath=True)
def _class_at(screen, corners, attributes, heights, x, y):
    a, b, c = corners
    material = int(attributes[a, geometry.MATERIAL])
    if material == head.HAIR or material == head.DRAPE:
        return _HAIR
    if material == head.WORN:
        return _HAIR if attributes[a, geometry.LAYER] > 0.5 else _HEAD
    if material == head.EYE:
        return _EYES
    if material == head.TEETH or material == head.TONGUE:
        return _MOUTH
    if material == head.LASH:
        return _HEAD
    w0, w1, w2 = shading.corner_shares(screen, (a, b, c), x, y)
    if w0 * heights[a] + w1 * heights[b] + w2 * heights[c] < 0:
        return _TORSO
    inner = (
        w0 * attributes[a, geometry.INNER]
        + w1 * attributes[b, geometry.INNER]
        + w2 * attributes[c, geometry.INNER]
    )
    return _MOUTH if inner > 0.5 else _HEAD
