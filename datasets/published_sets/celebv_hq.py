"""CelebV-HQ: clips of interviews and films with boxes and emotions, all in one JSON.

Follows: CelebV-HQ/CelebV-HQ (`celebvhq_info.json`). Videos are whole ones, named by
their id (`YTB_ID.mp4`), or clips that its script has cut and cropped (`CLIP.mp4`);
where both are there the cut ones count.
"""

import functools
import json
import pathlib
from collections.abc import Callable
from typing import Any

from datasets.building import shard_files
from datasets.published_sets import annotation_files, clips, emotions, video_files
from vasa_jax import errors

FILE = "celebvhq_info.json"

WIDENED_BY = 0.02
"""Share of the picture by which each side of a box moves out. Follows: the set's own
script, which makes the clips that others train on."""


def read(
    annotations: pathlib.Path | None, videos: video_files.VideoFiles
) -> clips.Reading:
    """Read the JSON of CelebV-HQ; see `clips.Reader`."""
    path = annotation_files.require(annotations, FILE) / FILE

    return read_entries(path, functools.partial(_clip, videos))


def read_entries(
    path: pathlib.Path, make: Callable[[str, dict[str, Any]], clips.Clip]
) -> clips.Reading:
    """Make clips of the entries of a JSON.

    Args:
        path: of the file.
        make: of a name and an entry; may find that fields are missing or no numbers.

    Returns:
        Clips and entries left out.

    Raises:
        UserError: as of `rows_of`.
    """

    def try_to_make(name: str, row: dict[str, Any]) -> clips.Clip:
        try:
            return make(name, row)
        except shard_files.UnfitError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise shard_files.UnfitError(
                "of an unknown form", f"its entry lacks or misspells {error}"
            ) from error

    return clips.read(rows_of(path), try_to_make)


def rows_of(path: pathlib.Path) -> list[tuple[str, dict[str, Any]]]:
    """Return names and entries of a JSON's `clips`.

    Args:
        path: of the file.

    Raises:
        UserError: it is no such JSON.
    """
    text = annotation_files.text(path)
    try:
        found = json.loads(text)["clips"]
        return list(found.items())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise errors.UserError(
            f"The file {str(path)!r} is no JSON with 'clips' by name; give the file as "
            "the set has it."
        ) from error


def _clip(videos, name, row):
    source = str(row["ytb_id"])
    reported = reported_emotions(row["attributes"]["emotion"])
    if videos.has_video(name):
        # Already cut and cropped: neither times nor box are of this file.
        return clips.Clip(
            name=name, video=videos.video(name), source_video=source, emotions=reported
        )
    sides = [float(row["bbox"][side]) for side in ("left", "top", "right", "bottom")]
    return clips.Clip(
        name=name,
        video=videos.video(source),
        source_video=source,
        start_seconds=float(row["duration"]["start_sec"]),
        end_seconds=float(row["duration"]["end_sec"]),
        box=relative_box(*sides),
        emotions=reported,
    )


def relative_box(left: float, top: float, right: float, bottom: float) -> clips.Box:
    """Return a box of shares of the picture, a bit wider.

    Ours: unlike the set's script it is not cut to a square, because it says only where
    to look; nothing is rounded.

    Args:
        left, top, right, bottom: 0 to 1.

    Raises:
        shard_files.UnfitError: they are no shares, or in the wrong order.
    """
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise shard_files.UnfitError(
            "with a wrong box",
            f"left {left:g}, top {top:g}, right {right:g}, bottom {bottom:g} are no "
            "shares of a picture",
        )
    return clips.Box(
        left=max(0.0, left - WIDENED_BY),
        top=max(0.0, top - WIDENED_BY),
        right=min(1.0, right + WIDENED_BY),
        bottom=min(1.0, bottom + WIDENED_BY),
        of_width=1,
        of_height=1,
    )


def reported_emotions(reported: dict[str, Any]) -> tuple[clips.Emotion, ...]:
    """Return the emotions of a clip: one for all of it, or some with times.

    Ours: what the entry holds decides, not its flag alone. Times count from the clip's
    start; between them nothing is labelled.

    Args:
        reported: `labels`, a word or a list of emotions with `start_sec` and `end_sec`.

    Raises:
        shard_files.UnfitError: an emotion is unknown.
    """
    labels = reported["labels"]
    if isinstance(labels, str):
        return (clips.Emotion(emotions.name_of(labels)),)
    return tuple(
        clips.Emotion(
            emotions.name_of(one["emotion"]),
            start_seconds=float(one["start_sec"]),
            end_seconds=float(one["end_sec"]),
        )
        for one in labels
    )
