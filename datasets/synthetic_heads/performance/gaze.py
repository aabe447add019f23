"""Where the eyes look: a main direction, fixations around it, saccades between them."""

import numpy as np

from datasets.synthetic_heads.person import geometry
from vasa_jax import types

MAIN_YAW_RADIANS = float(np.deg2rad(25))
MAIN_PITCH_RADIANS = float(np.deg2rad(15))
"""Range of the main direction in the camera frame. Ours: as far as a speaker looks
past the camera for long."""

EYE_YAW_RADIANS = float(np.deg2rad(30))
EYE_PITCH_RADIANS = float(np.deg2rad(22))
"""How far the eyes turn in the head. Ours: people turn the head beyond this."""

_FIXATION_RADIANS = np.deg2rad([2.2, 1.5])
_GLANCE_RADIANS = np.deg2rad([9.0, 5.0])
_GLANCE_SHARE = 0.18
_FARTHEST_RADIANS = np.deg2rad([12.0, 8.0])
"""Fixations scatter by 2 degrees, one in six is a glance elsewhere, at most 12 degrees
off. Ours: conversation gaze; the main direction stays the mode of the clip."""


def random_main_gaze(generator: np.random.Generator) -> np.ndarray:
    """Draw a main direction, float64 `[2]` yaw and pitch in the camera frame.

    Ours: uniform, with one clip in five straight at the camera, the usual case.
    """
    if generator.random() < 0.2:
        return generator.normal(0, np.deg2rad(2), 2)
    limits = (MAIN_YAW_RADIANS, MAIN_PITCH_RADIANS)
    return generator.uniform(-1, 1, 2) * limits


def fixations(
    main: np.ndarray, num_frames: int, generator: np.random.Generator
) -> np.ndarray:
    """Move the gaze from fixation to fixation.

    Ours: fixations last 0.2 s and more, saccades one frame.

    Args:
        main: `[2]` main direction, radians.
        num_frames: T.
        generator: source of chance.

    Returns:
        float32 `[T, 2]` wanted direction in the camera frame.
    """
    path = np.empty((num_frames, 2), np.float32)
    frame = 0
    while frame < num_frames:
        seconds = 0.2 + generator.exponential(0.7)
        glance = generator.random() < _GLANCE_SHARE
        spread = _GLANCE_RADIANS if glance else _FIXATION_RADIANS
        offset = np.clip(
            generator.normal(0, 1, 2) * spread, -_FARTHEST_RADIANS, _FARTHEST_RADIANS
        )
        end = frame + max(int(seconds * types.FRAME_RATE_HZ), 4)
        path[frame:end] = main + offset
        frame = end
    return path


def in_head(
    wanted: np.ndarray, rotation: np.ndarray, camera_turn: np.ndarray
) -> np.ndarray:
    """Turn the eyes in a turning head so that the gaze stays where it is wanted.

    Ours: the vestibulo-ocular reflex; eyes stop at their limits.

    Args:
        wanted: `[T, 2]` direction in the camera frame, radians.
        rotation: `[T, 3]` of the head.
        camera_turn: `[3, 3]` whose columns are the camera's axes in mesh axes.

    Returns:
        float32 `[T, 2]` yaw and pitch of the eyes in the head.
    """
    limits = np.array([EYE_YAW_RADIANS, EYE_PITCH_RADIANS])
    angles = [
        direction_angles(geometry.rotation_in_mesh(turn).T @ direction)
        for turn, direction in zip(
            rotation, directions(wanted) @ camera_turn.T, strict=True
        )
    ]
    return np.clip(np.array(angles), -limits, limits).astype(np.float32)


def in_camera(
    eyes: np.ndarray, rotation: np.ndarray, camera_turn: np.ndarray
) -> np.ndarray:
    """Return where the eyes look in the camera's frame.

    Ours: the inverse of `in_head` within the limits of the eyes.

    Args:
        eyes: `[T, 2]` yaw and pitch in the head.
        rotation: `[T, 3]` of the head.
        camera_turn: `[3, 3]` whose columns are the camera's axes in mesh axes.

    Returns:
        float32 `[T, 2]`.
    """
    angles = [
        direction_angles(camera_turn.T @ geometry.rotation_in_mesh(turn) @ direction)
        for turn, direction in zip(rotation, directions(eyes), strict=True)
    ]
    return np.array(angles, np.float32)


def directions(angles: np.ndarray) -> np.ndarray:
    """Return unit vectors `[T, 3]` in mesh axes of yaw and pitch `[T, 2]`."""
    yaw, pitch = angles[:, 0], angles[:, 1]
    flat = np.cos(pitch)
    return np.stack([np.sin(yaw) * flat, -np.sin(pitch), np.cos(yaw) * flat], axis=1)


def direction_angles(direction: np.ndarray) -> np.ndarray:
    """Return yaw and pitch `[2]` of a unit vector in mesh axes."""
    x, y, z = direction
    return np.array([np.arctan2(x, z), -np.arcsin(np.clip(y, -1, 1))])
