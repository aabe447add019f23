"""Measure a checkpoint on people it has never seen, and write its table.

    python -m experiments.measure --data_dir=SYNTHETIC_HEADS --output=measured.json \
        --real_dir=REAL

REAL holds `portraits` (pictures) and `talking_heads` (videos with sound). Everything is
measured in decoded videos, beside copying the source and beside the truth. The defaults
took eighteen minutes on two busy CPU cores, LPIPS included.
"""

import functools
import pathlib
from collections.abc import Callable, Iterator, Mapping

import tqdm
from absl import flags

from datasets.synthetic_heads import names
from datasets.synthetic_heads.performance import visemes
from experiments.running import program
from vasa_jax import compilation_cache, errors, media
from vasa_jax.animate import controls, trained
from vasa_jax.data import records
from vasa_jax.evaluation.benchmark import driven_videos, held_out_clips, scoring
from vasa_jax.evaluation.metrics import reenactment, speaking
from vasa_jax.evaluation.metrics.definition import Measured, Metric
from vasa_jax.evaluation.networks import face_recognition, lpips
from vasa_jax.evaluation.report import score_report

CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "Folder of both models; the shipped one if left."
)
DATA_DIR = flags.DEFINE_string("data_dir", None, "Synthetic heads.", required=True)
SPLIT = flags.DEFINE_string("split", "test", "Split whose identities are held out.")
REAL_DIR = flags.DEFINE_string("real_dir", None, "Real portraits and talking heads.")
OUTPUT = flags.DEFINE_string(
    "output", None, "JSON to write; the table ends in .md beside it.", required=True
)
NUM_CLIPS = flags.DEFINE_integer("num_clips", 12, "Of each reenactment.", lower_bound=1)
NUM_FRAMES = flags.DEFINE_integer("num_frames", 15, "Of a reenactment.", lower_bound=2)
NUM_VOICES = flags.DEFINE_integer("num_voices", 20, "Synthetic voices.", lower_bound=1)
NUM_TAKES = flags.DEFINE_integer(
    "num_takes", 3, "Performances of each voice, by other seeds.", lower_bound=1
)
NUM_REAL = flags.DEFINE_integer("num_real", 8, "Real files a folder.", lower_bound=1)
SECONDS = flags.DEFINE_float("seconds", 3.0, "Of a real clip.", lower_bound=0.4)
LPIPS = flags.DEFINE_string(
    "lpips_weights", None, "npz of experiments.tools.pack_lpips; no LPIPS if left."
)

Job = tuple[str, Callable[[], dict[str, Measured]]]
"""The name of a clip, and a function that returns what is found in it, by metric."""


def make_metrics() -> dict[str, Metric]:
    """Return the metrics by name, in the order of the table."""
    takes = NUM_TAKES.value
    group = "Held-out people"
    metrics: list[Metric] = [
        reenactment.Reenactment(
            name="same", group="Driven by the same person", is_other_person=False
        ),
        reenactment.Reenactment(
            name="cross", group="Driven by another person", is_other_person=True
        ),
        speaking.Speech(
            name="voice",
            group=f"{group}, synthetic voices",
            correlation_aim="above 0.7",
            num_takes=takes,
        ),
        speaking.SilentAndTurned(name="still", group=f"{group}, silent and turned"),
    ]
    if REAL_DIR.value is not None:
        group = "Real portraits"
        metrics += [
            speaking.Speech(
                name="real",
                group="Real clips, their own voices",
                correlation_aim="above 0.4",
                num_takes=takes,
            ),
            speaking.Speech(
                name="photo",
                group=f"{group}, synthetic voices",
                has_truth=False,
                num_takes=takes,
            ),
            speaking.SilentAndTurned(
                name="photo_still", group=f"{group}, silent and turned"
            ),
        ]
    return {metric.name: metric for metric in metrics}


