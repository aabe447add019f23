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
from experiments.tools import environment_work
from vasa_jax import compilation_cache, config
from vasa_jax.evaluation.report import score_report

OTHER = flags.DEFINE_string("other", None, "Python of the other environment.")
OUTPUT = flags.DEFINE_string("output", None, "New folder to fill.", required=True)
PART = flags.DEFINE_enum(
    "part", None, ["begin", "go_on"], "What this program asks of each environment."
)
NUM_FRAMES = flags.DEFINE_integer("num_frames", 50, "To animate.", lower_bound=1)

MAX_LEVELS, MAX_SHARE = 1, 1e-4
"""Ours: what two versions of XLA round differently, and nobody sees."""

MAX_LOSS_DIFFERENCE = 1e-4
"""Relative. Ours: as above, through ten steps."""

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
    places = {name: folders.make(output / name) for name in pythons}
    for part in ("begin", "go_on"):
        for name, python in pythons.items():
            _work(python, part, places[name])
    found = {name: read(place) for name, place in places.items()}
    rows = compare(found["this"], found["other"])
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


def _work(python: str, part: str, place: pathlib.Path) -> None:
    command = [python, "-m", "experiments.compare_environments", f"--part={part}"]
    command += [f"--output={place}", f"--num_frames={NUM_FRAMES.value}"]
    try:
        code = subprocess.run(command, cwd=ROOT).returncode
    except OSError as error:
        code = error.strerror
    config.require(
        code == 0, f"{python} could not do its part ({code}); see what it says above."
    )


def read(place: pathlib.Path) -> dict:
    """Return what one environment has told, and its frames."""
    work = environment_work
    names = work.WHOLE, work.RESUMED, work.CROSSED, work.EXPORT_NAME
    told = {
        name: json.loads((place / work.ABOUT_NAME.format(name)).read_text("utf-8"))
        for name in names
    }
    return {**told, "frames": np.load(place / work.FRAMES_NAME)}


def compare(this: dict, other: dict) -> list[tuple[str, str, str, bool]]:
    """Compare what two environments have told.

    Args:
        this, other: as from `read`.

    Returns:
        Rows: what, what was found, what is allowed, whether it holds.
    """
    away = np.abs(this["frames"].astype(int) - other["frames"])
    share = float((away > 0).mean())
    limit = f"at most {MAX_LEVELS} in less than {100 * MAX_SHARE:g} %"
    rows = [
        (
            f"{len(away)} frames, levels of 255 that values differ by",
            f"{away.max()} in {100 * share:.4f} %",
            limit,
            bool(away.max() <= MAX_LEVELS and share < MAX_SHARE),
        )
    ]
    names = {"this": this, "other": other}
    for name, one in names.items():
        whole, resumed = one["whole"], one["resumed"]
        is_same = whole == resumed
        rows.append(
            (
                f"{name}: ten losses and parameters after going on",
                "the same" if is_same else "others",
                "the same bits",
                is_same,
            )
        )
    for name, one, maker in (
        ("this goes on with the other's run", this, other),
        ("the other goes on with this one's run", other, this),
    ):
        worst = loss_difference(one["crossed"]["losses"], maker["whole"]["losses"])
        rows.append(
            (
                f"{name}: losses differ by, relative",
                f"{worst:.1e}",
                f"{MAX_LOSS_DIFFERENCE:g}",
                worst <= MAX_LOSS_DIFFERENCE,
            )
        )
        is_same = one["export"]["digest"] == maker["whole"]["digest"]
        rows.append(
            (
                name.replace("goes on with", "reads").replace("run", "export"),
                "the same" if is_same else "others",
                "the same bits",
                is_same,
            )
        )
    return rows


def loss_difference(a: dict[str, float], b: dict[str, float]) -> float:
    """Return the largest relative difference of losses by step; all must be there."""
    if a.keys() != b.keys():
        return float("inf")
    return max(abs(a[step] - b[step]) / abs(b[step]) for step in a)


if __name__ == "__main__":
    program.run(main)
