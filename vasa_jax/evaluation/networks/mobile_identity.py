"""Networks that tell whose face a frame shows, and only measure."""

import os

import jax
import numpy as np

from vasa_jax.animate import rendering
from vasa_jax.evaluation.networks import identity
from vasa_jax.face.losses import mobilefacenet
from vasa_jax.portrait import crop, pose, track


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
    found = identity.cosines(own, np.array(others))
    found = found[~np.isnan(found)]
    return float(found.mean()) if len(found) else np.nan
