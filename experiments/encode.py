"""Encode the clips of a data set for stage two, each frame once.

    python -m experiments.encode --checkpoint=FACE --data_dir=CLIPS --output_dir=ENCODED

FACE is an export of stage one. An encoded clip is an npz file in the folder of its
split; the same command goes on where it was stopped. A three-second clip of 256 px
costs about 0.7 s of one CPU core.

    --audio_encoder=wav2vec2 --audio_weights=model.safetensors

takes the paper's encoder, whose weights do not come with the package: the safetensors
file of facebook/wav2vec2-base-960h. Its name and hash go along into checkpoints.

Of clips of videos (`datasets.video_clips`) gaze and emotion are estimates. What a
record does not tell is encoded as no number, and stage two drops the condition for it.
A set of videos alone teaches a weak control of emotion (`docs/labels.md`); encode
rendered heads into the same folder for that.
"""

import collections
import concurrent.futures
import json
import pathlib
import re
import sys
from collections.abc import Iterable, Iterator

import tqdm
from absl import flags

from experiments.running import folders, program
from vasa_jax import compilation_cache, config, export
from vasa_jax.audio import encoders
from vasa_jax.data import mixed_sets, records
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
    params, configs, _ = export.load_export(CHECKPOINT.value)
    sizes, face_params = encoding.take_face(params, configs, CHECKPOINT.value)
    sets = {
        split: mixed_sets.open_folders(DATA_DIR.value, split) for split in SPLITS.value
    }
    compilation_cache.enable()
    output = pathlib.Path(OUTPUT_DIR.value)
    encoder = encoders.make(AUDIO_ENCODER.value, AUDIO_WEIGHTS.value)
    clips = encoding.ClipEncoder(sizes, face_params, encoder, BATCH_SIZE.value)
    manifest = pathlib.Path(CHECKPOINT.value) / export.MANIFEST_NAME
    folders.keep_settings(
        output,
        {
            "face_export": json.loads(manifest.read_text(encoding="utf-8"))["hash"],
            **encoding.audio_settings(AUDIO_ENCODER.value, AUDIO_WEIGHTS.value),
        },
    )
    counts: collections.Counter[str] = collections.Counter()
    corrupt = []
    for split, opened in sets.items():
        for outcome in encode_split(clips, opened, split, output, MAX_CLIPS.value):
            counts[outcome.split(":")[0]] += 1
            if outcome.startswith("corrupt"):
                corrupt.append(outcome)
    print(
        f"{output}: {counts['encoded']} clips encoded, {counts['kept']} were there, "
        f"{counts['corrupt']} corrupt and left out"
    )
    for outcome in corrupt[:NUM_NAMED]:
        print(f"  {outcome}", file=sys.stderr)
    config.require(
        counts["encoded"] + counts["kept"] > 0, "No clip could be read; see above."
    )
    return 0


def encode_split(
    clips: encoding.ClipEncoder,
    opened: records.Records,
    split: str,
    output: pathlib.Path,
    max_clips: int | None = None,
) -> Iterator[str]:
    """Encode what is missing of a split, with a progress bar.

    Args:
        clips: the encoder.
        opened: the clips.
        split: name of the split and of its folder in `output`.
        output: folder of the encoded set.
        max_clips: how many of the first to take; None takes all.

    Yields:
        For each clip "encoded", "kept", or "corrupt: " with what is wrong.
    """
    folder = output / split
    folder.mkdir(parents=True, exist_ok=True)

    def read(index: int):
        """Return a clip's file, and record and frames if it is not there yet."""
        try:
            name = records.record_name(opened, index, _name_of(opened, index))
            path = folder / f"{re.sub(r'[^A-Za-z0-9_.-]', '_', name)}.npz"
            if path.exists():
                return path, None
            record = opened.read(index)
            return path, (record, encoding.decode_clip(record))
        except (records.CorruptRecordError, KeyError) as error:
            return opened.place(index), error

    count = min(len(opened), max_clips or len(opened))
    bar = tqdm.tqdm(read_ahead(read, range(count)), total=count, desc=split, delay=0.5)
    for path, found in bar:
        if found is None:
            yield "kept"
            continue
        try:
            if isinstance(found, Exception):
                raise found
            records.write_npz_record(path, clips.encode(*found, split))
        except (records.CorruptRecordError, KeyError) as error:
            yield f"corrupt: {path}: {error}"
            continue
        yield "encoded"


def read_ahead(read, indices: Iterable[int]) -> Iterator:
    """Call `read` in one thread, a clip ahead. Ours: decoding leaves Python."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = collections.deque()
        for index in indices:
            waiting.append(pool.submit(read, index))
            if len(waiting) > 2:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _name_of(opened: records.Records, index: int) -> records.Record:
    return opened.read(index, [records.NAME_FIELD])


if __name__ == "__main__":
    program.run(main)
