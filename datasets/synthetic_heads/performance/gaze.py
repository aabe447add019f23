"""Where the eyes look: a main direction, fixations around it, glances away from it."""

import numpy as np

from datasets.synthetic_heads.performance import phrasing
from datasets.synthetic_heads.person import geometry
from vasa_jax import types

MAIN_YAW_RADIANS = float(np.deg2rad(25))
MAIN_PITCH_RADIANS = float(np.deg2rad(15))
"""Range of the main direction in the camera frame. Ours: as far as a speaker looks
past the camera for long."""

EYE_YAW_RADIANS = float(np.deg2rad(30))
EYE_PITCH_RADIANS = float(np.deg2rad(22))
"""How far the eyes turn in the head. Ours: people turn the head beyond this."""

_FIXATION_RADIANS = np.deg2rad([1.8, 1.2])
_LEAST_FIXATION_SECONDS, _USUAL_FIXATION_SECONDS = 0.2, 0.7
"""Fixations wander over a listener's face. Ours: about 4 cm at a metre and a half."""

_AVERTED_SHARE, _AVERTED_FROM_SECONDS = 0.6, 1.2
"""Share of phrases of this length and longer at whose start the gaze leaves the
listener; it is back before the end. Follows: Kendon 1967."""

_GLANCES_HZ, _LISTENERS_GLANCES_HZ = 0.25, 0.06
_LEAST_GLANCE_SECONDS, _USUAL_GLANCE_SECONDS, _LONGEST_GLANCE_SECONDS = 0.4, 0.6, 1.6
"""Other glances a second, while speaking and while listening, and how long glances
last. Follows: Argyle and Cook 1976 (speakers look away twice as much as listeners).
Ours: figures."""

_GLANCE_RADIANS = np.deg2rad([17.0, 7.0])
_FARTHEST_GLANCE_RADIANS = np.deg2rad([26.0, 12.0])
_FARTHEST_RADIANS = np.deg2rad([36.0, 22.0])
"""Standard deviation of glances, their limit, and that of where people look at all.
Ours: the main direction stays the mode of the clip."""


def random_main_gaze(generator: np.random.Generator) -> np.ndarray:
    """Draw a main direction, float64 `[2]` yaw and pitch in the camera frame.

    Ours: uniform, with one clip in five straight at the camera, the usual case.
    """
    if generator.random() < 0.2:
        return generator.normal(0, np.deg2rad(2), 2)
    limits = (MAIN_YAW_RADIANS, MAIN_PITCH_RADIANS)
    return generator.uniform(-1, 1, 2) * limits


def look(
    main: np.ndarray,
    num_frames: int,
    phrases: phrasing.Phrasing,
    generator: np.random.Generator,
) -> np.ndarray:
    """Move the gaze from fixation to fixation, with glances away from the listener.

    Ours: saccades take one frame. Each person glances mostly to one side.

    Args:
        main: `[2]` main direction, radians; where the listener is.
        num_frames: T.
        phrases: of the voice.
        generator: source of chance.

    Returns:
        float32 `[T, 2]` wanted direction in the camera frame.
    """
    offset = _fixations(num_frames, generator)
    habit = generator.normal(0, 0.4, 2)
    for start, end in _glances(phrases, num_frames / types.FRAME_RATE_HZ, generator):
        glance = (habit + generator.normal(0, 1, 2)) * _GLANCE_RADIANS
        frames = slice(*(max(round(s * types.FRAME_RATE_HZ), 0) for s in (start, end)))
        offset[frames] += np.clip(
            glance, -_FARTHEST_GLANCE_RADIANS, _FARTHEST_GLANCE_RADIANS
        )
    wanted = np.clip(main + offset, -_FARTHEST_RADIANS, _FARTHEST_RADIANS)
    return wanted.astype(np.float32)


def _fixations(num_frames: int, generator: np.random.Generator) -> np.ndarray:
    """Wander over a listener's face, radians `[T, 2]` from its middle."""
    path = np.empty((num_frames, 2))
    frame = 0
    while frame < num_frames:
        seconds = _LEAST_FIXATION_SECONDS
        seconds += generator.exponential(_USUAL_FIXATION_SECONDS)
        end = frame + round(seconds * types.FRAME_RATE_HZ)
        path[frame:end] = generator.normal(0, 1, 2) * _FIXATION_RADIANS
        frame = end
    return path


def _glances(
    phrases: phrasing.Phrasing, seconds: float, generator: np.random.Generator
) -> list[tuple[float, float]]:
    """Draw when glances begin and end, seconds; they do not overlap."""
    drawn = []
    for first, last in zip(phrases.starts, phrases.ends, strict=True):
        length = _glance_seconds(generator)
        start = first + generator.uniform(-0.3, 0.2)
        is_long = last - first > _AVERTED_FROM_SECONDS
        if generator.random() < _AVERTED_SHARE and is_long:
            drawn.append((start, min(start + length, last - 0.2)))
    clock = generator.exponential(1 / _GLANCES_HZ)
    while clock < seconds:
        length = _glance_seconds(generator)
        speaks = np.any((phrases.starts < clock) & (clock < phrases.ends))
        if speaks or generator.random() < _LISTENERS_GLANCES_HZ / _GLANCES_HZ:
            drawn.append((clock, clock + length))
        clock += length + generator.exponential(1 / _GLANCES_HZ)
    kept: list[tuple[float, float]] = []
    for start, end in sorted(drawn):
        if not kept or start > kept[-1][1] + _LEAST_GLANCE_SECONDS:
            kept.append((start, end))
    return kept


def _glance_seconds(generator: np.random.Generator) -> float:
    seconds = _LEAST_GLANCE_SECONDS + generator.exponential(_USUAL_GLANCE_SECONDS)
    return min(seconds, _LONGEST_GLANCE_SECONDS)


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
