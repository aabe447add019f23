"""Measure a checkpoint on people it has never seen, and write the table of the README.

    python -m experiments.measure --data_dir=SYNTHETIC_HEADS --output=measured.json \
        --real_dir=REAL

REAL holds `portraits` (pictures) and `talking_heads` (videos with sound). Everything is
measured in decoded videos, beside copying the source and beside the truth. The defaults
took eighteen minutes on two busy CPU cores, LPIPS included.
"""

import functools
import pathlib
from collections.abc import Callable, Iterator

import tqdm
from absl import flags

from datasets.synthetic_heads import names
from datasets.synthetic_heads.performance import visemes
from experiments.running import program
from vasa_jax import compilation_cache, errors, media
from vasa_jax.animate import controls, trained
from vasa_jax.data import records
from vasa_jax.evaluation.benchmark import held_out_clips, performer, recorded_clips
from vasa_jax.evaluation.metrics import reenactment, speaking
from vasa_jax.evaluation.networks import identity, lpips
from vasa_jax.evaluation.report import grouped_table

CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "Folder of both models; the shipped one if left."
)
DATA_DIR = flags.DEFINE_string("data_dir", None, "Synthetic heads.", required=True)
SPLIT = flags.DEFINE_string("split", "test", "Split whose identities are held out.")
REAL_DIR = flags.DEFINE_string("real_dir", None, "Real portraits and talking heads.")
OUTPUT = flags.DEFINE_string(
    "output", None, "JSON to write; the table ends in .md beside it.", required=True
)
NUM_CLIPS = flags.DEFINE_integer("num_clips", 12, "Of each driving.", lower_bound=1)
NUM_FRAMES = flags.DEFINE_integer("num_frames", 15, "Of a driving.", lower_bound=2)
NUM_VOICES = flags.DEFINE_integer("num_voices", 20, "Synthetic voices.", lower_bound=1)
NUM_TAKES = flags.DEFINE_integer(
    "num_takes", 3, "Performances of each voice, by other seeds.", lower_bound=1
)
NUM_REAL = flags.DEFINE_integer("num_real", 8, "Real files a folder.", lower_bound=1)
SECONDS = flags.DEFINE_float("seconds", 3.0, "Of a real clip.", lower_bound=0.4)
LPIPS = flags.DEFINE_string(
    "lpips_weights", None, "npz of experiments.tools.pack_lpips; no LPIPS if left."
)

Job = Callable[[], grouped_table.Measured]


def rows() -> dict[str, grouped_table.Row]:
    """Return the table's rows in order."""
    aim = "above 0.7"
    table = {
        **reenactment.rows("same", "Driven by the same person", False),
        **reenactment.rows("cross", "Driven by another person", True),
        **speaking.rows("voice", "Held-out people, synthetic voices", aim),
        **speaking.portrait_rows("still", "Held-out people, silent and turned"),
    }
    if REAL_DIR.value is None:
        return table
    return {
        **table,
        **speaking.rows("real", "Real clips, their own voices", "above 0.4"),
        **speaking.rows("photo", "Real portraits, synthetic voices", has_truth=False),
        **speaking.portrait_rows("photo", "Real portraits, silent and turned"),
    }


def main(_) -> int:
    """Measure as the flags say; return the exit code."""
    folder = pathlib.Path(OUTPUT.value).parent
    if not folder.is_dir():
        raise errors.UserError(f"There is no folder {str(folder)!r}; create it.")
    compilation_cache.enable()
    models = trained.load(CHECKPOINT.value)
    opened = records.open_folder(DATA_DIR.value, SPLIT.value)
    actor = performer.Performer(models)
    network = identity.IdentityNetwork()
    jobs = list(synthetic_jobs(actor, network, opened))
    if REAL_DIR.value is not None:
        jobs += list(real_jobs(actor, network, opened))
    clips = [job() for job in tqdm.tqdm(jobs, desc="measure", unit="clip", delay=0.5)]
    about = {
        "checkpoint": models.metadata,
        "split": SPLIT.value,
        "num_clips": NUM_CLIPS.value,
        "num_voices": NUM_VOICES.value,
        "num_takes": NUM_TAKES.value,
        "same_person_distance": identity.SAME_PERSON_DISTANCE,
    }
    table = rows()
    summary = grouped_table.summarise(table, clips)
    grouped_table.write(OUTPUT.value, table, summary, about)
    print(grouped_table.to_markdown(table, summary))
    return 0


def synthetic_jobs(
    actor: performer.Performer,
    network: identity.IdentityNetwork,
    opened: records.Records,
) -> Iterator[Job]:
    """Yield what is to be measured on held-out synthetic people.

    Args:
        actor: the checkpoint.
        network: of identity.
        opened: their records.
    """
    distance = None if LPIPS.value is None else lpips.measure_with(LPIPS.value)
    known = held_out_clips.Names.of(opened)
    mouth = names.KEYPOINT_NAMES.index("mouth")

    def drive(prefix, places):
        clip = held_out_clips.driving_clip(opened, places, NUM_FRAMES.value, mouth)
        return reenactment.measure(prefix, actor, clip, network, distance)

    def speak(places, seed):
        clip = held_out_clips.spoken_clip(opened, places, actor, visemes.SILENCE, seed)
        return {
            **speaking.measure("voice", actor, clip, network, NUM_TAKES.value),
            **speaking.measure_portrait("still", actor, clip.portrait, network),
        }

    for places in held_out_clips.same_identity_clips(known, NUM_CLIPS.value):
        yield functools.partial(drive, "same", places)
    for places in held_out_clips.cross_identity_clips(known, NUM_CLIPS.value):
        yield functools.partial(drive, "cross", places)
    voices = held_out_clips.same_identity_clips(known, NUM_VOICES.value)
    for seed, places in enumerate(voices):
        yield functools.partial(speak, places, seed)


def real_jobs(
    actor: performer.Performer,
    network: identity.IdentityNetwork,
    opened: records.Records,
) -> Iterator[Job]:
    """Yield what is to be measured on real clips and portraits; see above."""
    videos = recorded_clips.find(
        REAL_DIR.value, recorded_clips.CLIP_FOLDER, NUM_REAL.value
    )
    pictures = recorded_clips.find(
        REAL_DIR.value, recorded_clips.IMAGE_FOLDER, NUM_REAL.value
    )
    known = held_out_clips.Names.of(opened)
    voices = held_out_clips.same_identity_clips(known, len(videos) + len(pictures))

    def speak_own(path, seed):
        clip = recorded_clips.spoken_clip(path, actor, SECONDS.value, seed)
        return speaking.measure("real", actor, clip, network, NUM_TAKES.value)

    def speak_other(read, seed):
        _, place, _ = voices[seed % len(voices)]
        clip = speaking.SpokenClip(
            portrait=actor.locate(read()),
            waveform=held_out_clips.voice(opened, place),
            controls=controls.Controls(seed=seed),
        )
        return {
            **speaking.measure("photo", actor, clip, network, NUM_TAKES.value),
            **speaking.measure_portrait("photo", actor, clip.portrait, network),
        }

    for seed, path in enumerate(videos):
        yield functools.partial(speak_own, path, seed)
    readers = [functools.partial(media.read_image, path) for path in pictures]
    readers += [functools.partial(first_frame, path) for path in videos]
    for seed, read in enumerate(readers):
        yield functools.partial(speak_other, read, seed)


def first_frame(path: pathlib.Path):
    """Return the first frame of a video, uint8 `[H, W, 3]`."""
    return next(media.iterate_video(path))


if __name__ == "__main__":
    program.run(main)
