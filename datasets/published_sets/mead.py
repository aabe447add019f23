"""MEAD: actors speak with eight emotions at three levels, seen from seven sides.

Follows: uniBruce/Mead (`M003/video/front/angry/level_1/001.mp4`, its sound in
`M003/audio/angry/level_1/001.m4a`). There are no lists: what is there is taken, for
actors lack views, emotions and levels. Equal numbers are not equal sentences, so
nothing here pairs takes by number.
"""

import pathlib

from datasets.building import shard_files
from datasets.published_sets import annotation_files, clips, emotions, video_files
from vasa_jax import errors

VIEWS = ("front", "left_30", "left_60", "right_30", "right_60", "top", "down")

SEEN_VIEWS = ("front", "left_30", "right_30", "top", "down")
"""Ours: beyond 60 degrees one eye is hidden, and landmarks are guesses."""

STRENGTHS = {"level_1": 1 / 3, "level_2": 2 / 3, "level_3": 1.0}
"""Ours: the set says weak, medium and strong, and gives no numbers."""

_PATH = "ACTOR/video/VIEW/EMOTION/LEVEL/NUMBER.mp4"


def read(
    annotations: pathlib.Path | None, videos: video_files.VideoFiles
) -> clips.Reading:
    """Read the paths of MEAD; see `clips.Reader`. It has no lists."""
    annotation_files.refuse(annotations)
    rows = [(path, path.split("/")) for path in videos.videos]
    if not any(len(parts) >= 6 and parts[-5] == "video" for _, parts in rows):
        raise errors.UserError(
            f"No path below --input_dir has the form {_PATH}; unpack the actors' "
            "archives, and give the folder that holds their folders."
        )

    def make(name: str, parts: list[str]) -> clips.Clip:
        return _clip(name, parts, videos)

    return clips.read(rows, make)


def _clip(name, parts, videos):
    if len(parts) < 6 or parts[-5] != "video":
        raise shard_files.UnfitError(
            "of an unknown form", f"its path is not of the form {_PATH}"
        )
    actor, _, view, emotion, level, file = parts[-6:]
    if view not in SEEN_VIEWS:
        known = "turns the face away" if view in VIEWS else "is unknown"
        raise shard_files.UnfitError("of an unused view", f"the view {view!r} {known}")
    if level not in STRENGTHS:
        raise shard_files.UnfitError(
            "with an unknown level", f"{level!r} is none of {', '.join(STRENGTHS)}"
        )
    reported = emotions.name_of(emotion)
    strength = 1.0 if reported == "neutral" else STRENGTHS[level]
    number = pathlib.PurePosixPath(file).stem
    # The sound has no view level, and one serves all views.
    sound = videos.sound("/".join([actor, "audio", emotion, level, number]))
    if sound is None:
        raise shard_files.UnfitError(
            "without a sound of its own",
            f"there is no {actor}/audio/{emotion}/{level}/{number}.m4a",
        )
    return clips.Clip(
        name=name,
        video=name,
        source_video=name,
        person=actor,
        emotions=(clips.Emotion(reported, strength),),
        sound=sound,
    )
