"""How a performance moves a portrait: states of its frames, and what they then show."""

import dataclasses

import numpy as np

from datasets.photo_heads.fit import photo_head
from datasets.photo_heads.rendering import posing
from datasets.synthetic_heads.performance import performance
from vasa_jax import arkit as arkit_lib

FARTHEST_TURN = np.deg2rad([20.0, 12.0, 12.0])
"""Largest yaw, pitch and roll that are added to a portrait's own. Ours: the outline of
a photographed head does not turn, so that it looks like a mask beyond."""

FARTHEST_YAW = np.deg2rad(35.0)
"""Largest yaw of the moved head. Ours: as the synthetic heads; what a head shows beyond
was never photographed."""

LARGEST_GAZE = np.deg2rad([25.0, 15.0])
"""Largest yaw and pitch by which eyes turn from where the portrait looks. Ours: as
gaze is trained and asked for."""

GAZE_AT_VIEWER = np.deg2rad(12.0)
"""Largest yaw and pitch at which a portrait is taken to look at the viewer. Ours."""

_TO_CAMERA = np.array([1.0, -1.0, -1.0])
_BLINKS = [arkit_lib.index(name) for name in ("eyeBlinkRight", "eyeBlinkLeft")]
_JAW_OPEN = arkit_lib.index("jawOpen")
_MOUTH_CLOSE = arkit_lib.index("mouthClose")
_TONGUE_OUT = arkit_lib.index("tongueOut")


def shown_units(arkit: np.ndarray) -> np.ndarray:
    """Return what a moved portrait can show of ARKit weights `[T, 52]`.

    Ours: lips that stay shut over an open jaw are shown as a jaw that opens less, and
    there is no tongue.
    """
    arkit = arkit.copy()
    arkit[:, _JAW_OPEN] = np.maximum(arkit[:, _JAW_OPEN] - arkit[:, _MOUTH_CLOSE], 0)
    arkit[:, [_MOUTH_CLOSE, _TONGUE_OUT]] = 0
    return arkit


def rest_gaze(shape: photo_head.HeadShape) -> np.ndarray:
    """Return yaw and pitch `[2]` of a portrait's eyes in its head, radians.

    Ours: a portrait that seems to look about at the viewer is taken to do so, since
    most do, and one picture tells gaze no better.
    """
    looking = shape.gaze + shape.rotation[:2]
    at_viewer = np.abs(looking).max() < GAZE_AT_VIEWER
    return -shape.rotation[:2] if at_viewer else shape.gaze


def states(
    done: performance.Performance, head: photo_head.PhotoHead
) -> list[photo_head.State]:
    """Return the states of a performance's frames.

    Ours: lips are shut first, whatever the portrait does, since a performance opens
    shut ones; eyes look where the performance looks; turns are bent to their limits.

    Args:
        done: what is performed.
        head: the portrait.

    Returns:
        One for each frame.
    """
    turn = FARTHEST_TURN * np.tanh(done.rotation / FARTHEST_TURN)
    own_yaw = head.shape.rotation[0]
    turn[:, 0] = np.clip(turn[:, 0], -FARTHEST_YAW - own_yaw, FARTHEST_YAW - own_yaw)
    shown = _expressions(done.arkit, done.gaze_in_head, head)
    shifts = done.translation * _TO_CAMERA
    return [
        dataclasses.replace(state, turn=turn[frame], shift=shifts[frame])
        for frame, state in enumerate(shown)
    ]


def states_at(
    head: photo_head.PhotoHead,
    head_pose: np.ndarray,
    arkit: np.ndarray,
    gaze_in_head: np.ndarray,
) -> list[photo_head.State]:
    """Return the states in which a portrait shows what a renderer is asked to show.

    Ours: lips are shut first, as in `states`; poses are not bent to any limit, so that
    frames can be compared with a renderer's.

    Args:
        head: the portrait.
        head_pose: `[T, 6]` vectors of `types.HeadPose`, of `photo_head.View()`.
        arkit: `[T, 52]` weights.
        gaze_in_head: `[T, 2]` yaw and pitch, radians.

    Returns:
        One for each frame.
    """
    rig = posing.build_rig(head.shape)
    shown = _expressions(arkit, gaze_in_head, head)
    return [
        posing.at_pose(rig, state, wanted)
        for state, wanted in zip(shown, head_pose, strict=True)
    ]


def _expressions(arkit, gaze_in_head, head) -> list[photo_head.State]:
    """Return the states of frames but for where the head is."""
    wanted = gaze_in_head - rest_gaze(head.shape)
    gaze = np.clip(wanted, -LARGEST_GAZE, LARGEST_GAZE)
    arkit = shown_units(arkit)
    return [
        photo_head.State(
            arkit=arkit[frame],
            close_eyes=arkit[frame, _BLINKS].clip(0, 1),
            close_lips=1.0,
            gaze=gaze[frame],
        )
        for frame in range(len(arkit))
    ]
