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

import os
import pathlib
import sys

from absl import app, flags

from datasets.photo_heads import builder, plan
from vasa_jax import errors

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
_NUM_WORKERS = flags.DEFINE_integer(
    "num_workers", None, "Processes; all cores by default.", lower_bound=1
)


def main(argv: list[str]) -> None:
    """Build the set that the flags ask for."""
    try:
        if len(argv) > 1:
            raise errors.UserError(
                f"The argument {argv[1]!r} is no flag; write --name=value."
            )
        outcome = builder.build(
            _folder(_PORTRAITS_DIR, "of the pictures"),
            _folder(_OUTPUT_DIR, "to fill"),
            plan.Settings(
                size=_SIZE.value,
                seconds=_SECONDS.value,
                seed=_SEED.value,
                num_takes=_NUM_TAKES.value,
            ),
            _NUM_WORKERS.value or len(os.sched_getaffinity(0)),
            _NUM_PORTRAITS.value,
        )
    except errors.UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    parts = [
        f"{count} {split} of {outcome.num_identities[split]} portraits"
        for split, count in outcome.num_clips.items()
    ]
    print(
        f"{sum(outcome.num_clips.values())} clips ({', '.join(parts)}) in "
        f"{_OUTPUT_DIR.value}"
    )
    for kind, count in sorted(outcome.num_skipped.items()):
        print(f"skipped {count} pictures {kind}: see {builder.SKIPPED_FILE}")


def _folder(flag, meaning: str) -> pathlib.Path:
    if not flag.value:
        raise errors.UserError(f"--{flag.name} is missing; name the folder {meaning}.")
    return pathlib.Path(flag.value).expanduser().absolute()


if __name__ == "__main__":
    app.run(main)
