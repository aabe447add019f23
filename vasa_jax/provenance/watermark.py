"""Put an imperceptible mark into frames.

Ours: none of the registry's packages holds what is needed at a cost that a live page
can pay. See `mark_pattern` for what is put in and `mark_reader` for how it is found.
"""

import einops
import numpy as np
from PIL import Image

from vasa_jax import config
from vasa_jax.provenance import mark_pattern

FLAT_LEVELS, MOST_LEVELS = 1.1, 4.5
"""By how many of 255 levels a cell is lighter or darker where the picture is flat, and
at most. Ours: at 3 levels everywhere dark backgrounds look dirty."""

TEXTURE_GAIN = 0.25
"""Levels for each level of standard deviation in a cell and all around it. Ours: a
reader weighs places by their noise, so the mark may be strong where it hides."""

MOST_GROWTH = 2.0
"""How many times as strong a mark is at most where a frame has fewer cells than the
pattern. Ours: at 256 pixels, twice as strong, all of a dozen clips were found after
H.264 at rate factor 23; 3 as it is at 512."""

REMADE_AFTER = 25
"""Frames after which strengths are found anew. Ours: heads move little in a second."""


class Marker:
    """Marks the frames of one video, in their order.

    Ours: what is added and taken away is drawn once a second; a frame then costs four
    sweeps over its bytes.
    """

    def __init__(self, number: int = 0):
        """Choose what the mark holds.

        Args:
            number: from 0 to 65535.

        Raises:
            UserError: another number.
        """
        config.require(
            0 <= number < mark_pattern.NUMBERS,
            f"The number in the mark is {number}; give one from 0 to "
            f"{mark_pattern.NUMBERS - 1}.",
        )
        self._signs = mark_pattern.signs(number)
        self._num_frames = 0

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Return frames uint8 `[T, H, W, 3]` of one size with the mark in them."""
        marked = np.empty_like(frames)
        for frame, out in zip(frames, marked, strict=True):
            if self._num_frames % REMADE_AFTER == 0:
                drawn = _draw(self._signs, frame)
                self._raised = np.maximum(drawn, 0).astype(np.uint8)
                self._lowered = np.maximum(-drawn, 0).astype(np.uint8)
                self._most = 255 - self._raised
            self._num_frames += 1
            np.minimum(frame, self._most, out=out)
            np.add(out, self._raised, out=out)
            np.maximum(out, self._lowered, out=out)
            np.subtract(out, self._lowered, out=out)
        return marked


def _draw(signs: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Draw what a mark adds to a frame, whole levels, float32 `[H, W, 3]`."""
    height, width = frame.shape[:2]
    strength = _strength(frame)
    rows, columns = strength.shape
    times = [-(-side // mark_pattern.TILE) for side in (rows, columns)]
    cells = np.tile(signs, times)[:rows, :columns] * strength
    # Smooth, as edges of cells show.
    grown = Image.fromarray(np.pad(cells, 1, mode="edge")).resize(
        (mark_pattern.CELL * (columns + 2), mark_pattern.CELL * (rows + 2)),
        Image.BICUBIC,
    )
    inner = slice(mark_pattern.CELL, None)
    drawn = np.rint(np.asarray(grown))[inner, inner][:height, :width]
    return np.repeat(drawn[..., None], 3, axis=-1)


def _strength(frame: np.ndarray) -> np.ndarray:
    """Return how strong the mark may be in each cell, levels `[rows, columns]`."""
    side = mark_pattern.CELL
    pad = [(0, -size % side) for size in frame.shape[:2]]
    green = np.pad(frame[..., 1], pad, mode="edge").astype(np.float32)
    cells = einops.rearrange(green, "(h i) (w j) -> h w (i j)", i=side, j=side)
    texture = np.pad(cells.std(-1), 1, mode="edge")
    height, width = cells.shape[:2]
    # The least of the neighbours', so that nothing spreads from edges into flat skin.
    around = [
        texture[row : row + height, column : column + width]
        for row in range(3)
        for column in range(3)
    ]
    strength = FLAT_LEVELS + TEXTURE_GAIN * np.min(around, axis=0)
    growth = np.clip(mark_pattern.TILE / min(height, width), 1.0, MOST_GROWTH)
    return growth * np.minimum(strength, MOST_LEVELS)
