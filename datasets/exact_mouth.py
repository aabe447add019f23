"""What is exactly known of a frame's mouth, whichever set its record comes from."""

from collections.abc import Mapping

import numpy as np

from datasets.photo_heads.rendering import mouth_truth as photo_mouth_truth
from datasets.photo_heads.rendering import packing
from datasets.synthetic_heads.rendering import mouth_truth


def find(record: Mapping[str, bytes], frame: int) -> dict[str, np.ndarray]:
    """Return the `vasa_jax.face.examples.MOUTH_FIELDS` of a frame by name.

    Args:
        record: of which only `geometry` is read.
        frame: its index.
    """
    is_photo = packing.is_packed(record["geometry"])
    return (photo_mouth_truth if is_photo else mouth_truth).find(record, frame)
