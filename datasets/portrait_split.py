"""Which portraits are kept for validation, told by their file names alone."""

import hashlib
import pathlib

TRAIN, VALIDATION = "train", "validation"

VALIDATION_BYTES = 26
"""First bytes of a hash, of 256, whose portraits are for validation. Ours: a tenth."""


def split_of(name: str) -> str:
    """Return the split of a portrait, `TRAIN` or `VALIDATION`.

    Ours: by a hash of the name before any filter, so that a folder may grow, a filter
    may change and a picture may be stored in another format, and no face changes sides.

    Args:
        name: of its file; folders and the suffix do not count.
    """
    stem = pathlib.PurePath(name).stem
    first = hashlib.sha256(stem.encode("utf-8", "surrogateescape")).digest()[0]
    return VALIDATION if first < VALIDATION_BYTES else TRAIN
