"""Frames that videos are written of and read back to."""

import numpy as np


def waves(num_frames=30, height=48, width=64):
    """Return smooth moving frames, all different."""
    t, y, x = np.meshgrid(
        np.arange(num_frames), np.arange(height), np.arange(width), indexing="ij"
    )
    red = np.sin(x / 12 + t / 5)
    green = np.sin(y / 9 + t / 7)
    blue = np.cos((x + y) / 20)
    return np.round(127 + 110 * np.stack([red, green, blue], -1)).astype(np.uint8)


def numbered(num_frames, size=32):
    """Return grey frames whose level tells their number."""
    levels = np.arange(num_frames, dtype=np.uint8) * 4 + 20
    return np.broadcast_to(
        levels[:, None, None, None], (num_frames, size, size, 3)
    ).copy()


def numbers(frames):
    """Return the numbers of frames of `numbered`."""
    return [round((float(frame.mean()) - 20) / 4) for frame in frames]


def psnr(one, other):
    """Return how alike frames in 0 to 255 are, decibels."""
    error = np.mean(np.square(one.astype(np.float64) - other))
    return 10 * np.log10(255**2 / error)
