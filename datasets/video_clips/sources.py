"""The videos of a folder: who is in them, and which are made together."""

import dataclasses
import hashlib
import pathlib

from datasets.building import source_files
from datasets.video_clips import settings as settings_lib

SUFFIXES = (
    ".3gp .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .ogv .ts .webm .wmv"
).split()
"""Ends of names that are taken for videos, in either case. Ours."""

MAX_SHARD_BYTES = 2**26
"""Bytes of videos at which a shard ends. Ours: some minutes of one core, which is what
a kill costs."""

MAX_SHARD_VIDEOS = 64
"""Mean number of small videos of a shard in large sets. Ours: VoxCeleb2's million then
make some ten thousand files."""

_SHARDS_WANTED = 64


@dataclasses.dataclass(frozen=True)
class Video:
    """One video.

    Attributes:
        path: where it lies below the input folder, with `/`.
        identity: who is in it; see `identity_of`.
        num_bytes: size of the file.
    """

    path: str
    identity: str
    num_bytes: int


@dataclasses.dataclass(frozen=True)
class Shard:
    """Videos that are made together.

    Attributes:
        videos: in order of their paths.
    """

    videos: tuple[Video, ...]

    @property
    def name(self) -> str:
        """Return the stem of its files, which tells its videos apart from others'."""
        lines = [f"{v.path}\0{v.identity}\0{v.num_bytes}" for v in self.videos]
        return _hash("\n".join(lines)).hex()[:20]


def identity_of(path: pathlib.PurePosixPath, rule: str) -> str:
    """Say who is in a video.

    Follows: VoxCeleb2, `idXXXXX/video/clip.mp4`, for the rule "folder": the first
    folder of the path names the person, and a video that lies in no folder is a
    person of its own, by its name. Rule "file": every video is a person of its own.

    Args:
        path: of the video, below the input folder.
        rule: "folder" or "file".

    Returns:
        The identity's name.
    """
    if rule == "folder" and len(path.parts) > 1:
        return path.parts[0]
    return str(path.with_suffix(""))


def find(folder: pathlib.Path, rule: str) -> list[Video]:
    """Find the videos below a folder.

    Args:
        folder: searched to any depth; hidden files and folders are left out.
        rule: see `identity_of`.

    Returns:
        The videos in order of their paths.

    Raises:
        UserError: no such folder, or no video in it.
    """
    found = []
    for name, num_bytes in source_files.find(folder, SUFFIXES, "videos", "input_dir"):
        path = pathlib.PurePosixPath(name)
        found.append(Video(name, identity_of(path, rule), num_bytes))
    return sorted(found, key=lambda video: video.path)


def divide(videos: list[Video]) -> list[Shard]:
    """Divide videos into shards.

    Ours: a shard ends where a hash of the path says so, so that videos that come to a
    folder later change only the shards that they fall into.

    Args:
        videos: in order of their paths.

    Returns:
        The shards.
    """
    mean = 1
    while mean < MAX_SHARD_VIDEOS and mean * _SHARDS_WANTED * 2 <= len(videos):
        mean *= 2
    shards, held, num_bytes = [], [], 0
    for video in videos:
        held.append(video)
        num_bytes += video.num_bytes
        is_last = int.from_bytes(_hash(video.path)[:4], "big") % mean == 0
        if is_last or num_bytes >= MAX_SHARD_BYTES:
            shards.append(Shard(tuple(held)))
            held, num_bytes = [], 0
    if held:
        shards.append(Shard(tuple(held)))
    return shards


def split_of(video: Video, settings: settings_lib.Settings) -> str:
    """Return the split of a video, its identity's."""
    return settings_lib.split_of(video.identity, settings.held_out_share)


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
