"""What clips are cut from: who is in which split, and what is made together."""

import dataclasses
import hashlib
import pathlib
from collections.abc import Mapping, Sequence

from datasets.published_sets import clips, video_files
from datasets.video_clips import settings as settings_lib

MAX_SHARD_BYTES = 2**26
"""Bytes of videos at which a shard ends. Ours: some minutes of one core, which is what
a kill costs."""

MAX_SHARD_VIDEOS = 64
"""Mean number of small videos of a shard in large sets. Ours: VoxCeleb2's million then
make some ten thousand files."""

_SHARDS_WANTED = 64


@dataclasses.dataclass(frozen=True)
class Source:
    """What clips are cut from: a video, or the segment of it that a set names.

    Attributes:
        clip: which.
        num_bytes: size of the video.
    """

    clip: clips.Clip
    num_bytes: int

    @property
    def line(self) -> str:
        """Return all that its clips are made by.

        Ours: what is as in a plain folder is left out, so that sets of such folders
        keep the names of their shards.
        """
        clip = self.clip
        parts = [clip.video, clip.identity, str(self.num_bytes)]
        plain = {"name": clip.video, "video": clip.video, "person": clip.person}
        for field in dataclasses.fields(clip):
            value = getattr(clip, field.name)
            usual = plain.get(field.name, field.default)
            if field.name != "source_video" and value != usual:
                parts.append(f"{field.name}={value}")
        return "\0".join(parts)


@dataclasses.dataclass(frozen=True)
class Shard:
    """Sources that are made together.

    Attributes:
        sources: in order of their videos.
    """

    sources: tuple[Source, ...]

    @property
    def num_sources(self) -> int:
        """Return how many they are."""
        return len(self.sources)

    @property
    def name(self) -> str:
        """Return the stem of its files, which tells its sources from others'."""
        return _hash("\n".join(source.line for source in self.sources)).hex()[:20]


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


def read_folder(rule: str, videos: video_files.VideoFiles) -> clips.Reading:
    """Take every video of a folder for a clip, as a reader of a set does.

    Args:
        rule: see `identity_of`.
        videos: of the folder.

    Returns:
        The videos; none is left out.
    """
    found = []
    for name in videos.videos:
        person = identity_of(pathlib.PurePosixPath(name), rule)
        clip = clips.Clip(name=name, video=name, source_video=name, person=person)
        found.append(clip)
    return clips.Reading(tuple(found))


def divide(found: Sequence[clips.Clip], sizes: Mapping[str, int]) -> list[Shard]:
    """Divide what clips are cut from into shards.

    Ours: a shard ends where a hash of the video's path says so, so that videos that
    come to a folder later change only the shards that they fall into.

    Args:
        found: in order of their videos.
        sizes: bytes of each video.

    Returns:
        The shards.
    """
    mean = 1
    while mean < MAX_SHARD_VIDEOS and mean * _SHARDS_WANTED * 2 <= len(found):
        mean *= 2
    shards, held, num_bytes = [], [], 0
    for clip in found:
        held.append(Source(clip, sizes[clip.video]))
        num_bytes += sizes[clip.video]
        is_last = int.from_bytes(_hash(clip.video)[:4], "big") % mean == 0
        if is_last or num_bytes >= MAX_SHARD_BYTES:
            shards.append(Shard(tuple(held)))
            held, num_bytes = [], 0
    if held:
        shards.append(Shard(tuple(held)))
    return shards


def apart_from_own_parts(found: Sequence[clips.Clip], share: float) -> list[clips.Clip]:
    """Keep out of a set's own parts who would be drawn into them.

    Ours: others measure on such a part, and it stays what it is for them.

    Args:
        found: of which some have a split.
        share: see `settings.Settings.held_out_share`.

    Returns:
        The clips in order, "train" where the drawn split is a part of the set's own.
    """
    own = {clip.split for clip in found} - {None}
    return [
        dataclasses.replace(clip, split="train")
        if clip.split is None and settings_lib.split_of(clip.identity, share) in own
        else clip
        for clip in found
    ]


def split_of(clip: clips.Clip, settings: settings_lib.Settings) -> str:
    """Return the split of a clip: its own, or that of its identity."""
    drawn = settings_lib.split_of(clip.identity, settings.held_out_share)
    return clip.split or drawn


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
