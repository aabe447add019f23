"""What was found about a file is kept as JSON under a name that tells what it is of."""

import hashlib
import json
import os
import pathlib
from collections.abc import Callable
from typing import Any

from vasa_jax import errors, media

VERSION = 5
"""Raised when what is kept, or how it is found, changes."""

BLOCK_BYTES = 2**20
"""Bytes of a file that are read at once. Ours: bounds memory."""


def digest_of(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file's bytes, as hexadecimal digits.

    Raises:
        UserError: it cannot be read.
    """
    found = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while block := file.read(BLOCK_BYTES):
                found.update(block)
    except OSError as error:
        raise errors.UserError(
            f"The file {path} cannot be read ({error.strerror}); check the path."
        ) from error
    return found.hexdigest()


def key(kind: str, *parts: str) -> str:
    """Return the name under which something is kept."""
    text = "\n".join([str(VERSION), kind, *parts])
    return f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def kept(path: pathlib.Path, find: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the JSON of a file, or find it and write the file.

    Ours: a file that does not hold JSON, left by a full disk, is found again.

    Args:
        path: in an existing folder.
        find: returns what JSON can hold.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        pass
    found = find()
    with media.written_beside(path) as beside:
        beside.write_text(json.dumps(found), encoding="utf-8")
    return found
