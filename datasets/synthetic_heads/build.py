"""Build synthetic talking heads on all cores; run again to go on or to grow.

    python -m datasets.synthetic_heads.build --output_dir=/data/heads --num_clips=1000

makes a folder that `tfds.builder_from_directory(folder).as_data_source()` reads. About
1,000 clips of 3 s at 128 pixels an hour and core, or more. `--splits=test` makes only
people that no training set of the same seed holds.
"""

from absl import flags

from datasets.building import build_program, engine_flags
from datasets.synthetic_heads.records import builder, plan

_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Folder of the set.")
_NUM_CLIPS = flags.DEFINE_integer("num_clips", 64, "How many clips.", lower_bound=1)
_SECONDS = flags.DEFINE_float("seconds", 3.0, "Length of a clip.")
_SIZE = flags.DEFINE_integer("size", 128, "Pixels of a side.")
_SEED = flags.DEFINE_integer("seed", 0, "Source of all chance.")
_NUM_TAKES = flags.DEFINE_integer("num_takes", 4, "Clips of an identity.")
_STRENGTH = flags.DEFINE_float(
    "randomization_strength", 0.5, "0 plausible people only, 1 all kinds of looks."
)
_SPEECH_DIR = flags.DEFINE_string(
    "speech_dir", None, "Folder of recordings (flac, wav) for a share of the voices."
)
_RECORDINGS_SHARE = flags.DEFINE_float(
    "recordings_share", 0.5, "Share of voices that are recordings of --speech_dir."
)
_NATURAL_SHARE = flags.DEFINE_float(
    "natural_share",
    0.0,
    "Share of voices that are natural ones of nobody (needs the extra `voices`).",
)
_BARED_SMILES_SHARE = flags.DEFINE_float(
    "bared_smiles_share", 0.5, "Share of happy performances that show their teeth."
)
_SPLITS = flags.DEFINE_list(
    "splits", list(plan.SPLITS), "Make clips of these splits' people only."
)


def main() -> None:
    """Build the set that the flags ask for."""
    settings = plan.Settings(
        seconds=_SECONDS.value,
        size=_SIZE.value,
        seed=_SEED.value,
        num_takes=_NUM_TAKES.value,
        randomization_strength=_STRENGTH.value,
        speech_dir=_SPEECH_DIR.value,
        recordings_share=_RECORDINGS_SHARE.value,
        natural_share=_NATURAL_SHARE.value,
        bared_smiles_share=_BARED_SMILES_SHARE.value,
        splits=tuple(_SPLITS.value),
    )
    plan.check_voices(settings)
    outcome = builder.build(
        build_program.folder(_OUTPUT_DIR, "to fill"),
        settings,
        _NUM_CLIPS.value,
        engine_flags.engine(),
    )
    build_program.print_outcome(outcome, _OUTPUT_DIR.value, "clip", "person")


if __name__ == "__main__":
    build_program.run(main)
