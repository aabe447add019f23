"""Encode the clips of a data set for stage two, each frame once.

    python -m experiments.encode --checkpoint=FACE --data_dir=CLIPS --output_dir=ENCODED

FACE is an export of stage one. An encoded clip is an npz file in the folder of its
split; the same command goes on where it was stopped. A three-second clip of 256 px
costs about 0.7 s of one CPU core; `--num_workers` asks for more than one process.

    --audio_encoder=wav2vec2 --audio_weights=model.safetensors

takes the paper's encoder, whose weights do not come with the package: the safetensors
file of facebook/wav2vec2-base-960h. Its name and hash go along into checkpoints.

Of clips of videos (`datasets.video_clips`) gaze and emotion are estimates. What a
record does not tell is encoded as no number, and stage two drops the condition for it.
A set of videos alone teaches a weak control of emotion (`docs/labels.md`); encode
rendered heads into the same folder for that.
"""

import json
import pathlib
import sys

from absl import flags

from datasets.building import engine_flags
from experiments.running import encoded_shards, folders, program
from vasa_jax import config, export
from vasa_jax.audio import encoders
from vasa_jax.data import mixed_sets
from vasa_jax.encode import encoding

CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "Export of stage one.", required=True
)
DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Folder of clips, or several: a,b.", required=True
)
OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Folder to fill.", required=True)
AUDIO_ENCODER = flags.DEFINE_enum(
    "audio_encoder", "whisper_tiny", list(encoders.NAMES), "Of the voice."
)
AUDIO_WEIGHTS = flags.DEFINE_string(
    "audio_weights", None, "File of its weights, if they do not come with the package."
)
SPLITS = flags.DEFINE_list("splits", ["train", "validation"], "Which to encode.")
BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", encoding.BATCH_FRAMES, "Frames encoded at once.", lower_bound=1
)
MAX_CLIPS = flags.DEFINE_integer(
    "max_clips", None, "Clips of each split; all if left.", lower_bound=1
)

NUM_NAMED = 5
"""Corrupt clips that are named. Ours."""


def main(_) -> int:
    """Encode as the flags say; return the exit code."""
    # Before workers start, because what does not fit is no clip's fault.
    params, configs, _ = export.load_export(CHECKPOINT.value)
    encoding.take_face(params, configs, CHECKPOINT.value)
    encoders.make(AUDIO_ENCODER.value, AUDIO_WEIGHTS.value)
    for split in SPLITS.value:
        mixed_sets.open_folders(DATA_DIR.value, split)
    engine = engine_flags.engine(num_workers=1)
    output = pathlib.Path(OUTPUT_DIR.value).absolute()
    manifest = pathlib.Path(CHECKPOINT.value) / export.MANIFEST_NAME
    folders.keep_settings(
        output,
        {
            "face_export": json.loads(manifest.read_text(encoding="utf-8"))["hash"],
            **encoding.audio_settings(AUDIO_ENCODER.value, AUDIO_WEIGHTS.value),
        },
    )
    sets = map(_absolute, mixed_sets.split_folders(DATA_DIR.value))
    settings = encoded_shards.Settings(
        checkpoint=_absolute(CHECKPOINT.value),
        data_dir=mixed_sets.SEPARATOR.join(sets),
        output=str(output),
        audio_encoder=AUDIO_ENCODER.value,
        audio_weights=AUDIO_WEIGHTS.value and _absolute(AUDIO_WEIGHTS.value),
        batch_size=BATCH_SIZE.value,
    )
    report = encoded_shards.build(settings, SPLITS.value, MAX_CLIPS.value, engine)
    print(
        f"{output}: {len(report.files)} clips encoded, {len(report.corrupt)} corrupt "
        "and left out"
    )
    for sentence in report.corrupt[:NUM_NAMED]:
        print(f"  {sentence}", file=sys.stderr)
    config.require(bool(report.files), "No clip could be read; see above.")
    return 0


def _absolute(path: str) -> str:
    return str(pathlib.Path(path).absolute())


if __name__ == "__main__":
    program.run(main)
