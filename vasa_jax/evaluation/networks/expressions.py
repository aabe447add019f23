"""Which expression a face shows, by a network that takes no part in training.

Follows: facex 1.1.0 (MIT), seven expressions.
"""

import os
import pathlib
from collections.abc import Mapping

import numpy as np

from vasa_jax import errors
from vasa_jax.evaluation.metrics import frame_similarity, sharpness
from vasa_jax.portrait import networks, resample, track

CLASSES = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
"""In the order of the network's outputs. Follows: facex."""

NUM_PICKED = 5
"""Frames of a clip that are looked at. Ours: they look alike."""

LEAST_SCORE = 1e-6
"""Below which scores are not told apart. Ours: they are 32-bit shares."""


class ExpressionNetwork:
    """The expression network of facex.

    Args:
        path: its TensorFlow Lite file.

    Raises:
        UserError: the file is missing, or holds another network.
    """

    def __init__(self, path: str | os.PathLike[str]):
        path = pathlib.Path(path)
        cure = "give model_optimized.tflite of the PyPI package facex 1.1.0"
        if not path.is_file():
            raise errors.UserError(f"There is no file '{path}': {cure}.")
        try:
            self._network = networks.Network(path)
            (scores,) = self._network(np.zeros((self._network.size,) * 2 + (3,)))
        except ValueError as error:
            raise errors.UserError(
                f"'{path}' holds no network of expressions: {cure}."
            ) from error
        if scores.shape != (len(CLASSES),):
            raise errors.UserError(f"'{path}' holds another network: {cure}.")

    def scores(self, frames: np.ndarray) -> np.ndarray:
        """Return the mean scores of some frames of a clip.

        Ours: the square around the outline of the face, where facex takes the box of a
        detector of its own; in grey, as facex does.

        Args:
            frames: uint8 `[n, H, W, 3]`.

        Returns:
            `[7]` of sum 1, in the order of `CLASSES`; not numbers without a face.
        """
        picks = np.unique(np.linspace(0, len(frames) - 1, NUM_PICKED).astype(int))
        found = []
        for frame in frames[picks]:
            seen = track.follow(frame, None)
            if seen is not None:
                found.append(self._look(frame, seen.points[list(sharpness.OVAL), :2]))
        return np.mean(found, axis=0) if found else np.full(len(CLASSES), np.nan)

    def _look(self, frame: np.ndarray, outline: np.ndarray) -> np.ndarray:
        low, high = outline.min(axis=0), outline.max(axis=0)
        side = float((high - low).max())
        left, top = (low + high - side) / 2
        size = self._network.size
        grey = (frame @ frame_similarity.LUMA)[..., None] / 255
        face = resample.sample_window(grey, left, top, side, side, size, size)
        return self._network(np.repeat(face, 3, axis=-1))[0]


def share_named(scores: Mapping[str, np.ndarray]) -> float:
    """Return the share of emotions that the network names.

    Args:
        scores: `[7]` by the emotion that was asked for.
    """
    named = [CLASSES[int(np.argmax(s))] == asked for asked, s in scores.items()]
    is_known = all(np.isfinite(s).all() for s in scores.values())
    return float(np.mean(named)) if is_known else np.nan


def share_rising(scores: Mapping[str, np.ndarray], neutral: np.ndarray) -> float:
    """Return the share of emotions whose own score rises most since the neutral face.

    Ours: a face may look sad by nature; what was asked for is what changes. By chance
    one in as many emotions.

    Args:
        scores: `[7]` by the emotion that was asked for.
        neutral: `[7]` of the same face without an emotion.
    """
    logs = {asked: np.log(s + LEAST_SCORE) for asked, s in scores.items()}
    rises = {asked: log - np.log(neutral + LEAST_SCORE) for asked, log in logs.items()}
    return share_named(rises)
