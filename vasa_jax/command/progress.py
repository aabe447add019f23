"""What a command shows while it works: a bar, and warnings above it."""

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

import tqdm


@contextlib.contextmanager
def shown(name: str) -> Iterator[Any]:
    """Show a bar of frames.

    Args:
        name: of what is done.

    Yields:
        The `Listener` to whom the frames and the warnings are told.
    """
    # Imported late, so that `--help` and mistakes in words answer at once.
    from vasa_jax.animate import video_files

    # The bar stays, so that what is said after it, such as an error, has its own line.
    with tqdm.tqdm(unit="frame", desc=name, delay=0.5) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total or None
            bar.update(done - bar.n)

        def warn(sentence: str) -> None:
            bar.write(f"warning: {sentence}", file=sys.stderr)

        yield video_files.Listener(warn=warn, progress=progress)
