"""What landmarks show of a portrait's lips and eyes, which lets them be drawn."""

import numpy as np

from vasa_jax import errors, types
from vasa_jax.portrait import crop, eyes, landmarks, lips, locate, mouths


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
    seen = eyes.take_apart(face, found, box)
    points = eyes.in_crop(found.points, box, len(face))
    return types.Marks(
        lips=lips.inner_edge(found.points, box)[None],
        teeth=mouths.paint_teeth(face, points, eyes.find_sclera(seen)),
        eyes=seen,
    )


def find_in_cut(face: np.ndarray) -> types.Marks | None:
    """Find the marks of a face that is cut already; None where none is found.

    Args:
        face: uint8 `[S, S, 3]`.
    """
    try:
        found = locate.locate_face(face)
    except errors.UserError:
        return None
    whole = crop.CropBox.of_whole(*face.shape[:2])
    return find_marks(face, found.landmarks, whole)


def open_marks(batch: int) -> types.Marks:
    """Return open lips and open eyes, where no portrait is at hand."""
    return types.Marks(
        lips=lips.open_lips(batch),
        teeth=mouths.plain_teeth(batch),
        eyes=eyes.open_eyes(batch),
    )
