"""A file is written beside its place and takes it only when it is whole."""

import contextlib
import os
import pathlib
from collections.abc import Iterator

from vasa_jax import errors

_STEM_LETTERS = 40


@contextlib.contextmanager
def written_beside(path: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
    """Give a path to write to; rename it at a clean exit, remove it at an error.

    Ours: so that a program which fails or is stopped never leaves half a file where
    a user would take it for a result, nor destroys the result that stood there.

    Args:
        path: where the file shall stand at the end; an older file is replaced.

    Yields:
        A path in the same folder, with the same suffix.

    Raises:
        UserError: the folder is missing or cannot be written, or `path` is a folder.
    """
    partial = _begin(pathlib.Path(path))
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def check_place(path: str | os.PathLike[str]) -> None:
    """Refuse, as `written_beside` would, a place that cannot be written.

    Ours: so that a program tells of it before it has worked for hours.

    Args:
        path: where a file shall stand at the end.

    Raises:
        UserError: as of `written_beside`.
    """
    _begin(pathlib.Path(path)).unlink(missing_ok=True)


def _begin(path: pathlib.Path) -> pathlib.Path:
    """Create the empty file that is to be renamed."""
    if os.path.isdir(path):
        raise errors.UserError(f"Cannot write {path}: it is a folder; name a file.")
    if not os.path.isdir(path.parent):
        raise errors.UserError(
            f"Cannot write {path}: the folder {path.parent} does not exist; create it "
            "or name another."
        )
    # A name may have 255 bytes, and `path` may use them all.
    stem = path.stem[:_STEM_LETTERS]
    partial = path.with_name(f".{stem}.{os.getpid()}.partial{path.suffix}")
    try:
        with contextlib.suppress(FileNotFoundError):
            path.lstat()  # tells of a name that is too long
        partial.touch()
    except OSError as error:
        raise errors.UserError(
            f"Cannot write {path}: {error.strerror}; name a place that can be written."
        ) from error
    return partial
