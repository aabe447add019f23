"""Perform the clips of a set into small files, to be rendered on another machine.

    python -m experiments.short_lease.perform --output_dir=data/carried

performs 2000; it needs the speech tools of the extra `data`, and half a second of one
core and 15 kB a clip of three seconds. Run again to go on or to grow.
"""

import functools
import os
import pathlib

from absl import flags

from datasets.building import processes
from datasets.synthetic_heads.records import plan
from experiments.running import program
from experiments.short_lease import performance_files
from vasa_jax import media

_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Folder to fill.", required=True)
_NUM_CLIPS = flags.DEFINE_integer("num_clips", 2000, "How many clips.", lower_bound=1)
_SECONDS = flags.DEFINE_float("seconds", 3.0, "Length of a clip.")
_SEED = flags.DEFINE_integer("seed", 0, "Source of all chance.")
_SPLITS = flags.DEFINE_list("splits", ["train", "validation"], "Of identities.")
_NUM_TAKES = flags.DEFINE_integer("num_takes", 4, "As in `build`.")
_NUM_WORKERS = flags.DEFINE_integer(
    "num_workers", None, "Processes; all cores by default.", lower_bound=1
)
_SPEECH_DIR = flags.DEFINE_string("speech_dir", None, "As in `build`.")
_RECORDINGS_SHARE = flags.DEFINE_float("recordings_share", 0.5, "As in `build`.")
_NATURAL_SHARE = flags.DEFINE_float("natural_share", 0.0, "As in `build`.")
_BARED_SMILES_SHARE = flags.DEFINE_float("bared_smiles_share", 0.5, "As in `build`.")


def main(_) -> None:
    """Perform what the flags ask for."""
    folder = pathlib.Path(_OUTPUT_DIR.value).expanduser().absolute()
    settings = plan.Settings(
        seconds=_SECONDS.value,
        seed=_SEED.value,
        num_takes=_NUM_TAKES.value,
        speech_dir=_SPEECH_DIR.value,
        recordings_share=_RECORDINGS_SHARE.value,
        natural_share=_NATURAL_SHARE.value,
        bared_smiles_share=_BARED_SMILES_SHARE.value,
        splits=tuple(_SPLITS.value),
    )
    plan.check_voices(settings)
    wanted = wanted_pairs(settings, _NUM_CLIPS.value)
    performance_files.write_settings(folder, settings)
    missing = [p for p in wanted if not performance_files.pair_path(folder, p).exists()]
    processes.call_each(
        functools.partial(write_pair, folder, settings),
        missing,
        _NUM_WORKERS.value or len(os.sched_getaffinity(0)),
        total=len(missing),
        unit="pairs",
    )
    held = [
        performance_files.pair_path(folder, pair)
        for pair in performance_files.pairs(folder)
    ]
    size = sum(path.stat().st_size for path in held)
    clips = 2 * settings.num_takes * len(held)
    print(f"{clips} clips in {size / 2**20:.2f} MiB: {folder}")


def wanted_pairs(settings: plan.Settings, num_clips: int) -> list[int]:
    """Return the numbers of the first pairs of the splits, for so many clips."""
    count = -(-num_clips // (2 * settings.num_takes))
    return [plan.identity_at(settings, 2 * index) // 2 for index in range(count)]


def write_pair(folder: pathlib.Path, settings: plan.Settings, pair: int) -> int:
    """Perform a pair and write its file; return 1."""
    packed = performance_files.perform_pair(settings, pair)
    with media.written_beside(performance_files.pair_path(folder, pair)) as beside:
        beside.write_bytes(packed)
    return 1


if __name__ == "__main__":
    program.run(main)
