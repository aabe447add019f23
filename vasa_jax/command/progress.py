"""What a command shows while it works: a bar, and warnings above it."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import tqdm


@contextlib.contextmanager
def shown(name: str) -> Iterator[dict[str, Callable[..., Any]]]:
    """Show a bar of frames.

    Args:
        name: of what is done.

    Yields:
        `progress`, called with the frames done and in all (0 if that is not known), and
        `warn`, called with a sentence.
    """
    # The bar stays, so that what is said after it, such as an error, has its own line.
    with tqdm.tqdm(unit="frame", desc=name, delay=0.5) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total or None
            bar.update(done - bar.n)

        def warn(sentence: str) -> None:
            bar.write(f"warning: {sentence}", file=sys.stderr)

        yield {"progress": progress, "warn": warn}
