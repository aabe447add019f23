"""Show on one page what a set of clips holds: frames, histograms, people, reasons.

    python -m experiments.set_page --data_dir=data/heads --output=heads.html

reads a set that a builder of `datasets` made, and writes HTML that needs nothing beside
it. `--max_clips` bounds what is read; those are spread over the whole set.
"""

import pathlib

from absl import flags

from experiments.running import program
from experiments.tools import page_of_set
from vasa_jax import errors, media
from vasa_jax.data import records

DATA_DIR = flags.DEFINE_string("data_dir", None, "Folder of a set.", required=True)
OUTPUT = flags.DEFINE_string("output", None, "File to write, .html.", required=True)
MAX_CLIPS = flags.DEFINE_integer("max_clips", 5000, "How many to read.", lower_bound=1)

SPLITS = ("train", "validation", "test")


def main(_) -> None:
    """Write the page that the flags ask for."""
    media.check_place(OUTPUT.value)
    folder = pathlib.Path(DATA_DIR.value)
    found = {}
    for split in SPLITS:
        try:
            found[split] = records.open_folder(folder, split)
        except records.MissingSplitError:
            continue
    if not found:
        raise errors.UserError(
            f"{DATA_DIR.value} has none of the splits {', '.join(SPLITS)}; give the "
            "folder of a set that a builder made."
        )
    text = page_of_set.page(folder, found, MAX_CLIPS.value)
    with media.written_beside(OUTPUT.value) as beside:
        beside.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    program.run(main)
