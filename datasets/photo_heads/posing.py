"""Where a portrait's vertices are in a state, and what pose and points that shows."""

import numpy as np

from datasets.photo_heads import face_mesh, landmark_units, mesh, photo_head
from datasets.synthetic_heads import names
from vasa_jax.portrait import crop, landmarks, pose

KEYPOINTS = {
    "left_eye": landmarks.EYE_CORNERS[1],
    "right_eye": landmarks.EYE_CORNERS[0],
    "mouth": (13, 14),
    "mouth_left": (291,),
    "mouth_right": (61,),
    "lip_top": (13,),
    "lip_bottom": (14,),
    "nose_tip": (4,),
    "chin": (152,),
}
"""Landmarks whose mean is a keypoint of `names.KEYPOINT_NAMES`. Follows: MediaPipe."""


def vertices(
    parts: mesh.Mesh, shape: photo_head.HeadShape, state: photo_head.State
) -> np.ndarray:
    """Return the vertices of a state, float32 `[N, 3]`, camera frame.

    Ours: expression first, then each vertex turns by its share of the angle about the
    neck; head and body shift alike.
    """
    points = parts.points + mesh.movement(parts, shape, state)
    return turned(points, shape, state, parts.turning)


def on_image(screen: np.ndarray, view: photo_head.View) -> np.ndarray:
    """Turn screen places `[..., 2]` into image coordinates in [-1, 1]."""
    reach = crop.HALF_IMAGE_HEAD_UNITS * view.distance
    return screen / reach + np.array([view.x, view.y])


def head_pose(
    shape: photo_head.HeadShape, state: photo_head.State, view: photo_head.View
) -> np.ndarray:
    """Return the head pose of a state, float32 `[6]` as `vasa_jax.types.HeadPose`.

    Ours: what is seen counts, as for the synthetic heads: rotation is relative to the
    ray from the eye through the head's centre.
    """
    centre = turned(np.zeros((1, 3), np.float32), shape, state, np.ones(1))[0]
    turn = photo_head.rotation_matrix(shape.rotation + state.turn)
    seen = _towards(centre).T @ turn
    yaw = np.arctan2(-seen[0, 2], seen[2, 2])
    pitch = np.arcsin(np.clip(-seen[1, 2], -1.0, 1.0))
    roll = np.arctan2(-seen[1, 0], seen[1, 1])
    place = on_image(photo_head.project(centre), view)
    scale = 1 / (view.distance * (1 + centre[2] / pose.CAMERA_DISTANCE))
    return np.array([yaw, pitch, roll, *place, scale], np.float32)


def keypoints(
    shape: photo_head.HeadShape,
    moved: np.ndarray,
    state: photo_head.State,
    view: photo_head.View,
) -> np.ndarray:
    """Return the keypoints, float32 `[10, 2]` in the order of `names.KEYPOINT_NAMES`.

    Ours: a landmark goes where the nearest point of the face goes.

    Args:
        shape: of the portrait.
        moved: `[N, 3]` vertices of the state.
        state: of the portrait.
        view: of the frame.
    """
    centre = turned(np.zeros((1, 3), np.float32), shape, state, np.ones(1))[0]
    places = []
    for name in names.KEYPOINT_NAMES:
        if name == "head_centre":
            places.append(centre)
            continue
        near = face_mesh.face_mesh().nearest[list(KEYPOINTS[name])]
        places.append(moved[near].mean(axis=0))
    return on_image(photo_head.project(np.stack(places)), view).astype(np.float32)


def mouth_opening(
    shape: photo_head.HeadShape, moved: np.ndarray, state: photo_head.State
) -> float:
    """Return the gap of the inner lips of vertices `[N, 3]`, in eye distances.

    Ours: along the face, as of the synthetic heads.
    """
    down = photo_head.rotation_matrix(shape.rotation + state.turn)[:, 1]
    nearest = face_mesh.face_mesh().nearest
    top, bottom = moved[nearest[[13, 14]]]
    eyes = moved[nearest[np.array(landmarks.EYE_CORNERS)]].mean(axis=1)
    gap = (bottom - top) @ down
    return max(0.0, float(gap / np.linalg.norm(eyes[1] - eyes[0])))


def turned(points, shape, state, share):
    """Turn points `[N, 3]` by their share `[N]` of the head's turn, and shift them.

    Ours: about the neck.
    """
    rest = photo_head.rotation_matrix(shape.rotation)
    turn = photo_head.rotation_matrix(shape.rotation + state.turn) @ rest.T
    pivot = (rest @ landmark_units.PIVOT).astype(np.float32)
    angle = np.float32(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1)))
    axis = np.array(
        [turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]]
    )
    axis = (axis / max(np.linalg.norm(axis), 1e-9)).astype(np.float32)
    away = points - pivot
    cos, sin = np.cos(share * angle)[:, None], np.sin(share * angle)[:, None]
    along = (away @ axis)[:, None] * axis
    after = along + (away - along) * cos + np.cross(axis, away) * sin
    return (pivot + after + state.shift).astype(np.float32)


def _towards(place):
    """Return the axes `[3, 3]`, as columns, of looking at a place from the camera."""
    ray = place + np.array([0.0, 0.0, pose.CAMERA_DISTANCE])
    ray = ray / np.linalg.norm(ray)
    right = np.cross([0.0, 1.0, 0.0], ray)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(ray, right), ray], axis=1)
