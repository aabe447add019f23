"""Measure whether a face model moves pose, dynamics and identity apart; write a table.

    python -m experiments.disentanglement --data_dir=HEADS --output=disentanglement.json
    python -m experiments.disentanglement --videos=talking/ --checkpoint=DIR \
        --output=disentanglement.json

Two takes swap their head poses, then their facial dynamics, on a portrait of the same
person and of another. Synthetic heads are rendered anew as asked, which is the truth of
every swap; videos have none, and their poses are fitted to landmarks. A clip takes
about 14 seconds of one CPU core.
"""

import functools
import pathlib
from collections.abc import Callable, Iterator

import numpy as np
import tqdm
from absl import flags

from datasets.synthetic_heads.records import recombined
from datasets.synthetic_heads.rendering import correspondence
from experiments.running import program
from vasa_jax import compilation_cache, config, errors
from vasa_jax.data import records
from vasa_jax.encode import encoding
from vasa_jax.evaluation.benchmark import (
    driven_videos,
    held_out_clips,
    scoring,
    video_clip,
)
from vasa_jax.evaluation.metrics import disentanglement
from vasa_jax.evaluation.metrics.definition import Measured
from vasa_jax.evaluation.networks import face_recognition
from vasa_jax.evaluation.report import score_report

CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "Folder with a face model; the shipped one if left."
)
DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Records with video and head pose, such as synthetic heads."
)
SPLIT = flags.DEFINE_string("split", "test", "Split whose identities are held out.")
VIDEOS = flags.DEFINE_string(
    "videos", None, "In place of it: folder, glob, or .txt; each shows one person."
)
OUTPUT = flags.DEFINE_string(
    "output", None, "JSON to write; the table ends in .md beside it.", required=True
)
NUM_CLIPS = flags.DEFINE_integer("num_clips", 12, "Of each kind.", lower_bound=1)
NUM_FRAMES = flags.DEFINE_integer("num_frames", 12, "Of a take.", lower_bound=2)

Job = tuple[str, Callable[[], dict[str, Measured]]]
"""The name of a clip, and a function that returns what is found in it, by metric."""

METRICS = {
    "same": disentanglement.Disentanglement(
        name="same", group="the person's own takes", is_other_person=False
    ),
    "other": disentanglement.Disentanglement(
        name="other", group="another person's takes", is_other_person=True
    ),
}


def main(_) -> int:
    """Measure as the flags say; return the exit code."""
    config.require(
        (DATA_DIR.value is None) != (VIDEOS.value is None),
        "Give either --data_dir, records, or --videos.",
    )
    folder = pathlib.Path(OUTPUT.value).parent
    if not folder.is_dir():
        raise errors.UserError(f"There is no folder {str(folder)!r}; create it.")
    compilation_cache.enable()
    actor, metadata = driven_videos.load_face(CHECKPOINT.value)
    network = face_recognition.IdentityNetwork()
    find = video_jobs if DATA_DIR.value is None else record_jobs
    jobs = list(find(actor, network))
    shown = tqdm.tqdm(jobs, desc="swap", unit="clip", delay=0.5)
    results = {name: scoring.ClipResult(measured=find()) for name, find in shown}
    about = {
        "checkpoint": metadata,
        "of": "videos" if DATA_DIR.value is None else f"split {SPLIT.value}",
        "num_clips": NUM_CLIPS.value,
        "num_frames": NUM_FRAMES.value,
        "same_person_distance": face_recognition.SAME_PERSON_DISTANCE,
    }
    report = score_report.summarise(list(METRICS.values()), results, about)
    print(score_report.write_report(OUTPUT.value, report))
    return 0


def record_jobs(
    actor: driven_videos.FacePerformer, network: face_recognition.IdentityNetwork
) -> Iterator[Job]:
    """Yield what is to be measured on records, truth included where it is known."""
    opened = records.open_folder(DATA_DIR.value, SPLIT.value)
    known = held_out_clips.Names.of(opened)

    def job(name, indices):
        clip = held_out_clips.swap_clip(opened, indices, NUM_FRAMES.value, truth)
        return {name: METRICS[name].measure(clip, actor, network)}

    for name, choose in (
        ("same", held_out_clips.same_identity_swaps),
        ("other", held_out_clips.cross_identity_swaps),
    ):
        for number, indices in enumerate(choose(known, NUM_CLIPS.value)):
            yield f"{name} {number:03d}", functools.partial(job, name, indices)


def video_jobs(
    actor: driven_videos.FacePerformer, network: face_recognition.IdentityNetwork
) -> Iterator[Job]:
    """Yield what is to be measured on videos; the next video shows another person."""
    videos = video_clip.find_videos(VIDEOS.value)[: NUM_CLIPS.value]

    def job(name, source, driver):
        clip = held_out_clips.filmed_swap_clip(source, driver, actor, NUM_FRAMES.value)
        return {name: METRICS[name].measure(clip, actor, network)}

    for video in videos:
        yield f"same {video.stem}", functools.partial(job, "same", video, video)
    for index, video in enumerate(videos if len(videos) > 1 else []):
        source = videos[index - 1]
        yield f"other {video.stem}", functools.partial(job, "other", source, video)


def truth(
    source: records.Record,
    first: records.Record,
    first_picks: np.ndarray,
    second: records.Record,
    second_picks: np.ndarray,
) -> disentanglement.Truth | None:
    """Render the source's person as the swaps ask; see `held_out_clips.Renderer`."""
    if "geometry" not in source:
        return None
    frame = encoding.decode_clip(source)[0]
    person = recombined.Person(source, len(frame))
    if not person.is_in(frame, 0):
        return None
    takes = [
        (correspondence.unpack_geometry(record["geometry"]), picks)
        for record, picks in ((first, first_picks), (second, second_picks))
    ]

    def show(expression, pose):
        (face, face_picks), (head, head_picks) = takes[expression], takes[pose]
        pairs = zip(face_picks, head_picks, strict=True)
        return np.stack([person.show(face, f, head, h) for f, h in pairs])

    return disentanglement.Truth(
        unswapped=show(0, 0), pose_swapped=show(0, 1), dynamics_swapped=show(1, 0)
    )


if __name__ == "__main__":
    program.run(main)
