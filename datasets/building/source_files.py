"""The files of a folder that a set is made of."""

import os
import pathlib
from collections.abc import Collection, Iterator

from vasa_jax import errors


def find(
    folder: pathlib.Path, suffixes: Collection[str], kind: str, flag: str
) -> list[tuple[str, int]]:
    """Find files below a folder by the ends of their names.

    Args:
        folder: searched to any depth; hidden files and folders are left out.
        suffixes: such as `.mp4`, in lower case; files may have either.
        kind: what they are, in the plural, for errors.
        flag: that names the folder, for errors.

    Returns:
        Paths below the folder, with `/`, and sizes in bytes; 0 for a link to nothing,
        which is then named among the files that cannot be read.

    Raises:
        UserError: no such folder, or no such file in it.
    """
    if not folder.is_dir():
        raise errors.UserError(
            f"There is no folder {os.fspath(folder)!r}; give the one that holds the "
            f"{kind} as --{flag}."
        )
    found = list(walk(folder, suffixes))
    if not found:
        raise errors.UserError(
            f"There are no {kind} in {os.fspath(folder)!r}; their names end in one of "
            f"{' '.join(suffixes)}."
        )
    return found


def walk(folder: pathlib.Path, suffixes: Collection[str]) -> Iterator[tuple[str, int]]:
    """Yield files as `find` does, maybe none.

    Args:
        folder, suffixes: as of `find`.

    Yields:
        Path and size.
    """
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            file = pathlib.Path(parent, name)
            if file.suffix.lower() in suffixes and not name.startswith("."):
                num_bytes = file.stat().st_size if file.exists() else 0
                yield file.relative_to(folder).as_posix(), num_bytes
