"""Compare frames, resumed runs and exports of two environments, such as two Pythons.

    python -m experiments.compare_environments --other=.venv313/bin/python \
        --output=compared/

Both run this program's parts in this folder. Frames may differ by
`MAX_LEVELS` of 255 in less than `MAX_SHARE` of the values; a run that goes on in its
own environment gives the same ten losses and parameters, bit for bit, in the other's
losses within `MAX_LOSS_DIFFERENCE`; exports are read with the same bits. Each way is
tried. Ends with code 1 where something does not hold; writes `compared.md`.
"""

import json
import pathlib
import subprocess
import sys

import numpy as np
from absl import flags

from experiments.running import folders, program
from experiments.tools import environment_rows, environment_work
from vasa_jax import compilation_cache, config
from vasa_jax.evaluation.report import score_report

OTHER = flags.DEFINE_string("other", None, "Python of the other environment.")
OUTPUT = flags.DEFINE_string("output", None, "New folder to fill.", required=True)
PART = flags.DEFINE_enum(
    "part", None, ["begin", "go_on"], "What this program asks of each environment."
)
NUM_FRAMES = flags.DEFINE_integer("num_frames", 50, "To animate.", lower_bound=1)

NAMES = "this", "other"
"""Folders within the output."""

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main(_) -> int:
    """Compare as the flags say; return the exit code."""
    output = pathlib.Path(OUTPUT.value).resolve()
    if PART.value is not None:
        compilation_cache.enable()
        if PART.value == "begin":
            environment_work.begin(output, NUM_FRAMES.value)
        else:
            (another,) = set(NAMES) - {output.name}
            environment_work.go_on(output, output.parent / another)
        return 0
    config.require(
        OTHER.value is not None,
        "There is nothing to compare with; give --other=PYTHON.",
    )
    config.require(
        not output.exists() or not any(output.iterdir()),
        f"The folder {output} is not empty; name a new --output.",
    )
    pythons = dict(zip(NAMES, (sys.executable, OTHER.value), strict=True))
    work_folders = {name: folders.make(output / name) for name in pythons}
    for part in ("begin", "go_on"):
        for name, python in pythons.items():
            _work(python, part, work_folders[name])
    found = {name: read(work_folder) for name, work_folder in work_folders.items()}
    rows = environment_rows.compare(found["this"], found["other"])
    versions = " and ".join(
        f"Python {one['whole']['python']} with jax {one['whole']['jax']}"
        for one in found.values()
    )
    lines = [
        f"{versions}:",
        "",
        "| what | found | allowed | holds |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {what} | {value} | {limit} | {'yes' if holds else '**no**'} |"
        for what, value, limit, holds in rows
    ]
    text = "\n".join(lines) + "\n"
    score_report.write({output / "compared.md": text})
    print(text)
    return 0 if all(holds for *_, holds in rows) else 1


def _work(python: str, part: str, work_folder: pathlib.Path) -> None:
    command = [python, "-m", "experiments.compare_environments", f"--part={part}"]
    command += [f"--output={work_folder}", f"--num_frames={NUM_FRAMES.value}"]
    try:
        code = subprocess.run(command, cwd=ROOT).returncode
    except OSError as error:
        code = error.strerror
    config.require(
        code == 0, f"{python} could not do its part ({code}); see what it says above."
    )


def read(work_folder: pathlib.Path) -> dict:
    """Return what one environment has told, and its frames."""
    work = environment_work
    names = work.WHOLE, work.RESUMED, work.CROSSED, work.EXPORT_NAME
    about = {
        name: json.loads(
            (work_folder / work.ABOUT_NAME.format(name)).read_text("utf-8")
        )
        for name in names
    }
    return {**about, "frames": np.load(work_folder / work.FRAMES_NAME)}


if __name__ == "__main__":
    program.run(main)
