"""Find a mark in frames that were encoded, scaled or cropped, and read its number.

Ours: what is the same in all frames is what a mark and still backgrounds leave of their
mean. What differs from its surroundings in it is made equally strong everywhere, so
that flat places count as much as hair; for each scale it is folded onto the pattern's
tile and compared with the part of the pattern that all marks share, at all shifts at
once.
"""

import dataclasses
import functools

import numpy as np
from PIL import Image

from vasa_jax.provenance import mark_pattern

FRAMES = 50
"""Frames whose mean is read. Ours: two seconds."""

READ_CELL = 4
"""Side of a cell when it is read, pixels. Ours: half of the frame's; what is finer does
not survive encoding."""

THRESHOLD = 6.5
"""Score, in standard deviations over all shifts, from which a mark counts as found."""

FALSE_ALARMS = "one of 200 clips without it came so far, in one of six encodings"
"""How often there is none. Ours: as measured, see docs/provenance.md."""

USUAL_SCALES = (1.0, 0.5, 0.75, 2 / 3, 1.25, 1.5, 0.8, 0.6, 0.4)
"""Scales tried first. Ours: what players and sites scale to."""

FINE_SCALES = np.geomspace(0.4, 1.6, 140)
"""All others. Ours: a percent apart, so that cells at the edges of a frame lie at most
a sixth of a cell beside their places."""

FINE_REACH, EVEN_REACH = 3, 4
"""Pixels around each whose mean is taken away, and over which the rest is made even.
Ours: the lowest score of a dozen moved photographs, cropped or halved and encoded at
rate factor 23, was 10.1; with the spectrum made white, as usual, 4.0."""

LEAST_ENERGY = 0.01
"""Added to squares of levels, so that nothing is divided by zero. Ours."""

LEAST_BYTE_SCORE = 4.2
"""Score from which the number counts as read. Ours: of 256 random patterns the best
scores 2.8 on the average, and 4.2 or more once in 300 times."""


@dataclasses.dataclass(frozen=True)
class FoundMark:
    """What a reader found.

    Attributes:
        score: how far the best place stands out, standard deviations.
        scale: of the picture against the frame that was marked.
        number: that the mark holds; None where it cannot be read.
    """

    score: float
    scale: float
    number: int | None

    @property
    def is_present(self) -> bool:
        """Whether this is a mark."""
        return self.score >= THRESHOLD


def read(frames: np.ndarray) -> FoundMark:
    """Look for a mark.

    Args:
        frames: uint8 `[T, H, W, 3]`; see `FRAMES`.
    """
    mean = frames.mean((0, 3), dtype=np.float32)
    evened = _evened(mean)
    best = _best(evened, USUAL_SCALES)
    if not best[0] >= THRESHOLD:
        best = max(best, _best(evened, FINE_SCALES), key=lambda found: found[0])
    score, scale, folded = best
    number = _read_number(folded) if score >= THRESHOLD else None
    return FoundMark(score=score, scale=scale, number=number)


def _best(evened, scales):
    found = [_find(evened, scale) for scale in scales]
    return max(found, key=lambda one: one[0])


def _find(evened, scale):
    """Return the score at a scale, the scale, and the picture shifted into place."""
    factor = READ_CELL / (mark_pattern.CELL * scale)
    size = [max(READ_CELL * 4, round(side * factor)) for side in evened.shape[::-1]]
    folded = _fold(np.asarray(Image.fromarray(evened).resize(size, Image.BICUBIC)))
    spectrum = np.fft.rfft2(folded) * _sync_spectrum()
    agreement = np.fft.irfft2(spectrum, folded.shape)
    peak = np.unravel_index(agreement.argmax(), agreement.shape)
    score = float(agreement[peak] / (agreement.std() + 1e-12))
    return score, float(scale), np.roll(folded, [-shift for shift in peak], (0, 1))


def _evened(picture: np.ndarray) -> np.ndarray:
    """Leave what differs from its surroundings, equally strong everywhere."""
    fine = picture - _box_mean(picture, FINE_REACH)
    energy = _box_mean(np.square(fine), EVEN_REACH)
    return (fine / np.sqrt(energy + LEAST_ENERGY)).astype(np.float32)


def _box_mean(values: np.ndarray, reach: int) -> np.ndarray:
    """Average `[H, W]` over squares of `2 reach + 1` around each."""
    side = 2 * reach + 1
    for axis in (0, 1):
        pad = [(reach + 1, reach) if axis == here else (0, 0) for here in (0, 1)]
        total = np.cumsum(np.pad(values, pad, mode="reflect"), axis, np.float64)
        ends = np.arange(side, total.shape[axis])
        values = (total.take(ends, axis) - total.take(ends - side, axis)) / side
    return values


def _fold(picture: np.ndarray) -> np.ndarray:
    """Add up what falls on the same place of the tile."""
    side = READ_CELL * mark_pattern.TILE
    height, width = (-(-size // side) * side for size in picture.shape)
    padded = np.zeros((height, width), np.float32)
    padded[: picture.shape[0], : picture.shape[1]] = picture
    return padded.reshape(height // side, side, width // side, side).sum((0, 2))


@functools.cache
def _sync_spectrum():
    cells = np.ones((READ_CELL, READ_CELL), np.float32)
    return np.conj(np.fft.rfft2(np.kron(mark_pattern.sync_signs(), cells)))


def _read_number(folded: np.ndarray) -> int | None:
    """Read the number of a picture that lies in place; None where it is not clear."""
    tile = mark_pattern.TILE
    cells = folded.reshape(tile, READ_CELL, tile, READ_CELL).mean((1, 3))
    values = []
    for place in range(mark_pattern.NUM_BYTES):
        held = cells[mark_pattern.groups() == place + 1]
        agreement = mark_pattern.byte_signs(place) @ held
        value = int(agreement.argmax())
        if agreement[value] < LEAST_BYTE_SCORE * np.linalg.norm(held):
            return None
        values.append(value)
    return int.from_bytes(bytes(values), "big")
