"""RAVDESS: 24 actors speak two sentences with eight emotions at two strengths.

Follows: the set's page on Zenodo (`Actor_12/01-01-06-01-02-01-12.mp4`: modality, way of
speaking, emotion, strength, sentence, take, actor). What is there is taken: there is no
strong neutral, and one actor does not sing.
"""

import pathlib
import re

from datasets.building import shard_files
from datasets.published_sets import annotation_files, clips, video_files
from vasa_jax import errors

BOTH, PICTURE, SOUND = "01", "02", "03"
"""Modalities. A file of both is the one of the picture alone with its sound."""

SPEECH, SONG = "01", "02"

EMOTIONS = {
    "01": "neutral",
    "02": None,
    "03": "happiness",
    "04": "sadness",
    "05": "anger",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}
"""02 is calm, which is none of ours: such clips have no label."""

STRENGTHS = {"01": 2 / 3, "02": 1.0}
"""Normal and strong. Ours: the numbers."""


def read(
    annotations: pathlib.Path | None, videos: video_files.VideoFiles
) -> clips.Reading:
    """Read the names of RAVDESS's files; see `clips.Reader`. It has no lists."""
    annotation_files.refuse(annotations)
    rows = [
        (path, pathlib.PurePosixPath(path).stem.split("-")) for path in videos.videos
    ]
    if not any(_is_name(fields) for _, fields in rows):
        raise errors.UserError(
            "No file below --input_dir is named such as 01-01-06-01-02-01-12.mp4; "
            "unpack the actors' archives, and give the folder that holds theirs."
        )
    return clips.read(rows, _clip)


def _is_name(fields: list[str]) -> bool:
    return len(fields) == 7 and all(re.fullmatch(r"\d\d", one) for one in fields)


def _clip(path: str, fields: list[str]) -> clips.Clip:
    is_known = _is_name(fields) and fields[2] in EMOTIONS and fields[3] in STRENGTHS
    if not is_known or fields[0] not in (BOTH, PICTURE, SOUND):
        raise shard_files.UnfitError(
            "of an unknown form", "its name is not such as 01-01-06-01-02-01-12"
        )
    modality, way, emotion, strength, *_, actor = fields
    if modality != BOTH:
        raise shard_files.UnfitError(
            "of one modality", "it is picture or sound alone, and 01-... has both"
        )
    if way != SPEECH:
        raise shard_files.UnfitError("that are sung", "its second number is not 01")
    word = EMOTIONS[emotion]
    reported = clips.Emotion(word, 1.0 if word == "neutral" else STRENGTHS[strength])
    return clips.Clip(
        name=path,
        video=path,
        source_video=path,
        person=actor,
        emotions=(reported,) if word else (),
    )
