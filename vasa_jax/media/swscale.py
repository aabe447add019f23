"""How FFmpeg converts colours, for reading and writing videos."""

from av.video.reformatter import Interpolation

CONVERSION = Interpolation.BICUBIC | Interpolation.ACCURATE_RND
CONVERSION |= Interpolation.FULL_CHR_H_INT
"""Ours: swscale's exact chroma arithmetic; its default is off by several levels."""
