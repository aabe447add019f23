"""CREMA-D: actors say twelve sentences with six emotions; voices lie apart as wav.

Follows: CheyneyComputerScience/CREMA-D (`VideoFlash/1001_DFA_ANG_XX.flv`,
`AudioWAV/1001_DFA_ANG_XX.wav`, `processedResults/summaryTable.csv`). The label is the
emotion that was acted. Where the table of votes is at hand it counts only if most of
those who saw and heard the clip agree; otherwise the clip has no label.
"""

import functools
import pathlib
import re
from collections.abc import Mapping

from datasets.building import shard_files
from datasets.published_sets import annotation_files, clips, video_files
from vasa_jax import errors

TABLE = "summaryTable.csv"

EMOTIONS = {
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happiness",
    "NEU": "neutral",
    "SAD": "sadness",
}

STRENGTHS = {"LO": 1 / 3, "MD": 2 / 3, "HI": 1.0, "XX": 2 / 3}
"""Ours: XX is most clips, whose level nobody asked for: the middle one."""

BROKEN = {
    "1076_MTI_NEU_XX": "its video is very short",
    "1076_MTI_SAD_XX": "it has no sound",
    "1064_TIE_SAD_XX": "its video lasts a minute",
    "1064_IEO_DIS_MD": "its video lasts a minute",
    "1047_IEO_SAD_LO": "its video is three times as long as its sound",
}
"""Follows: the set's page, but for the last, which its files tell."""


def read(
    annotations: pathlib.Path | None, videos: video_files.VideoFiles
) -> clips.Reading:
    """Read the names of CREMA-D's files, and the votes if given; see `clips.Reader`."""
    rows = [(pathlib.PurePosixPath(path).stem, path) for path in videos.videos]
    if not any(_fields(name) for name, _ in rows):
        raise errors.UserError(
            "No file below --input_dir is named such as 1001_DFA_ANG_XX.flv; give the "
            "folder that holds VideoFlash and AudioWAV."
        )
    votes = _votes(annotations)
    sounds = {name: videos.sound(f"AudioWAV/{name}") for name, _ in rows}
    equal = videos.equal_files(path for path in sounds.values() if path)
    make = functools.partial(
        _clip, videos=videos, votes=votes, sounds=sounds, equal=equal
    )
    return clips.read(rows, make)


def _fields(name: str) -> re.Match[str] | None:
    return re.fullmatch(r"(\d{4})_([A-Z]{3})_([A-Z]{3})_([A-Z]{2})", name)


def _votes(annotations: pathlib.Path | None) -> Mapping[str, str] | None:
    """Return what most of those who saw and heard a clip chose, by its name."""
    if annotations is None:
        return None
    columns = {"name": "filename", "vote": "multimodalvote"}
    path = annotation_files.require(annotations, TABLE) / TABLE
    return {row["name"]: row["vote"] for row in annotation_files.table(path, columns)}


def _clip(name, path, videos, votes, sounds, equal):
    fields = _fields(name)
    if fields is None or fields[3] not in EMOTIONS or fields[4] not in STRENGTHS:
        raise shard_files.UnfitError(
            "of an unknown form", "its name is not such as 1001_DFA_ANG_XX"
        )
    if name in BROKEN:
        raise shard_files.UnfitError("that are known to be broken", BROKEN[name])
    sound = sounds[name]
    if sound is None:
        raise shard_files.UnfitError(
            "without a sound of its own", f"there is no AudioWAV/{name}.wav"
        )
    videos.refuse_pointer(path)
    videos.refuse_pointer(sound)
    twins = {pathlib.PurePosixPath(twin).stem for twin in equal.get(sound, ())} - {name}
    if twins:
        raise shard_files.UnfitError(
            "with the sound of another clip", f"it is also that of {min(twins)}"
        )
    word = EMOTIONS[fields[3]]
    strength = 1.0 if word == "neutral" else STRENGTHS[fields[4]]
    # A tie is written A:S, and is no majority.
    is_seen = votes is None or votes.get(name) == fields[3][0]
    return clips.Clip(
        name=name,
        video=path,
        source_video=name,
        person=fields[1],
        emotions=(clips.Emotion(word, strength),) if is_seen else (),
        sound=sound,
    )
