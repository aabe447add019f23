"""What a clip's record tells of its conditions: main gaze and emotion."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from vasa_jax import types

GAZE_BIN_DEGREES = 5.0
"""Side of a cell of the gaze histogram. Ours: half of what gaze estimates err by."""


def gaze(record: Mapping[str, Any]) -> np.ndarray:
    """Return the main gaze of a clip, `[2]` radians, camera frame.

    Ours: not a number where nothing tells it; training drops that condition.

    Args:
        record: `main_gaze` `[2]`, or `gaze` `[T, 2]`, or neither.
    """
    if "main_gaze" in record:
        return np.asarray(record["main_gaze"], np.float32)
    if "gaze" in record:
        return main_direction(np.asarray(record["gaze"]))
    return np.full(2, np.nan, np.float32)


def main_direction(directions: np.ndarray) -> np.ndarray:
    """Reduce the gaze of every frame to the one direction that is held longest.

    Paper: VASA-1 section 3.2 and appendix: clustering by a simple histogram. Ours: the
    mean over the fullest cell and its neighbours, so that where cells end hardly
    matters.

    Args:
        directions: `[T, 2]` yaw and pitch, radians; frames in which they are not a
            number are left out.

    Returns:
        float32 `[2]`, not a number where no frame tells it.
    """
    directions = directions[np.isfinite(directions).all(axis=1)]
    if not len(directions):
        return np.full(2, np.nan, np.float32)
    cells = np.floor(np.degrees(directions) / GAZE_BIN_DEGREES).astype(int)
    found, counts = np.unique(cells, axis=0, return_counts=True)
    fullest = found[counts.argmax()]
    is_near = (np.abs(cells - fullest) <= 1).all(axis=1)
    return directions[is_near].mean(axis=0).astype(np.float32)


def emotion(record: Mapping[str, Any]) -> np.ndarray:
    """Return a score for each class of `types.EMOTIONS`, float32 `[8]`.

    Ours: a performed emotion scores its strength, and neutral nothing, as
    `Controls.emotion_vector` says it; not a number where nothing tells the emotion,
    and training drops that condition, as an animation without a wish does.

    Args:
        record: `emotion`, a class index with `emotion_strength` or scores `[8]`, such
            as probabilities that an estimator tells, or none.
    """
    num_classes = len(types.EMOTIONS)
    if "emotion" not in record:
        return np.full(num_classes, np.nan, np.float32)
    scores = np.array(record["emotion"], np.float32)
    if not scores.ndim:
        strength = np.float32(record.get("emotion_strength", 1.0))
        scores = strength * np.eye(num_classes, dtype=np.float32)[int(scores)]
    scores[types.EMOTIONS.index("neutral")] = 0.0
    return scores
