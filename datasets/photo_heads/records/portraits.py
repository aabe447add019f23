"""The portraits of a folder: which there are, in which split, and made together."""

import dataclasses
import hashlib
import pathlib

from datasets import portrait_split
from datasets.building import source_files

SUFFIXES = (".avif", ".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
"""Ends of names that are taken for pictures, in either case. Ours."""

PORTRAITS_PER_SHARD = 8
"""Mean number of portraits that are made together. Ours: a minute of one core at 256
pixels, which is what a kill costs."""


@dataclasses.dataclass(frozen=True)
class Portrait:
    """One picture of a folder.

    Attributes:
        path: where it lies below the folder, with `/`.
        num_bytes: size of the file.
    """

    path: str
    num_bytes: int

    @property
    def identity(self) -> str:
        """Return who it shows: every picture somebody else, by its path."""
        return str(pathlib.PurePosixPath(self.path).with_suffix(""))

    @property
    def split(self) -> str:
        """Return the split in which all of its clips lie."""
        return portrait_split.split_of(pathlib.PurePosixPath(self.path).stem)


@dataclasses.dataclass(frozen=True)
class Shard:
    """Portraits that are made together, in order."""

    portraits: tuple[Portrait, ...]

    @property
    def num_sources(self) -> int:
        """Return how many they are."""
        return len(self.portraits)

    @property
    def name(self) -> str:
        """Return the stem of its files, which tells its portraits from others'."""
        return _hash("\n".join(f"{p.path}\0{p.num_bytes}" for p in self.portraits))[:20]


def find(folder: pathlib.Path, most: int | None = None) -> list[Portrait]:
    """Find the portraits below a folder.

    Ours: ordered by a hash, so that the first ones are of all kinds.

    Args:
        folder: searched to any depth; hidden files and folders are left out.
        most: how many to take; None takes all.

    Raises:
        UserError: no such folder, or no picture in it.
    """
    files = source_files.find(folder, SUFFIXES, "pictures", "portraits_dir")
    found = [Portrait(path, num_bytes) for path, num_bytes in files]
    return sorted(found, key=lambda portrait: _hash(portrait.path))[:most]


def divide(portraits: list[Portrait]) -> list[Shard]:
    """Divide portraits into shards.

    Ours: a shard ends where a hash of the path says so, so that pictures that come to
    a folder later change only the shards that they fall into.
    """
    shards, held = [], []
    for portrait in portraits:
        held.append(portrait)
        if int(_hash("end " + portrait.path)[:8], 16) % PORTRAITS_PER_SHARD == 0:
            shards.append(Shard(tuple(held)))
            held = []
    return shards + [Shard(tuple(held))] * bool(held)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
