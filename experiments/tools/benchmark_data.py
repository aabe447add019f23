r"""Measure how many frames a second one core brings from clips to batches.

    python -m experiments.tools.benchmark_data --sizes=256,512
    python -m experiments.tools.benchmark_data --data_dir=DATA

Beside it stands the floor: the same clips read from the first frame to the last with
PyAV alone, in one thread. Seconds are those of the processor, over all threads, so that
the figures are per core and hold on a busy machine too. Without `--data_dir` the clips
are made here: a picture that drifts, three seconds each.
"""

import functools
import io
import time
from collections.abc import Callable

import av
import numpy as np
from absl import flags

from experiments.running import program
from vasa_jax import config, media, types
from vasa_jax.data import clips, examples, pipeline, records

SIZES = flags.DEFINE_list("sizes", ["256", "512"], "Pixels of a side, of made clips.")
DATA_DIR = flags.DEFINE_string("data_dir", None, "Folder of clips to read instead.")
NUM_CLIPS = flags.DEFINE_integer("num_clips", 8, "Clips read.", lower_bound=1)
NUM_FRAMES = 3 * types.FRAME_RATE_HZ
"""Of a made clip. Ours: the length of the clips that the demo is trained on."""

DRIFT_PIXELS = 2
"""Of a made clip, a frame. Ours: about as a head moves."""


def main(_) -> int:
    """Measure what the flags name; return the exit code."""
    print("| clips | how they are read | frames/s of one core | times the floor |")
    print("|---|---|---|---|")
    if DATA_DIR.value is not None:
        opened = records.open_folder(DATA_DIR.value, "train")
        count = min(NUM_CLIPS.value, len(opened))
        show("as given", [opened.read(index) for index in range(count)])
        return 0
    for size in SIZES.value:
        config.require(
            size.isdigit() and int(size) >= 32 and int(size) % 2 == 0,
            f"--sizes has {size!r}; give even numbers from 32.",
        )
        made = [make_clip(int(size), seed) for seed in range(NUM_CLIPS.value)]
        show(f"{size} px", made)
    return 0


def show(name: str, read: list[records.Record]) -> None:
    """Print a line for each way to read the clips."""
    ways: dict[str, Callable[[list[records.Record]], int]] = {
        "PyAV alone (floor)": by_pyav,
        "whole clips, in batches of Grain": functools.partial(by_grain, wanted=None),
        "one frame of each, as stage one": functools.partial(by_grain, wanted=1),
    }
    floor = None
    for way, take in ways.items():
        take(read)  # imports, caches
        start = time.process_time()
        rate = take(read) / (time.process_time() - start)
        floor = floor or rate
        print(f"| {name} | {way} | {rate:.0f} | {floor / rate:.2f} |", flush=True)


def make_clip(size: int, seed: int) -> records.Record:
    """Make a record with a video of a smooth picture that drifts."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (size // 16, size // 16, 3), np.uint8)
    picture = coarse.repeat(16, 0).repeat(16, 1)
    picture = (picture // 2 + np.roll(picture, 5, (0, 1)) // 2)[:size, :size]
    frames = np.stack(
        [np.roll(picture, DRIFT_PIXELS * t, axis=1) for t in range(NUM_FRAMES)]
    )
    return {
        "clip_id": f"clip_{seed}",
        "num_frames": NUM_FRAMES,
        "video": media.encode_video(frames),
    }


def by_pyav(read: list[records.Record]) -> int:
    """Decode every frame to RGB with PyAV alone; return how many."""
    count = 0
    for record in read:
        with av.open(io.BytesIO(record["video"])) as container:
            container.streams.video[0].codec_context.thread_count = 1
            for frame in container.decode(video=0):
                count += len(frame.to_ndarray(format="rgb24")) > 0
    return count


def by_grain(read: list[records.Record], wanted: int | None) -> int:
    """Draw an example from each clip through Grain; return how many frames came.

    Args:
        read: the clips.
        wanted: frames of each, at random; None takes all.
    """
    drawn = examples.RecordExamples(
        records.ListRecords(read), functools.partial(_frames, wanted)
    )
    batches = pipeline.training_batches(
        drawn,
        batch_size=1,
        seed=0,
        settings=pipeline.PipelineConfig(num_threads=0),
    )
    count = sum(next(batches)["frames"].shape[1] for _ in range(len(read)))
    batches.close()
    return count


def _frames(
    wanted: int | None, rng: np.random.Generator, record: records.Record
) -> examples.Example:
    indices = None
    if wanted is not None:
        indices = np.sort(rng.choice(int(record["num_frames"]), wanted, replace=False))
    return {"frames": clips.read_frames(record, indices)}


if __name__ == "__main__":
    program.run(main)
