"""Encode performances that nobody renders for stage two, in place of clips.

    python -m experiments.encode_performances --checkpoint=FACE_EXPORT \
        --output_dir=data/performances --num_clips=2000 --seconds=12

Stage two learns motion, and motion needs no pictures: head poses are measured on the
person's shape, and the face model's own map turns expression and gaze into facial
dynamics. A clip of ten seconds costs about a second of one core where its rendering
costs minutes. The clips stand beside those of `experiments.encode`
(`--set=data_dir=ENCODED,PERFORMANCES`) or alone. It needs the speech tools of the extra
`data`. The same command goes on where it was stopped.
"""

import json
import pathlib

import tqdm
from absl import flags

from datasets.synthetic_heads.records import plan, unrendered
from experiments.running import folders, program
from vasa_jax import compilation_cache, export
from vasa_jax.audio import encoders
from vasa_jax.data import records
from vasa_jax.encode import degraded_voice, encoding
from vasa_jax.face import dynamics_code

CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "Export of stage one.", required=True
)
OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Folder to fill.", required=True)
NUM_CLIPS = flags.DEFINE_integer(
    "num_clips", 500, "Of all splits together.", lower_bound=1
)
SECONDS = flags.DEFINE_float("seconds", 10.0, "Length of a clip.")
SEED = flags.DEFINE_integer("seed", 1, "Source of all chance.")
SPEECH_DIR = flags.DEFINE_string(
    "speech_dir", None, "As in `datasets.synthetic_heads.build`."
)
RECORDINGS_SHARE = flags.DEFINE_float("recordings_share", 0.5, "As there.")
NATURAL_SHARE = flags.DEFINE_float("natural_share", 0.0, "As there.")
CALM_SHARE = flags.DEFINE_float(
    "calm_share",
    0.5,
    "Of performances that are calm whatever the plan; of the rest one in eight is.",
    lower_bound=0.0,
    upper_bound=1.0,
)
DEGRADED_SHARE = flags.DEFINE_float(
    "degraded_share",
    0.0,
    "Of performances whose voice is heard as a microphone or a call has it; their "
    "motion stays.",
    lower_bound=0.0,
    upper_bound=1.0,
)
AUDIO_ENCODER = flags.DEFINE_enum(
    "audio_encoder", "whisper_tiny", list(encoders.NAMES), "Of the voice."
)
AUDIO_WEIGHTS = flags.DEFINE_string(
    "audio_weights", None, "File of its weights, if they do not come with the package."
)


def main(_) -> int:
    """Perform and encode as the flags say; return the exit code."""
    settings = plan.Settings(
        seconds=SECONDS.value,
        seed=SEED.value,
        speech_dir=SPEECH_DIR.value,
        recordings_share=RECORDINGS_SHARE.value,
        natural_share=NATURAL_SHARE.value,
    )
    plan.check_voices(settings)
    params, configs, _ = export.load_export(CHECKPOINT.value)
    sizes, face_params = encoding.take_face(params, configs, CHECKPOINT.value)
    dynamics_code.require_map(sizes, face_params, f"The export {CHECKPOINT.value!r}")
    compilation_cache.enable()
    encoder = encoders.make(AUDIO_ENCODER.value, AUDIO_WEIGHTS.value)
    clips = encoding.ClipEncoder(sizes, face_params, encoder)
    output = pathlib.Path(OUTPUT_DIR.value)
    manifest = pathlib.Path(CHECKPOINT.value) / export.MANIFEST_NAME
    folders.keep_settings(
        output,
        {
            "face_export": json.loads(manifest.read_text(encoding="utf-8"))["hash"],
            **encoding.audio_settings(AUDIO_ENCODER.value, AUDIO_WEIGHTS.value),
        },
    )
    wanted = unrendered.wanted_clips(settings, NUM_CLIPS.value, CALM_SHARE.value)
    for clip in tqdm.tqdm(wanted, total=NUM_CLIPS.value, unit="clip", delay=0.5):
        folder = output / clip.split
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"seed_{settings.seed}_{clip.performance}.npz"
        if path.exists():
            continue
        record = unrendered.make(clip, unrendered.build_shape(clip, settings))
        record["audio"] = degraded_voice.heard(
            record, settings.seed, DEGRADED_SHARE.value
        )
        records.write_npz_record(path, clips.encode_known(record, clip.split))
    return 0


if __name__ == "__main__":
    program.run(main)
