"""Where strands run over a head, and the table of noise that draws them."""

import functools

import numpy as np

from datasets.synthetic_heads.person import hair, noise

TABLE_ROWS, TABLE_COLUMNS = 64, 512
"""Cells along and across strands. Ours: one turn around the head is one table."""

_ALONG = 0.07
_CURLY_ALONG = 1.1


@functools.lru_cache(maxsize=1)
def strand_table() -> np.ndarray:
    """Return the fixed noise float32 `[64, 512]`, uniform in [0, 1], of strands.

    Ours: single strands, locks and clumps across, little change along.
    """
    generator = np.random.default_rng(5)
    total = np.zeros((TABLE_ROWS, TABLE_COLUMNS), np.float32)
    for cells, weight in ((512, 0.55), (170, 0.5), (48, 0.45)):
        field = generator.random((TABLE_ROWS // 2, cells), np.float32)
        for _ in range(2):
            field = (field + np.roll(field, 1, 0) + np.roll(field, -1, 0)) / 3
        doubled = np.concatenate([field] * 3, axis=1)
        grown = noise.resized(doubled, TABLE_ROWS, 3 * TABLE_COLUMNS)
        part = grown[:, TABLE_COLUMNS : 2 * TABLE_COLUMNS]
        total += weight * (part - part.mean()) / part.std()
    ranks = np.argsort(np.argsort(total.ravel())) / total.size
    return ranks.reshape(total.shape).astype(np.float32)


def strand_coordinates(style: hair.HairStyle, positions: np.ndarray) -> np.ndarray:
    """Give points `[N, 3]` their (across, along) in whole strand tables.

    Ours: strands follow the way the hair is combed; `across` grows by 1 around the
    head, so that the table closes.
    """
    x, y, z = positions.T
    around = np.arctan2(x, z + 0.1) / (2 * np.pi) + 0.004 * np.sin(y * 7.0)
    fall = y * _ALONG + 0.02 * np.sin(around * 30.0)
    if style.name == "curly":
        return np.stack([around, y * _CURLY_ALONG], axis=-1).astype(np.float32)
    if style.comb == "back":
        rolled = np.arctan2(x, y - 6.5) / np.pi + 0.004 * np.sin(z * 7.0)
        return np.stack([rolled, z * _ALONG], axis=-1).astype(np.float32)
    if style.comb == "side":
        rolled = np.arctan2(z + 0.05, y - 6.3) / np.pi + 0.004 * np.sin(x * 7.0)
        return np.stack([rolled, np.abs(x) * _ALONG], axis=-1).astype(np.float32)
    return np.stack([around, fall], axis=-1).astype(np.float32)


def hanging_coordinates(positions: np.ndarray) -> np.ndarray:
    """Give points of hanging hair `[N, 3]` their (across, along)."""
    x, y, z = positions.T
    around = np.arctan2(x, z - 0.15) / (2 * np.pi)
    around = around + 0.006 * np.sin(y * 4.0)
    return np.stack([around, y * _ALONG], axis=-1).astype(np.float32)
