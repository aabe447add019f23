"""The pattern of the mark: which cells hold what, and with which sign.

Ours: a spread spectrum. Every cell of `CELL` pixels is a little lighter or darker by a
fixed random sign. A part of the cells is the same in all marks and is what a reader
finds; the others hold a number of 16 bits, a byte in each half of them, by one of 256
random patterns: the nearest of 256 is told from correlations whatever single cells have
become, which is a code that mends errors.
"""

import functools
import hashlib

import numpy as np

CELL = 8
"""Side of a cell, pixels of the frame. Ours: a block of H.264, so that coarse
quantisation keeps its mean."""

TILE = 64
"""Cells a side of the pattern, which repeats beyond. Ours: 512 pixels, a frame."""

NUM_BYTES = 2
"""Bytes that a mark holds."""

NUMBERS = 256**NUM_BYTES
"""How many numbers a mark can hold."""

_SYNC, _SHARE_OF_SYNC = 0, 2  # half of the cells
_SEED = b"vasa_jax mark 1"


def _random_bytes(count: int, label: bytes) -> np.ndarray:
    """Return bytes that are the same for ever, on every machine and NumPy."""
    found = hashlib.shake_256(_SEED + label).digest(count)
    return np.frombuffer(found, np.uint8)


@functools.cache
def groups() -> np.ndarray:
    """Return what each cell holds, `[TILE, TILE]`: 0 is found, k holds byte k."""
    drawn = _random_bytes(TILE * TILE, b"groups").reshape(TILE, TILE)
    part = drawn % (_SHARE_OF_SYNC * NUM_BYTES)
    return np.where(part < NUM_BYTES, part + 1, _SYNC)


@functools.cache
def sync_signs() -> np.ndarray:
    """Return the signs that a reader looks for; 0 in other cells, `[TILE, TILE]`."""
    signs = _signs(_random_bytes(TILE * TILE // 8, b"sync")).reshape(TILE, TILE)
    return np.where(groups() == _SYNC, signs, np.float32(0.0))


@functools.cache
def byte_signs(place: int) -> np.ndarray:
    """Return the signs of the cells of a byte, by its value, `[256, cells]`."""
    count = int((groups() == place + 1).sum())
    label = b"byte %d" % place
    drawn = _random_bytes(256 * (count // 8 + 1), label).reshape(256, -1)
    return np.stack([_signs(row)[:count] for row in drawn])


def signs(number: int) -> np.ndarray:
    """Return the signs of all cells of a mark, float32 `[TILE, TILE]`.

    Args:
        number: that it holds, from 0 to `NUMBERS` - 1.
    """
    found = sync_signs().copy()
    for place, value in enumerate(number.to_bytes(NUM_BYTES, "big")):
        found[groups() == place + 1] = byte_signs(place)[value]
    return found.astype(np.float32)


def _signs(values: np.ndarray) -> np.ndarray:
    return 2.0 * np.unpackbits(values).astype(np.float32) - 1.0
