"""The movement of filmed people, measured as that of portraits is."""

import functools
import itertools
import pathlib
from collections.abc import Iterator, Sequence

from vasa_jax import media, types
from vasa_jax.evaluation.benchmark import cache
from vasa_jax.evaluation.metrics import expression_curves, movement_statistics

VERSION = "1"
"""Raised when what is measured changes."""


def measure(
    paths: Sequence[pathlib.Path], num_seconds: float, folder: pathlib.Path
) -> Iterator[dict[str, float]]:
    """Yield the movement of filmed people, measured as that of portraits is.

    Args:
        paths: of videos.
        num_seconds: of each, at most.
        folder: existing, for what is found.

    Yields:
        Statistics as of `movement_statistics.statistics`; nothing for videos
        without a face.

    Raises:
        UserError: a video cannot be read.
    """

    most = round(num_seconds * types.FRAME_RATE_HZ)

    def find(path):
        frames = itertools.islice(media.iterate_video(path), most)
        face = expression_curves.follow(frames)
        return {} if face is None else movement_statistics.statistics(face)

    for path in paths:
        key = cache.key("filmed", VERSION, cache.digest_of(path), str(num_seconds))
        if found := cache.kept(folder / f"{key}.json", functools.partial(find, path)):
            yield found
