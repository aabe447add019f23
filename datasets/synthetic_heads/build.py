"""Build synthetic talking heads on all cores; run again to go on or to grow.

    python -m datasets.synthetic_heads.build --output_dir=/data/heads --num_clips=1000

makes a folder that `tfds.builder_from_directory(folder).as_data_source()` reads. About
1,000 clips of 3 s at 128 pixels an hour and core, or more.
"""

import concurrent.futures
import multiprocessing
import os
import pathlib
import sys
import threading
import time

from absl import app, flags

from datasets.synthetic_heads import builder, plan, shards
from vasa_jax import errors

_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Folder of the set.")
_NUM_CLIPS = flags.DEFINE_integer("num_clips", 64, "How many clips.", lower_bound=1)
_SECONDS = flags.DEFINE_float("seconds", 3.0, "Length of a clip.")
_SIZE = flags.DEFINE_integer("size", 128, "Pixels of a side.")
_SEED = flags.DEFINE_integer("seed", 0, "Source of all chance.")
_NUM_TAKES = flags.DEFINE_integer("num_takes", 4, "Clips of an identity.")
_NUM_WORKERS = flags.DEFINE_integer(
    "num_workers", None, "Processes; all cores by default.", lower_bound=1
)
_STRENGTH = flags.DEFINE_float(
    "randomization_strength", 0.5, "0 plausible people only, 1 all kinds of looks."
)
_SPEECH_DIR = flags.DEFINE_string(
    "speech_dir", None, "Folder of recordings (flac, wav), for half of the voices."
)

_BAR_WIDTH = 30


class ProgressBar:
    """Show on stderr how many clips are made, how fast, and how long it will take.

    Ours: one line that is written over at most twice a second.
    """

    def __init__(self, total: int, done: int):
        self._total, self._already, self._done = total, done, done
        self._failed = 0
        self._start = time.monotonic()
        self._shown = 0.0

    def step(self, is_made: bool) -> None:
        """Count one clip."""
        self._done += 1
        self._failed += not is_made
        if time.monotonic() - self._shown > 0.5:
            self.show()

    def show(self) -> None:
        """Write the line."""
        self._shown = time.monotonic()
        share = self._done / max(self._total, 1)
        seconds = self._shown - self._start
        rate = (self._done - self._already) / max(seconds, 1e-3)
        left = (self._total - self._done) / rate if rate else float("inf")
        bar = "#" * int(share * _BAR_WIDTH)
        failed = f", {self._failed} failed" if self._failed else ""
        print(
            f"\r[{bar:<{_BAR_WIDTH}}] {self._done}/{self._total} clips, "
            f"{rate * 3600:.0f} an hour, {left / 60:.1f} min left{failed} ",
            end="",
            file=sys.stderr,
            flush=True,
        )

    def close(self) -> None:
        """End the line."""
        self.show()
        print(file=sys.stderr)


def build(
    folder: pathlib.Path, settings: plan.Settings, num_clips: int, num_workers: int
) -> tuple[dict[str, int], list[str]]:
    """Build or complete a set.

    Ours: one task per shard; processes are started afresh (`spawn`), because neither
    JAX nor numba likes to be forked.

    Args:
        folder: where the set lies or will lie.
        settings: of its records.
        num_clips: how many.
        num_workers: processes.

    Returns:
        Number of clips of each split, and the failures.

    Raises:
        UserError: if the folder holds a set of other settings or cannot be written.
    """
    shards.check_settings(folder, settings)
    wanted = shards.divide(settings, num_clips)
    reports = {shard: shards.read_report(folder, shard) for shard in wanted}
    missing = [shard for shard, report in reports.items() if report is None]
    done = num_clips - sum(shard.end_clip - shard.first_clip for shard in missing)
    bar = ProgressBar(num_clips, done)
    bar.show()
    if missing:
        reports |= _make_all(folder, settings, missing, num_workers, bar)
    bar.close()
    failures = [line for shard in wanted for line in reports[shard].failures]
    counts = builder.assemble(folder, [(shard, reports[shard]) for shard in wanted])
    return counts, failures


def _make_all(folder, settings, missing, num_workers, bar):
    """Make shards in processes, with one thread each, and count their clips."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    context = multiprocessing.get_context("spawn")
    queue = context.SimpleQueue()
    reports = {}
    with concurrent.futures.ProcessPoolExecutor(
        max_workers=min(num_workers, len(missing)),
        mp_context=context,
        initializer=_start_worker,
        initargs=(queue,),
    ) as pool:
        tasks = {
            pool.submit(_make_one, folder, shard, settings): shard for shard in missing
        }
        try:
            while len(reports) < len(tasks):
                ready, _ = concurrent.futures.wait(
                    [task for task in tasks if tasks[task] not in reports], timeout=0.2
                )
                while not queue.empty():
                    bar.step(queue.get())
                reports |= {tasks[task]: task.result() for task in ready}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        while not queue.empty():
            bar.step(queue.get())
    return reports


def _start_worker(queue) -> None:
    """Keep the queue, and leave when the parent has died."""
    global _queue
    _queue = queue
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)


def _make_one(folder, shard, settings) -> shards.Report:
    return shards.make(folder, shard, settings, _queue.put)


def main(argv: list[str]) -> None:
    """Build the set that the flags ask for."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown argument {argv[1]!r}.")
    try:
        if not _OUTPUT_DIR.value:
            raise errors.UserError("--output_dir is missing; name the set's folder.")
        settings = plan.Settings(
            seconds=_SECONDS.value,
            size=_SIZE.value,
            seed=_SEED.value,
            num_takes=_NUM_TAKES.value,
            randomization_strength=_STRENGTH.value,
            speech_dir=_SPEECH_DIR.value,
        )
        folder = pathlib.Path(_OUTPUT_DIR.value).expanduser().absolute()
        num_workers = _NUM_WORKERS.value or len(os.sched_getaffinity(0))
        counts, failures = build(folder, settings, _NUM_CLIPS.value, num_workers)
    except errors.UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    for failure in failures:
        print(f"failed: {failure}", file=sys.stderr)
    parts = ", ".join(f"{count} {split}" for split, count in counts.items())
    print(
        f"{sum(counts.values())} clips ({parts}) in {folder}; {len(failures)} failed."
    )


if __name__ == "__main__":
    app.run(main)
