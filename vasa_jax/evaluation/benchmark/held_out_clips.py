"""Clips to perform and measure: of records of held-out people, and of real videos.

Ours: takes of one identity show it in other framing, gaze and emotion, so that copying
the source is never right, and swapping their poses or dynamics asks for much; a
performance that two identities share is the truth of driving the one by the other. A
video alone gives its two halves.
"""

import dataclasses
import itertools
import os
import pathlib
from collections.abc import Callable

import numpy as np

from vasa_jax import audio, errors, media, types
from vasa_jax.animate.controls import HEAD_DISTANCE_RANGE, MAX_GAZE_DEGREES, Controls
from vasa_jax.audio import voice_activity
from vasa_jax.data import examples, records
from vasa_jax.encode import clip_conditions, encoding
from vasa_jax.evaluation.benchmark import driven_videos
from vasa_jax.evaluation.metrics import disentanglement, reenactment, speaking
from vasa_jax.portrait import crop

SOURCE_FIELDS = ("video", "head_pose")
"""What a source needs of its record."""

IMAGE_FOLDER, CLIP_FOLDER = "portraits", "talking_heads"
"""Where a folder of real data holds pictures, and videos with sound."""

MAX_VIDEO_FRAMES = 250
"""Frames of a video from which takes are picked. Ours: ten seconds hold many poses."""


@dataclasses.dataclass(frozen=True)
class Names:
    """Which records belong together, by their indices.

    Attributes:
        identity, performance: of every record.
    """

    identity: list[str]
    performance: list[str]

    @classmethod
    def of(cls, opened: records.Records) -> "Names":
        """Read the names of all records."""
        return cls(
            examples.read_field(opened, "identity"),
            examples.read_field(opened, "performance"),
        )

    def other_take(self, index: int) -> int | None:
        """Return another record of the identity, or None."""
        mates = examples.group(self.identity)[self.identity[index]]
        after = [mate for mate in mates if mate > index] or mates
        return next((mate for mate in after if mate != index), None)

    def same_performance(self, index: int) -> int | None:
        """Return the record of another identity with the same performance, or None."""
        alike = examples.group(self.performance)[self.performance[index]]
        own = self.identity[index]
        return next((one for one in alike if self.identity[one] != own), None)


def spread_over(count: int, wanted: int) -> list[int]:
    """Choose indices evenly out of `count`, at most as many as `wanted`."""
    return np.linspace(0, count - 1, min(count, wanted)).astype(int).tolist()


def same_identity_clips(names: Names, wanted: int) -> list[tuple[int, int, int]]:
    """Choose (source, driver, truth) of one identity each; the driver is the truth."""
    found = [
        (names.other_take(index), index, index)
        for index, identity in enumerate(names.identity)
        if identity is not None and names.other_take(index) is not None
    ]
    return _some(found, wanted, "takes of one identity")


def cross_identity_clips(names: Names, wanted: int) -> list[tuple[int, int, int]]:
    """Choose (source, driver, truth): truth is of the source's identity."""
    found = []
    for index, identity in enumerate(names.identity):
        if identity is None or names.performance[index] is None:
            continue
        truth = names.same_performance(index)
        source = None if truth is None else names.other_take(truth)
        if source is not None:
            found.append((source, index, truth))
    return _some(found, wanted, "identities with the same performance")


def _some(found, wanted, what):
    if not found:
        raise errors.UserError(
            f"The split holds no {what}; give a larger set of synthetic heads."
        )
    return [found[index] for index in spread_over(len(found), wanted)]


def driving_clip(
    opened: records.Records, indices: tuple[int, int, int], num_frames: int, mouth: int
) -> reenactment.DrivingClip:
    """Read a clip of driving.

    Args:
        opened: the records.
        indices: of source, driver and truth.
        num_frames: taken evenly from the driver.
        mouth: place of the mouth among the keypoints.

    Returns:
        The clip; the source is the first frame of its record.
    """
    source = opened.read(indices[0], list(SOURCE_FIELDS))
    driver = opened.read(indices[1], list(SOURCE_FIELDS))
    truth = opened.read(indices[2], ["video", "head_pose", "keypoints"])
    driver_frames = encoding.decode_clip(driver)
    picks = spread_over(len(driver_frames), num_frames)
    true_frames = driver_frames
    if indices[1] != indices[2]:
        true_frames = encoding.decode_clip(truth)
    return reenactment.DrivingClip(
        source=encoding.decode_clip(source)[0],
        source_pose=source["head_pose"][0],
        driver=driver_frames[picks],
        driver_pose=driver["head_pose"][picks],
        truth=true_frames[picks],
        truth_mouth=truth["keypoints"][picks, mouth],
        truth_scale=truth["head_pose"][picks, 5],
    )