def main(_) -> int:
    """Measure as the flags say; return the exit code."""
    folder = pathlib.Path(OUTPUT.value).parent
    if not folder.is_dir():
        raise errors.UserError(f"There is no folder {str(folder)!r}; create it.")
    compilation_cache.enable()
    models = trained.load(CHECKPOINT.value)
    opened = records.open_folder(DATA_DIR.value, SPLIT.value)
    actor = driven_videos.Performer(models)
    network = face_recognition.IdentityNetwork()
    metrics = make_metrics()
    jobs = list(synthetic_jobs(metrics, actor, network, opened))
    if REAL_DIR.value is not None:
        jobs += list(real_jobs(metrics, actor, network, opened))
    shown = tqdm.tqdm(jobs, desc="measure", unit="clip", delay=0.5)
    results = {name: scoring.ClipResult(measured=find()) for name, find in shown}
    about = {
        "checkpoint": models.metadata,
        "split": SPLIT.value,
        "num_clips": NUM_CLIPS.value,
        "num_voices": NUM_VOICES.value,
        "num_takes": NUM_TAKES.value,
        "same_person_distance": face_recognition.SAME_PERSON_DISTANCE,
    }
    report = score_report.summarise(list(metrics.values()), results, about)
    print(score_report.write_report(OUTPUT.value, report))
    return 0


def synthetic_jobs(
    metrics: Mapping[str, Metric],
    actor: driven_videos.Performer,
    network: face_recognition.IdentityNetwork,
    opened: records.Records,
) -> Iterator[Job]:
    """Yield what is to be measured on held-out synthetic people.

    Args:
        metrics: by name.
        actor: the checkpoint.
        network: of identity.
        opened: their records.
    """
    distance = None if LPIPS.value is None else lpips.measure_with(LPIPS.value)
    known = held_out_clips.Names.of(opened)
    mouth = names.KEYPOINT_NAMES.index("mouth")

    def drive(name, indices):
        clip = held_out_clips.driving_clip(opened, indices, NUM_FRAMES.value, mouth)
        return {name: metrics[name].measure(clip, actor, network, distance)}

    def speak(indices, seed):
        clip = held_out_clips.spoken_clip(opened, indices, actor, visemes.SILENCE, seed)
        return {
            "voice": metrics["voice"].measure(clip, actor, network),
            "still": metrics["still"].measure(clip.portrait, actor, network),
        }

    same = held_out_clips.same_identity_clips(known, NUM_CLIPS.value)
    cross = held_out_clips.cross_identity_clips(known, NUM_CLIPS.value)
    for name, found in (("same", same), ("cross", cross)):
        for number, indices in enumerate(found):
            yield f"{name} {number:03d}", functools.partial(drive, name, indices)
    voices = held_out_clips.same_identity_clips(known, NUM_VOICES.value)
    for seed, indices in enumerate(voices):
        yield f"voice {seed:03d}", functools.partial(speak, indices, seed)


def real_jobs(
    metrics: Mapping[str, Metric],
    actor: driven_videos.Performer,
    network: face_recognition.IdentityNetwork,
    opened: records.Records,
) -> Iterator[Job]:
    """Yield what is to be measured on real clips and portraits; see above."""
    videos = held_out_clips.find_files(
        REAL_DIR.value, held_out_clips.CLIP_FOLDER, NUM_REAL.value
    )
    pictures = held_out_clips.find_files(
        REAL_DIR.value, held_out_clips.IMAGE_FOLDER, NUM_REAL.value
    )
    known = held_out_clips.Names.of(opened)
    voices = held_out_clips.same_identity_clips(known, len(videos) + len(pictures))

    def speak_own(path, seed):
        clip = held_out_clips.filmed_clip(path, actor, SECONDS.value, seed)
        return {"real": metrics["real"].measure(clip, actor, network)}

    def speak_other(read, seed):
        _, index, _ = voices[seed % len(voices)]
        clip = speaking.SpokenClip(
            portrait=actor.locate(read()),
            waveform=held_out_clips.voice(opened, index),
            controls=controls.Controls(seed=seed),
        )
        still = metrics["photo_still"].measure(clip.portrait, actor, network)
        return {
            "photo": metrics["photo"].measure(clip, actor, network),
            "photo_still": still,
        }

    for seed, path in enumerate(videos):
        yield f"real {seed:03d}", functools.partial(speak_own, path, seed)
    readers = [functools.partial(media.read_image, path) for path in pictures]
    readers += [functools.partial(first_frame, path) for path in videos]
    for seed, read in enumerate(readers):
        yield f"photo {seed:03d}", functools.partial(speak_other, read, seed)


def first_frame(path: pathlib.Path):
    """Return the first frame of a video, uint8 `[H, W, 3]`."""
    return next(media.iterate_video(path))


if __name__ == "__main__":
    program.run(main)
