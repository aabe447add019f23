"""The face of a driving video, cut by one crop throughout."""

import itertools
from collections.abc import Iterable, Iterator

import numpy as np

from vasa_jax import types
from vasa_jax.errors import UserError
from vasa_jax.portrait import crop, locate

LOOK_EVERY_FRAMES = 5
"""Frames from one look for a face to the next before one is found. Ours: a look costs
as much as following a face for a second."""

LOOK_FOR_SECONDS = 20
"""How long a face may be missing at the beginning. Ours: titles are shorter."""


def cut_faces(frames: Iterable[np.ndarray], size: int) -> Iterator[np.ndarray]:
    """Cut the driver's face out of each frame.

    Ours: the crop is that of the first frame that shows a face, so that the head moves
    in it; for the frames before, that first face is repeated.

    Args:
        frames: uint8 `[H, W, 3]` each, of one size.
        size: side of the crops in pixels.

    Returns:
        An iterator of uint8 `[size, size, 3]`, one for each frame.

    Raises:
        UserError: there is no frame, or none of the first `LOOK_FOR_SECONDS` shows a
            face; while iterating, the picture's size changes.
    """
    frames = iter(frames)
    first, box, num_before = _first_face(frames)

    def cuts():
        shown = itertools.chain(itertools.repeat(first, num_before + 1), frames)
        for number, frame in enumerate(shown):
            if frame.shape != first.shape:
                raise UserError(
                    "The picture's size changes in the driving video after "
                    f"{number / types.FRAME_RATE_HZ:.1f} s; cut it there."
                )
            yield crop.extract(frame, box, size)

    return cuts()


def _first_face(frames):
    """Return the first frame with a face, the face's crop and its frame's number."""
    most = LOOK_FOR_SECONDS * types.FRAME_RATE_HZ
    num_seen = 0
    for number, frame in enumerate(itertools.islice(frames, most)):
        num_seen += 1
        if number % LOOK_EVERY_FRAMES:
            continue
        try:
            found = locate.locate_face(frame)
        except UserError:
            continue
        return frame, locate.turn_crop(found).box, number
    if not num_seen:
        raise UserError("The driving video has no frame; give one that plays.")
    raise UserError(
        f"No face was found in the first {num_seen / types.FRAME_RATE_HZ:.1f} s of the "
        "driving video; give one that shows one face from the front, or cut off what "
        "comes before it."
    )
