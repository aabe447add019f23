"""Clips to perform and measure: of records of held-out people, and of real videos.

Ours: takes of one identity show it in other framing, gaze and emotion, so that copying
the source is never right; a performance that two identities share is the truth of
driving the one by the other.
"""

import dataclasses
import itertools
import os
import pathlib

import numpy as np

from vasa_jax import audio, errors, media, types
from vasa_jax.animate.controls import HEAD_DISTANCE_RANGE, MAX_GAZE_DEGREES, Controls
from vasa_jax.data import examples, records
from vasa_jax.encode import clip_conditions, encoding
from vasa_jax.evaluation.benchmark import driven_videos
from vasa_jax.evaluation.metrics import lip_movement, reenactment, speaking
from vasa_jax.portrait import crop

SOURCE_FIELDS = ("video", "head_pose")
"""What a source needs of its record."""


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
    return [found[place] for place in spread_over(len(found), wanted)]


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
        is_silent=lip_movement.pauses(record["viseme"] == silence),
    )


def voice(opened: records.Records, index: int) -> np.ndarray:
    """Read only the voice of a record, float32 `[640 T]`."""
    record = opened.read(index, ["audio", "num_frames"])
    return encoding.to_waveform(record["audio"], int(record["num_frames"]))


IMAGE_FOLDER, CLIP_FOLDER = "portraits", "talking_heads"
"""Where a folder of real data holds pictures, and videos with sound."""


def find_files(
    folder: str | os.PathLike[str], name: str, wanted: int
) -> list[pathlib.Path]:
    """Return at most some files of a subfolder, in order.

    Raises:
        UserError: there are none.
    """
    place = pathlib.Path(folder) / name
    files = sorted(path for path in place.glob("*") if path.is_file())[:wanted]
    if not files:
        raise errors.UserError(
            f"There are no files in {str(place)!r}; give a folder with {IMAGE_FOLDER} "
            f"and {CLIP_FOLDER}."
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
        is_silent=lip_movement.silent_frames(waveform),
    )
