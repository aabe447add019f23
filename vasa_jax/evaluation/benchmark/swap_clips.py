"""Takes whose poses and dynamics are swapped, out of records or out of videos.

Ours: two takes of one person differ in framing, gaze and emotion as well as from frame
to frame, so that a swap asks for much; a video alone gives its two halves.
"""

import dataclasses
import itertools
import pathlib
from collections.abc import Callable

import numpy as np

from vasa_jax import errors, media
from vasa_jax.data import records
from vasa_jax.encode import encoding
from vasa_jax.evaluation.benchmark import driven_videos
from vasa_jax.evaluation.benchmark.held_out_clips import Names, spread_over
from vasa_jax.evaluation.metrics import disentanglement
from vasa_jax.portrait import crop

MAX_VIDEO_FRAMES = 250
"""Frames of a video from which takes are picked. Ours: ten seconds hold many poses."""


@dataclasses.dataclass(frozen=True)
class SwapIndices:
    """Which records make a clip.

    Attributes:
        source: of the portrait, its first frame.
        first, second: takes of one person; one record gives its halves.
    """

    source: int
    first: int
    second: int


Renderer = Callable[
    [records.Record, records.Record, np.ndarray, records.Record, np.ndarray],
    disentanglement.Truth | None,
]
"""Renders the truth of a source's record, of the first take's record and the indices of
its frames, and of the second's; None where the source cannot be rendered again."""


def same_person(known: Names, wanted: int) -> list[SwapIndices]:
    """Choose takes of the source's own person, at most as many as wanted."""
    found = []
    for index, identity in enumerate(known.identity):
        second = known.other_take(index)
        second = index if second is None else second
        mates = [i for i, one in enumerate(known.identity) if one == identity]
        others = [i for i in mates if i not in (index, second)]
        found.append(SwapIndices(others[0] if others else second, index, second))
    return [found[place] for place in spread_over(len(found), wanted)]


def other_person(known: Names, wanted: int) -> list[SwapIndices]:
    """Choose takes of another person than the source; none where there is only one."""
    count = len(known.identity)
    found = []
    for index, identity in enumerate(known.identity):
        # Half the set away, since neighbours are takes of one person.
        order = ((index + count // 2 + step) % count for step in range(count))
        source = next((i for i in order if known.identity[i] != identity), None)
        if source is not None:
            second = known.other_take(index)
            found.append(
                SwapIndices(source, index, index if second is None else second)
            )
    return [found[place] for place in spread_over(len(found), wanted)]


def from_records(
    opened: records.Records,
    indices: SwapIndices,
    num_frames: int,
    render: Renderer | None = None,
) -> disentanglement.SwapClip:
    """Read a clip out of records with `video` and `head_pose`.

    Args:
        opened: the records.
        indices: of source and takes.
        num_frames: of each take.
        render: gives the truth; None leaves it unknown.
    """
    source, first, second = (
        opened.read(place) for place in (indices.source, indices.first, indices.second)
    )
    count = min(len(first["head_pose"]), len(second["head_pose"]))
    picks = (
        np.array(spread_over(count, num_frames)),
        np.array(spread_over(count, num_frames)),
    )
    if indices.first == indices.second:
        picks = _halves(np.arange(count), num_frames)
    truth = None
    if render is not None:
        truth = render(source, first, picks[0], second, picks[1])
    return disentanglement.SwapClip(
        source=encoding.decode_clip(source)[0],
        source_pose=source["head_pose"][0],
        first=_take(first, picks[0]),
        second=_take(second, picks[1]),
        truth=truth,
    )


def from_videos(
    source: pathlib.Path,
    driver: pathlib.Path,
    actor: driven_videos.FacePerformer,
    num_frames: int,
) -> disentanglement.SwapClip:
    """Read a clip out of two videos, or of one: the halves of the driver are its takes.

    Args:
        source: its first frame is the portrait.
        driver: of at most `MAX_VIDEO_FRAMES` that are looked at.
        actor: the model, which cuts the frames.
        num_frames: of each take.

    Raises:
        UserError: no face in a first frame, or in too few of the driver's.
    """
    portrait = actor.locate(next(media.iterate_video(source)))
    frames = list(itertools.islice(media.iterate_video(driver), MAX_VIDEO_FRAMES))
    box = actor.locate(frames[0]).box
    cut = np.stack([crop.extract(frame, box, actor.image_size) for frame in frames])
    face = driven_videos.track_face(cut).face
    present = np.flatnonzero(face.present) if face is not None else np.zeros(0, int)
    if len(present) < 2 * num_frames:
        raise errors.UserError(
            f"A face is seen in {len(present)} of the first {len(frames)} frames of "
            f"{driver}, and {2 * num_frames} are needed; leave the video out, or ask "
            "for fewer by --num_frames."
        )
    takes = [
        disentanglement.Take(frames=cut[picks], head_pose=face.head_pose[picks])
        for picks in _halves(present, num_frames)
    ]
    return disentanglement.SwapClip(
        source=portrait.image,
        source_pose=np.asarray(portrait.head_pose.to_vector())[0],
        first=takes[0],
        second=takes[1],
    )


def _halves(indices: np.ndarray, num_frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Choose as many indices of the first half as of the second, `[n]` each."""
    half = len(indices) // 2
    picks = spread_over(half, num_frames)
    return indices[:half][picks], indices[-half:][picks]


def _take(record: records.Record, picks: np.ndarray) -> disentanglement.Take:
    return disentanglement.Take(
        frames=encoding.decode_clip(record)[picks], head_pose=record["head_pose"][picks]
    )
