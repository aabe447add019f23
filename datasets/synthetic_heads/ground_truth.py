"""Ground truth of a rendered frame: pose, gaze, keypoints, mouth, masks."""

import numba
import numpy as np

from datasets.synthetic_heads import geometry, head, names, scene

MASK_SIZE = 64
"""Cells along a mask's edge. Follows: the face model's feature resolution."""

_TO_IMAGE_FRAME = np.array([1.0, -1.0, -1.0])
_BACKGROUND, _TORSO, _HEAD, _HAIR, _EYES, _MOUTH = range(len(names.MASK_CLASSES))


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
    places = np.stack([at[name] for name in names.KEYPOINT_NAMES])
    return camera.project(places)[:, :2].astype(np.float32)


def mouth_opening(posed: geometry.PosedHead) -> float:
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


@numba.njit(cache=True, fastmath=True)
def sample_classes(screen, triangles, attributes, shown, neckline_of_vertex, classes):
    """Give every sample of a z-buffer its mask class.

    Args:
        screen, triangles, attributes, shown: as `rasterizer.rasterize` had them.
        neckline_of_vertex: float32 `[N]` height above the garment's edge.
        classes: uint8 `[S, S]`, overwritten.
    """
    for y in range(shown.shape[0]):
        for x in range(shown.shape[1]):
            t = shown[y, x]
            if t < 0:
                classes[y, x] = _BACKGROUND
                continue
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            material = int(attributes[a, geometry.MATERIAL])
            if material == head.HAIR or material == head.DRAPE:
                classes[y, x] = _HAIR
            elif material == head.EYE:
                classes[y, x] = _EYES
            elif material == head.TEETH or material == head.TONGUE:
                classes[y, x] = _MOUTH
            elif material == head.LASH:
                classes[y, x] = _HEAD
            else:
                x0, y0 = screen[a, 0], screen[a, 1]
                x1, y1 = screen[b, 0], screen[b, 1]
                x2, y2 = screen[c, 0], screen[c, 1]
                inverse = 1.0 / ((x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0))
                w1 = ((x - x0) * (y2 - y0) - (x2 - x0) * (y - y0)) * inverse
                w2 = ((x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)) * inverse
                w0 = 1.0 - w1 - w2
                above = (
                    w0 * neckline_of_vertex[a]
                    + w1 * neckline_of_vertex[b]
                    + w2 * neckline_of_vertex[c]
                )
                inner = (
                    w0 * attributes[a, geometry.INNER]
                    + w1 * attributes[b, geometry.INNER]
                    + w2 * attributes[c, geometry.INNER]
                )
                if above < 0:
                    classes[y, x] = _TORSO
                elif inner > 0.5:
                    classes[y, x] = _MOUTH
                else:
                    classes[y, x] = _HEAD


@numba.njit(cache=True)
def majority(classes, masks):
    """Shrink classes `[S, S]` to the most frequent class a cell of masks `[M, M]`."""
    size, cells = classes.shape[0], masks.shape[0]
    counts = np.zeros(8, np.int64)
    for row in range(cells):
        for column in range(cells):
            counts[:] = 0
            top, left = row * size // cells, column * size // cells
            bottom = max(top + 1, (row + 1) * size // cells)
            right = max(left + 1, (column + 1) * size // cells)
            for y in range(top, bottom):
                for x in range(left, right):
                    counts[classes[y, x]] += 1
            masks[row, column] = np.argmax(counts)
