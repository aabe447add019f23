"""Exact flow between two frames of a record, whichever set it comes from."""

from collections.abc import Mapping

import numpy as np

from datasets.photo_heads.rendering import correspondence as photo_correspondence
from datasets.synthetic_heads.rendering import correspondence


def between(
    driver: Mapping[str, bytes],
    driver_frame: int,
    source: Mapping[str, bytes],
    source_frame: int,
    size: int,
) -> tuple[np.ndarray, ...]:
    """Return the `vasa_jax.face.examples.FLOW_FIELDS` of a pair of frames.

    Args:
        driver, source: records of one person, of which only `geometry` is read.
        driver_frame, source_frame: indices of the frames.
        size: cells along an edge.
    """
    is_photo = photo_correspondence.is_packed(driver["geometry"])
    kind = photo_correspondence if is_photo else correspondence
    return kind.between(driver, driver_frame, source, source_frame, size)
