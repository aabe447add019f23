"""The video files at hand, found by name in whatever folders they lie."""

import hashlib
import pathlib
import re
from collections.abc import Iterable, Mapping, Sequence

from datasets.building import shard_files, source_files
from vasa_jax import errors

SUFFIXES = (
    ".3gp .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .ogv .ts .webm .wmv"
).split()
"""Ends of names that are taken for videos, in either case. Ours."""

SOUND_SUFFIXES = ".aac .flac .m4a .mp3 .wav".split()
"""Ends of names that are taken for sounds that lie apart, in either case. Ours."""


_POINTER, _POINTER_BYTES = b"version https://git-lfs", 1024


class VideoFiles:
    """Files below a folder.

    Args:
        sizes: bytes of each file, by its path below the folder, with `/`.
        folder: where they lie; readers that only go by names do without.
    """

    def __init__(self, sizes: Mapping[str, int], folder: pathlib.Path = pathlib.Path()):
        self.sizes = dict(sizes)
        self.folder = folder
        self._by_ending: dict[int, dict[str, list[str]]] = {}

    @property
    def videos(self) -> list[str]:
        """Return the paths of the videos, in order."""
        return sorted(path for path in self.sizes if _suffix(path) in SUFFIXES)

    def video(self, *names: str) -> str:
        """Find the one video of a name.

        Args:
            names: any of them, the end of a path without its suffix, such as `a/1`.

        Raises:
            shard_files.UnfitError: there is none, or more than one.
        """
        found = self._find(names, SUFFIXES)
        wanted = " or ".join(names)
        if not found:
            raise shard_files.UnfitError(
                "without a file", f"no video below the folder is named {wanted}"
            )
        if len(found) > 1:
            raise shard_files.UnfitError(
                "with several files", f"{' and '.join(found)} are all named {wanted}"
            )
        return found[0]

    def has_video(self, name: str) -> bool:
        """Tell whether a video has a name."""
        return bool(self._find([name], SUFFIXES))

    def sound(self, name: str) -> str | None:
        """Return the first sound of a name that lies apart, or None."""
        return next(iter(self._find([name], SOUND_SUFFIXES)), None)

    def refuse_pointer(self, path: str) -> None:
        """Refuse a file that only says where large-file storage has the real one.

        Args:
            path: of the file, below the folder.

        Raises:
            shard_files.UnfitError: it is such a pointer.
        """
        if self.sizes[path] > _POINTER_BYTES:
            return
        with open(self.folder / path, "rb") as file:
            if file.read(len(_POINTER)) == _POINTER:
                raise shard_files.UnfitError(
                    "that are only pointers",
                    f"{path} names a file of large-file storage; fetch it by "
                    "`git lfs pull`",
                )

    def equal_files(self, paths: Iterable[str]) -> dict[str, list[str]]:
        """Return, for each file that has equals, all files of the same bytes.

        Args:
            paths: below the folder.
        """
        by_size, by_digest = {}, {}
        for path in paths:
            by_size.setdefault(self.sizes[path], []).append(path)
        for path in (path for same in by_size.values() if same[1:] for path in same):
            with open(self.folder / path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            by_digest.setdefault(digest, []).append(path)
        return {path: same for same in by_digest.values() if same[1:] for path in same}

    def _find(self, names: Sequence[str], suffixes: Sequence[str]) -> list[str]:
        return [
            path
            for name in names
            for path in self._of_depth(name.count("/") + 1).get(name, [])
            if _suffix(path) in suffixes
        ]

    def _of_depth(self, depth: int) -> Mapping[str, list[str]]:
        """Return the paths by their last parts, made when first asked for."""
        if depth not in self._by_ending:
            found: dict[str, list[str]] = {}
            for path in sorted(self.sizes):
                parts = path.removesuffix(pathlib.PurePosixPath(path).suffix).split("/")
                found.setdefault("/".join(parts[-depth:]), []).append(path)
            self._by_ending[depth] = found
        return self._by_ending[depth]


def find(folder: pathlib.Path) -> VideoFiles:
    """Find videos, and sounds that lie apart, below a folder.

    Args:
        folder: searched to any depth; hidden files and folders are left out.

    Raises:
        UserError: no such folder, or no video in it, or only parts of an archive.
    """
    try:
        videos = source_files.find(folder, SUFFIXES, "videos", "input_dir")
    except errors.UserError:
        parts = sorted(path for path, _ in source_files.walk(folder, [""]))
        parts = [path for path in parts if re.search(r"_part[a-z]{2}$", path)]
        if not parts:
            raise
        raise errors.UserError(
            f"{parts[0]!r} and {len(parts) - 1} more in {str(folder)!r} are parts of "
            "one archive and no videos; join them in order with cat, unpack what comes "
            "of it, and give that folder as --input_dir."
        ) from None
    sounds = source_files.walk(folder, SOUND_SUFFIXES)
    return VideoFiles(dict([*videos, *sounds]), folder)


def _suffix(path: str) -> str:
    return pathlib.PurePosixPath(path).suffix.lower()
