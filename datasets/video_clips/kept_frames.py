"""A video that is gone through twice, and decoded once where memory allows."""

from collections.abc import Callable, Iterator

import numpy as np

MOST_BYTES = 2**29
"""Of the frames that are kept. Ours: half a GB a process, some 20 s of 640 x 480 and
3.4 s of 1920 x 1080."""


class Video:
    """The frames of a segment of a video.

    Args:
        iterate: yields its frames uint8 `[H, W, 3]`; takes `warn`, which is called with
            a sentence where some of it is lost.
        most_bytes: how much may be kept.
    """

    def __init__(
        self,
        iterate: Callable[..., Iterator[np.ndarray]],
        most_bytes: int = MOST_BYTES,
    ):
        self._iterate = iterate
        self._most_bytes = most_bytes
        self._kept: list[np.ndarray] | None = None

    def read(self, warn: Callable[[str], None]) -> Iterator[np.ndarray]:
        """Yield the frames for the first time."""
        kept, num_bytes = [], 0
        for frame in self._iterate(warn=warn):
            num_bytes += frame.nbytes
            if num_bytes <= self._most_bytes:
                kept.append(frame)
            else:
                kept.clear()
            yield frame
        if num_bytes <= self._most_bytes:
            self._kept = kept

    def read_again(self) -> Iterator[np.ndarray]:
        """Yield the same frames; those of a long video are decoded again."""
        if self._kept is None:
            return self._iterate(warn=_hear)
        return iter(self._kept)


def _hear(sentence: str) -> None:
    """Say nothing: the first reading has said it."""
