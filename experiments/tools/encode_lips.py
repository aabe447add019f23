"""Cut the lips out of clips and encode their sound, for the lip-sync network.

    python -m experiments.tools.encode_lips --data_dir=data/heads --output_dir=data/lips

Takes rendered heads, moved photographs and clips of videos (`datasets.video_clips`)
alike, also into one folder. Clips without any sound, such as the untouched pictures of
`datasets.photo_heads`, are left out. A three-second clip costs about a second of one
core; training then reads no video. The same command goes on where it was stopped.
"""

import pathlib
import re

import numpy as np
import tqdm
from absl import flags

from experiments.running import folders, program
from vasa_jax import compilation_cache, config
from vasa_jax.audio import encoders
from vasa_jax.data import records
from vasa_jax.encode import encoding
from vasa_jax.portrait import face_cuts

DATA_DIR = flags.DEFINE_string("data_dir", None, "Folder of clips.", required=True)
OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Folder to fill.", required=True)
SPLITS = flags.DEFINE_list("splits", ["validation", "train"], "Which to encode.")
MAX_CLIPS = flags.DEFINE_integer(
    "max_clips", None, "Clips of each split; all if left.", lower_bound=1
)
AUDIO_ENCODER = flags.DEFINE_enum(
    "audio_encoder", "whisper_tiny", list(encoders.NAMES), "Of the voice."
)
AUDIO_WEIGHTS = flags.DEFINE_string(
    "audio_weights", None, "File of its weights, if they do not come with the package."
)

FIELDS = ("clip_id", "video", "audio", "head_pose")
"""What is read of a record."""


def main(_) -> int:
    """Encode as the flags say; return the exit code."""
    compilation_cache.enable()
    sets = {split: records.open_folder(DATA_DIR.value, split) for split in SPLITS.value}
    output = pathlib.Path(OUTPUT_DIR.value)
    encoder = encoders.make(AUDIO_ENCODER.value, AUDIO_WEIGHTS.value)
    folders.keep_settings(
        output,
        encoding.audio_settings(AUDIO_ENCODER.value, AUDIO_WEIGHTS.value),
    )
    variables = encoder.load_variables()
    num_corrupt = num_silent = num_whole = 0
    for split, opened in sets.items():
        folder = output / split
        folder.mkdir(parents=True, exist_ok=True)
        count = min(len(opened), MAX_CLIPS.value or len(opened))
        for index in tqdm.tqdm(range(count), desc=split, unit="clip", delay=0.5):
            try:
                name = opened.read(index, ["clip_id"])["clip_id"]
                path = folder / f"{re.sub(r'[^A-Za-z0-9_.-]', '_', name)}.npz"
                if not path.exists():
                    clip = opened.read(index, list(FIELDS))
                    if not np.any(clip["audio"]):
                        num_silent += 1
                        continue
                    made = encode(clip, encoder, variables)
                    records.write_npz_record(path, {**made, "split": split})
                num_whole += 1
            except records.CorruptRecordError:
                num_corrupt += 1
    print(
        f"{output}: {num_whole} clips; {num_corrupt} corrupt and {num_silent} silent "
        "ones left out"
    )
    config.require(num_whole > 0, "No clip could be read; check the data set.")
    return 0


def encode(
    record: records.Record, encoder: encoders.AudioEncoder, variables
) -> records.Record:
    """Encode one clip.

    Args:
        record: with `FIELDS`.
        encoder: of the voice.
        variables: of it.

    Returns:
        `clip_id`, `lips` uint8 `[T, 56, 56]` and float16 `audio_features` `[T, A]`.

    Raises:
        CorruptRecordError: fields do not fit one another.
    """
    frames = encoding.decode_clip(record)
    if len(frames) != len(record["head_pose"]):
        raise records.CorruptRecordError(
            f"head_pose has {len(record['head_pose'])} rows and the video "
            f"{len(frames)} frames"
        )
    waveform = encoding.to_waveform(record["audio"], len(frames))
    features = encoder.features(variables, waveform[None])[0]
    return {
        "clip_id": record["clip_id"],
        "lips": face_cuts.cut_lips(frames, record["head_pose"]),
        "audio_features": np.asarray(features, np.float16),
    }


if __name__ == "__main__":
    program.run(main)
