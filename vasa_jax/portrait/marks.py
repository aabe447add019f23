"""What landmarks tell of a portrait's lips and eyes, which lets them be drawn."""

import numpy as np

from vasa_jax import types
from vasa_jax.portrait import crop, eyes, landmarks, lips


def find_marks(
    face: np.ndarray, found: landmarks.Landmarks, box: crop.CropBox
) -> types.Marks:
    """Find the marks of a portrait.

    Args:
        face: uint8 `[S, S, 3]` the crop.
        found: landmarks of the picture that it was cut out of.
        box: where it was cut.

    Returns:
        The marks, of leading shape `[1]`.
    """
    return types.Marks(
        lips=lips.inner_edge(found.points, box)[None],
        eyes=eyes.take_apart(face, found, box),
    )


def open_marks(batch: int) -> types.Marks:
    """Return open lips and open eyes, where no portrait is at hand."""
    return types.Marks(lips=lips.open_lips(batch), eyes=eyes.open_eyes(batch))
