"""Make the shards of a set in processes, with a progress bar, and assemble them."""

import concurrent.futures
import multiprocessing
import os
import pathlib
import sys
import threading
import time

from datasets.building import shard_folder
from datasets.synthetic_heads.records import builder, plan, shards

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
    shard_folder.check_settings(folder, settings)
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