def spoken_clip(
    opened: records.Records,
    indices: tuple[int, int, int],
    actor: driven_videos.Performer,
    silence: int,
    seed: int,
) -> speaking.SpokenClip:
    """Read a clip of speech, to be performed with the gaze and distance it has.

    Args:
        opened: the records.
        indices: of portrait and speech; the last is not used.
        actor: the checkpoint, for its image size.
        silence: the viseme of silence.
        seed: of the performance.
    """
    source = opened.read(indices[0], list(SOURCE_FIELDS))
    record = opened.read(indices[1])
    frames = actor.fit_frames(encoding.decode_clip(record))
    limits = np.array(MAX_GAZE_DEGREES)
    gaze = np.clip(np.degrees(clip_conditions.gaze(record)), -limits, limits)
    distance = float(np.clip(record["head_distance"].mean(), *HEAD_DISTANCE_RANGE))
    return speaking.SpokenClip(
        portrait=actor.portrait(
            encoding.decode_clip(source)[0], source["head_pose"][0]
        ),
        waveform=encoding.to_waveform(record["audio"], len(frames)),
        controls=Controls(seed=seed, gaze=tuple(gaze.tolist()), head_distance=distance),
        truth=driven_videos.track_face(frames),
        mouth_aperture=record["mouth_opening"],
        is_silent=voice_activity.pauses(record["viseme"] == silence),
    )


def voice(opened: records.Records, index: int) -> np.ndarray:
    """Read only the voice of a record, float32 `[640 T]`."""
    record = opened.read(index, ["audio", "num_frames"])
    return encoding.to_waveform(record["audio"], int(record["num_frames"]))


def find_files(
    folder: str | os.PathLike[str], name: str, wanted: int
) -> list[pathlib.Path]:
    """Return at most some files of a subfolder, in order.

    Raises:
        UserError: there are none.
    """
    subfolder = pathlib.Path(folder) / name
    files = sorted(path for path in subfolder.glob("*") if path.is_file())[:wanted]
    if not files:
        raise errors.UserError(
            f"There are no files in {str(subfolder)!r}; give a folder with "
            f"{IMAGE_FOLDER} and {CLIP_FOLDER}."
        )
    return files


def filmed_clip(
    path: pathlib.Path, actor: driven_videos.Performer, seconds: float, seed: int
) -> speaking.SpokenClip:
    """Read a talking head whose first frame shall say what it says.

    Args:
        path: video with sound.
        actor: the checkpoint.
        seconds: of it, at most.
        seed: of the performance.

    Raises:
        UserError: no sound, or no face in the first frame.
    """
    waveform = audio.load_waveform(path)
    most = min(
        round(seconds * types.FRAME_RATE_HZ), len(waveform) // types.SAMPLES_PER_FRAME
    )
    frames = list(itertools.islice(media.iterate_video(path), most))
    portrait = actor.locate(frames[0])
    size = actor.image_size
    cut = np.stack([crop.extract(frame, portrait.box, size) for frame in frames])
    truth = driven_videos.track_face(cut)
    waveform = waveform[: len(frames) * types.SAMPLES_PER_FRAME]
    return speaking.SpokenClip(
        portrait=portrait,
        waveform=waveform,
        controls=Controls(seed=seed),
        truth=truth,
        mouth_aperture=truth.mouth_aperture,
        is_silent=voice_activity.silent_frames(waveform),
    )


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


def same_identity_swaps(known: Names, wanted: int) -> list[SwapIndices]:
    """Choose takes of the source's own person, at most as many as wanted."""
    found = []
    for index, identity in enumerate(known.identity):
        second = known.other_take(index)
        second = index if second is None else second
        mates = [i for i, one in enumerate(known.identity) if one == identity]
        others = [i for i in mates if i not in (index, second)]
        found.append(SwapIndices(others[0] if others else second, index, second))
    return [found[index] for index in spread_over(len(found), wanted)]


def cross_identity_swaps(known: Names, wanted: int) -> list[SwapIndices]:
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
    return [found[index] for index in spread_over(len(found), wanted)]


Renderer = Callable[
    [records.Record, records.Record, np.ndarray, records.Record, np.ndarray],
    disentanglement.Truth | None,
]
"""Renders the truth of a source's record, of the first take's record and the indices of
its frames, and of the second's; None where the source cannot be rendered again."""


def swap_clip(
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
        opened.read(index) for index in (indices.source, indices.first, indices.second)
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


def filmed_swap_clip(
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
