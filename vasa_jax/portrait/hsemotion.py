"""HSEmotion, the published networks by which the paper recognises emotions.

Follows: Savchenko et al. 2022, "Classifying emotions and engagement in online learning
based on a single facial expression recognition neural network", and
av-savchenko/face-emotion-recognition (Apache-2.0). Paper: VASA-1 section 3.2 (emotion).
Ours: of the published files those in ONNX are run as they are, because the others are
pickled modules, which may run any code.
"""

import os
import pathlib

import numpy as np

from vasa_jax import errors, types
from vasa_jax.portrait import face_views, landmark_labels

CLASSES = (
    "anger",
    "contempt",
    "disgust",
    "fear",
    "happiness",
    "neutral",
    "sadness",
    "surprise",
)
"""Order of the scores. Follows: hsemotion-onnx 0.3.1, files of eight classes."""

IMAGE_SIZES = (224, 260)
"""Sides of the faces that EfficientNets B0 and B2 take, pixels. Follows: the published
files; those of other sides have other colours, too."""

NUM_VALENCE = 2
"""Scores after the classes in files that also give valence and arousal."""

_ORDER = [CLASSES.index(name) for name in types.EMOTIONS]

CURE = (
    "give enet_b0_8_best_vgaf.onnx or another file of eight classes of models/"
    "affectnet_emotions/onnx in the repository av-savchenko/face-emotion-recognition"
)


def to_probabilities(scores: np.ndarray) -> np.ndarray:
    """Turn scores into probabilities of `types.EMOTIONS`.

    Args:
        scores: `[8]` or `[10]`, the classes' own order.

    Returns:
        float32 `[8]`.
    """
    return landmark_labels.softmax(scores[: len(CLASSES)])[_ORDER]


class EmotionNetwork:
    """The network, ready to find emotions; one thread, since processes scale better.

    Args:
        path: of the published ONNX file.

    Raises:
        UserError: the file is missing, cannot be read, or is of another network; or the
            package `onnxruntime` is missing.
    """

    def __init__(self, path: str | os.PathLike[str]):
        path = pathlib.Path(path)
        if path.suffix != ".onnx":
            raise errors.UserError(
                f"'{path}' is no ONNX file, and the other published files are programs "
                f"that would run here: {CURE}."
            )
        if not path.is_file():
            raise errors.UserError(f"There is no file '{path}': {CURE}.")
        try:
            # Imported late, because only this network needs it.
            import onnxruntime
            from onnxruntime.capi import onnxruntime_pybind11_state as reasons
        except ImportError as error:
            raise errors.UserError(
                f"The package onnxruntime, which runs '{path}', is missing: "
                "pip install 'vasa_jax[labels]'."
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        unreadable = (reasons.Fail, reasons.InvalidProtobuf, reasons.InvalidGraph)
        try:
            self._session = onnxruntime.InferenceSession(
                path, options, providers=["CPUExecutionProvider"]
            )
        except (*unreadable, reasons.InvalidArgument, reasons.NotImplemented) as error:
            raise errors.UserError(f"'{path}' cannot be read: {CURE}.") from error
        given = self._session.get_inputs()[0]
        self._input, self.image_size = given.name, given.shape[-1]
        if list(given.shape[1:]) not in [[3, side, side] for side in IMAGE_SIZES]:
            raise errors.UserError(
                f"'{path}' takes pictures of shape {given.shape[1:]}, and not of 3 x "
                f"224 x 224 or 3 x 260 x 260: {CURE}."
            )
        blank = np.zeros((self.image_size, self.image_size, 3), np.float32)
        count = len(self._scores(blank))
        if count not in (len(CLASSES), len(CLASSES) + NUM_VALENCE):
            raise errors.UserError(
                f"'{path}' gives {count} scores, and not the {len(CLASSES)} classes, "
                f"contempt among them, with or without valence and arousal: {CURE}."
            )

    def feel(self, face: np.ndarray) -> np.ndarray:
        """Tell the emotion of a face.

        Args:
            face: float32 `[S, S, 3]`, 0 to 255, S of `image_size`, as from
                `face_views.cut`.

        Returns:
            float32 `[8]` probabilities of `types.EMOTIONS`.
        """
        return to_probabilities(self._scores(face_views.normalised(face)))

    def _scores(self, view):
        batch = np.ascontiguousarray(view.transpose(2, 0, 1)[None], np.float32)
        return np.ravel(self._session.run(None, {self._input: batch})[0])
