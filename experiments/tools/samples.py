"""Write strips of frames: held-out people who say what held-out voices say.

    python -m experiments.tools.samples --checkpoint=checkpoint --data_dir=data/plain \
        --output=samples.png

For each clip two rows: the truth, and the clip's first frame animated by its voice. The
pose of the portrait is the record's, so that no landmarks need be found.
"""

import einops
import numpy as np
from absl import flags

from experiments.running import program
from vasa_jax import compilation_cache, config, media, types
from vasa_jax.animate import controls, talking_face, trained
from vasa_jax.data import clips, records
from vasa_jax.encode import encoding
from vasa_jax.face import examples
from vasa_jax.portrait import crop, marks

CHECKPOINT = flags.DEFINE_string("checkpoint", None, "Of both models.", required=True)
DATA_DIR = flags.DEFINE_string("data_dir", None, "Folder of clips.", required=True)
SPLIT = flags.DEFINE_string("split", "validation", "Whose clips.")
NUM_CLIPS = flags.DEFINE_integer("num_clips", 4, "Rows of truth.", lower_bound=1)
NUM_FRAMES = flags.DEFINE_integer("num_frames", 10, "Of a row.", lower_bound=1)
OUTPUT = flags.DEFINE_string("output", None, "PNG to write.", required=True)


def rows_of(
    face: talking_face.TalkingFace, record: records.Record, num_frames: int, seed: int
) -> np.ndarray:
    """Make the two rows of a clip.

    Args:
        face: both models.
        record: a clip of synthetic heads.
        num_frames: of a row, evenly over the clip.
        seed: of the performance.

    Returns:
        uint8 `[2 S, num_frames S, 3]`.
    """
    size = face.image_size
    truth = examples.shrink(clips.read_frames(record), size)
    portrait = talking_face.Portrait(
        image=truth[0],
        head_pose=types.HeadPose.from_vector(record["head_pose"][:1]),
        box=crop.CropBox.of_whole(size, size),
        marks=marks.find_in_cut(truth[0]),
    )
    waveform = encoding.to_waveform(record["audio"], len(truth))
    asked = controls.Controls(seed=seed)
    spoken = np.concatenate(list(face.animate(portrait, waveform, asked)))
    chosen = np.linspace(0, len(truth) - 1, num_frames).round().astype(int)
    pair = np.stack([truth[chosen], spoken[chosen]])
    return einops.rearrange(pair, "r n h w c -> (r h) (n w) c")


def main(_) -> int:
    """Write what the flags ask for; return the exit code."""
    opened = records.open_folder(DATA_DIR.value, SPLIT.value)
    count = min(NUM_CLIPS.value, len(opened))
    config.require(count > 0, f"There is no clip in {DATA_DIR.value!r}.")
    compilation_cache.enable()
    face = talking_face.TalkingFace(trained.load(CHECKPOINT.value))
    indices = np.linspace(0, len(opened) - 1, count).round().astype(int)
    rows = [
        rows_of(face, opened.read(int(index)), NUM_FRAMES.value, seed)
        for seed, index in enumerate(indices)
    ]
    media.write_image(OUTPUT.value, np.concatenate(rows))
    print(f"{count} clips, truth above what the voice gave: {OUTPUT.value}")
    return 0


if __name__ == "__main__":
    program.run(main)
