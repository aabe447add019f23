"""Move the portraits of a folder; run again to go on or to grow.

    python -m datasets.photo_heads.build --portraits_dir=PICTURES --output_dir=CLIPS \
        --size=256

makes a folder that stage one reads like the synthetic heads, alone or beside them
(`--set=data_dir=HEADS,CLIPS`). PICTURES is searched to any depth; each picture is a
person of its own, a tenth of them for validation. The first clip of each shows the
untouched picture, the others perform with synthetic voices. Whatever makes no clip is
named in CLIPS/skipped.txt. Use pictures of people who agreed to it, or who do not
exist.
"""

from absl import flags

from datasets.building import build_program, engine_flags
from datasets.photo_heads.records import builder, plan

_DEFAULT = plan.Settings()

_PORTRAITS_DIR = flags.DEFINE_string("portraits_dir", None, "Folder of pictures.")
_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Folder of the set.")
_NUM_PORTRAITS = flags.DEFINE_integer(
    "num_portraits", None, "How many pictures to take; all by default.", lower_bound=1
)
_SIZE = flags.DEFINE_integer("size", _DEFAULT.size, "Pixels of a side.")
_SECONDS = flags.DEFINE_float("seconds", _DEFAULT.seconds, "Length of a clip.")
_SEED = flags.DEFINE_integer("seed", _DEFAULT.seed, "Source of all chance.")
_NUM_TAKES = flags.DEFINE_integer(
    "num_takes", _DEFAULT.num_takes, "Clips of a portrait, the untouched one included."
)


def main() -> None:
    """Build the set that the flags ask for."""
    outcome = builder.build(
        build_program.folder(_PORTRAITS_DIR, "of the pictures"),
        build_program.folder(_OUTPUT_DIR, "to fill"),
        plan.Settings(
            size=_SIZE.value,
            seconds=_SECONDS.value,
            seed=_SEED.value,
            num_takes=_NUM_TAKES.value,
        ),
        engine_flags.engine(),
        _NUM_PORTRAITS.value,
    )
    build_program.print_outcome(outcome, _OUTPUT_DIR.value, "picture", "portrait")


if __name__ == "__main__":
    build_program.run(main)
