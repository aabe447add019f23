"""What is exactly known of a frame's mouth and eyes, whichever set it comes from."""

from collections.abc import Mapping

import numpy as np

from datasets.photo_heads.rendering import eye_truth as photo_eye_truth
from datasets.photo_heads.rendering import mouth_truth as photo_mouth_truth
from datasets.photo_heads.rendering import packing, posing
from datasets.synthetic_heads.person import geometry
from datasets.synthetic_heads.rendering import correspondence, eye_truth, mouth_truth


def find(record: Mapping[str, bytes], frame: int) -> dict[str, np.ndarray]:
    """Return the `vasa_jax.face.examples.FEATURE_FIELDS` of a frame by name.

    Args:
        record: of which only `geometry` is read.
        frame: its index.
    """
    packed = record["geometry"]
    if packing.is_packed(packed):
        photo = packing.unpack(packed)
        known = posing.build_rig(photo.shape), photo.state(frame), photo.view
        return photo_mouth_truth.find(*known) | photo_eye_truth.find(*known)
    clip = correspondence.unpack_geometry(packed)
    shape = geometry.build_geometry(clip.identity_seed, clip.exaggeration)
    posed = geometry.pose_head(shape, clip.state(frame))
    known = shape, posed, clip.camera
    return mouth_truth.find(*known) | eye_truth.find(*known)
