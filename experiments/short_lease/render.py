"""Render carried performances on all cores, into npz clips that train without FFmpeg.

    python -m experiments.short_lease.render --carried_dir=data/carried \
        --output_dir=data/plain --size=256 --max_seconds=300

fills a folder that `vasa_jax.data.records.open_folder` reads: a subfolder for each
split, an npz file for each clip, whose frames are an array (15 MB at 256 pixels and
three seconds). Validation comes first. Run again to go on.
"""

import functools
import os
import pathlib
import time

from absl import flags

from datasets.building import processes
from experiments.running import program
from experiments.short_lease import performance_files, plain_clips

_CARRIED_DIR = flags.DEFINE_string(
    "carried_dir", None, "Folder that `perform` filled.", required=True
)
_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Folder to fill.", required=True)
_SIZE = flags.DEFINE_integer("size", 256, "Pixels of a side.")
_STRENGTH = flags.DEFINE_float("randomization_strength", 0.5, "As in `build`.")
_MAX_SECONDS = flags.DEFINE_float(
    "max_seconds", None, "Start no clip after so long; all are made if left."
)
_NUM_WORKERS = flags.DEFINE_integer(
    "num_workers", None, "Processes; all cores by default.", lower_bound=1
)


def main(_) -> None:
    """Render what the flags ask for."""
    start = time.time()
    folder = pathlib.Path(_CARRIED_DIR.value).expanduser().absolute()
    output = pathlib.Path(_OUTPUT_DIR.value).expanduser().absolute()
    settings = performance_files.read_settings(folder, _SIZE.value, _STRENGTH.value)
    missing = plain_clips.unrendered(folder, output, settings)
    made = processes.call_each(
        functools.partial(
            plain_clips.render_identity,
            folder,
            output,
            settings,
            start + (_MAX_SECONDS.value or float("inf")),
        ),
        missing,
        _NUM_WORKERS.value or len(os.sched_getaffinity(0)),
        total=sum(map(len, missing)),
        unit="clips",
    )
    parts = ", ".join(
        f"{len(list(split.glob('*.npz')))} {split.name}"
        for split in sorted(output.iterdir())
    )
    print(f"{parts} in {output}; {made} made in {time.time() - start:.0f} s")


if __name__ == "__main__":
    program.run(main)
