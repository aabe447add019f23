"""Print what runs have come to, and draw their curves.

    python -m experiments.tools.curves --workdir=runs/face --workdir=runs/motion \
        --output=curves.png

The table has the last value of each measure; the picture needs matplotlib, of the extra
`evaluate`.
"""

import pathlib

from absl import flags

from experiments.running import program
from experiments.tools import curve_sheet
from vasa_jax import config

WORKDIR = flags.DEFINE_multi_string(
    "workdir", None, "Work folder of a run; give one for each.", required=True
)
OUTPUT = flags.DEFINE_string("output", None, "PNG to write.")


def main(_) -> int:
    """Print and draw what the flags name; return the exit code."""
    runs = {pathlib.Path(w).name: curve_sheet.read_curves(w) for w in WORKDIR.value}
    config.require(
        any(runs.values()), "None of the work folders holds measures; train first."
    )
    print(curve_sheet.to_table(runs))
    if OUTPUT.value:
        curve_sheet.draw(runs, OUTPUT.value)
    return 0


if __name__ == "__main__":
    program.run(main)
