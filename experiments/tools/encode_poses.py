"""Perform voices and head movement without pictures, and encode them for CAPP.

    python -m experiments.tools.encode_poses --output_dir=data/poses --num_clips=500

Clips are longer than those of rendered heads, so that windows of three seconds can be
shifted against the voice; nothing is rendered, and a clip of eight seconds costs about
two seconds of one core. It needs the speech tools of the extra `data`. The same command
goes on where it was stopped.
"""

import pathlib

import numpy as np
import tqdm
from absl import flags

from datasets.synthetic_heads.performance import performance
from datasets.synthetic_heads.records import plan
from experiments.running import compilation_cache, folders, program
from vasa_jax import encoding
from vasa_jax.audio import encoders
from vasa_jax.data import records

OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Folder to fill.", required=True)
NUM_CLIPS = flags.DEFINE_integer(
    "num_clips", 500, "Of all splits together.", lower_bound=1
)
SECONDS = flags.DEFINE_float("seconds", 8.0, "Length of a clip.")
SEED = flags.DEFINE_integer("seed", 1, "Source of all chance.")
SPEECH_DIR = flags.DEFINE_string(
    "speech_dir", None, "As in `datasets.synthetic_heads.build`."
)
RECORDINGS_SHARE = flags.DEFINE_float("recordings_share", 0.5, "As there.")
AUDIO_ENCODER = flags.DEFINE_enum(
    "audio_encoder", "whisper_tiny", list(encoders.NAMES), "Of the voice."
)
AUDIO_WEIGHTS = flags.DEFINE_string(
    "audio_weights", None, "File of its weights, if they do not come with the package."
)


def main(_) -> int:
    """Perform and encode as the flags say; return the exit code."""
    compilation_cache.enable()
    settings = plan.Settings(
        seconds=SECONDS.value,
        seed=SEED.value,
        speech_dir=SPEECH_DIR.value,
        recordings_share=RECORDINGS_SHARE.value,
    )
    output = pathlib.Path(OUTPUT_DIR.value)
    encoder = encoders.make(AUDIO_ENCODER.value, AUDIO_WEIGHTS.value)
    folders.keep_settings(
        output,
        {
            "seconds": SECONDS.value,
            "seed": SEED.value,
            "recordings_share": RECORDINGS_SHARE.value if SPEECH_DIR.value else 0.0,
            **encoding.audio_settings(AUDIO_ENCODER.value, AUDIO_WEIGHTS.value),
        },
    )
    variables = encoder.load_variables()
    for clip in tqdm.tqdm(wanted_clips(settings, NUM_CLIPS.value), unit="clip"):
        folder = output / clip.split
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{clip.performance}.npz"
        if path.exists():
            continue
        done = performance.perform(clip.request)
        waveform = encoding.to_waveform(done.audio, clip.request.num_frames)
        features = encoder.features(variables, waveform[None])[0]
        record = {
            "clip_id": clip.performance,
            "identity": clip.identity,
            "voice": done.voice,
            "motion": np.asarray(done.rotation, np.float32),
            "audio_features": np.asarray(features, np.float16),
            "split": clip.split,
        }
        records.write_npz_record(path, record)
    return 0


def wanted_clips(settings: plan.Settings, num_clips: int) -> list[plan.Clip]:
    """Return the first clips with performances of their own, validation early.

    Args:
        settings: of the plan.
        num_clips: how many.

    Returns:
        Clips of which no two share a performance.
    """
    found: dict[str, plan.Clip] = {}
    identity = 0
    while len(found) < num_clips:
        for clip in plan.clips_of(settings, identity):
            found.setdefault(clip.performance, clip)
        identity += 1
    return list(found.values())[:num_clips]


if __name__ == "__main__":
    program.run(main)
