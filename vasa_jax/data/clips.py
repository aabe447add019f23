"""Frames of a clip's record, whichever way it keeps them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vasa_jax import media


def read_frames(
    record: Mapping[str, Any], indices: Sequence[int] | None = None
) -> np.ndarray:
    """Return all or some frames of a record.

    Ours: `video` is a file in bytes or an array of frames, which needs no decoder and
    is a hundred times as large.

    Args:
        record: has `video`.
        indices: frames wanted; None for all.

    Returns:
        uint8 `[T, H, W, 3]`.

    Raises:
        UserError: a file that is broken.
    """
    video = record["video"]
    if isinstance(video, np.ndarray):
        return np.array(video if indices is None else video[np.asarray(indices)])
    return media.decode_video(video, indices)
