"""Makes shards by Apache Beam, on any of its runners, by the very function of the pool.

Ours: plans are shuffled, never records: what goes through Beam says what to make, and
records go from the worker that makes them into files. What is done is known by reports
alone, because counters count repeated attempts, and some runners have none.
"""

import contextlib
import dataclasses
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import tqdm

from vasa_jax import errors

RUNNERS = (
    "FnApiRunner",
    "DaskRunner",
    "DataflowRunner",
    "FlinkRunner",
    "SparkRunner",
    "PortableRunner",
)
"""Ours: Beam's own choice, `DirectRunner`, first tries to download a program."""

MULTI_PROCESSING = ("--direct_running_mode", "--direct_num_workers")
"""Flags of Beam's own processes on one machine, which wait without end when one is
killed."""

MOST_PARTITIONS = 10_000
"""Tasks that Dask is given at most. Ours: it handles each in about a millisecond."""

_DASK = "apache_beam.runners.dask.dask_runner.DaskRunner"
_DASK_PARTITIONS = ("--dask_npartitions", "--dask_partition_size")

SECONDS_TO_APPEAR = 120
"""How long a report that a worker wrote may be missing here. Ours: NFS remembers for a
minute that there was no such file."""

LEAST_WAIT_SECONDS = 1.0
"""From one look for reports to the next. Ours: or ten times as long as looking takes,
which many shards on a slow file system make long."""


@dataclasses.dataclass(frozen=True)
class Beam:
    """One of Beam's runners. All its workers see the folders under the same paths.

    Attributes:
        runner: one of `RUNNERS`.
        flags: of Beam, such as `--dask_client_address=tcp://host:8786`.

    Raises:
        UserError: Beam is not installed, or the runner is not offered.
    """

    runner: str
    flags: tuple[str, ...] = ()

    def __post_init__(self):
        if self.runner not in RUNNERS:
            raise errors.UserError(
                f"beam_runner is {self.runner!r}; choose one of {', '.join(RUNNERS)}."
            )
        refused = [flag for flag in self.flags if flag.startswith(MULTI_PROCESSING)]
        if refused:
            raise errors.UserError(
                f"beam_flags has {refused[0]!r}, and Beam's own processes wait without "
                "end when one is killed; leave --beam_runner out, and --num_workers "
                "makes shards on all cores of this machine."
            )
        try:
            import apache_beam  # noqa: F401
        except ImportError as error:
            raise errors.UserError(
                "--beam_runner needs Apache Beam, which is not installed: "
                'pip install -e ".[data,beam]", here and wherever workers run.'
            ) from error

    def make_all(self, job: Any, shards: Sequence[Any], source: str) -> None:
        """Make shards; see `engines.Engine`.

        Raises:
            UserError: the runner ended and shards are missing.
        """
        # Imported late: it takes seconds, and most builds do without.
        import apache_beam
        from apache_beam.options import pipeline_options

        if not shards:
            return
        logging.getLogger("apache_beam").setLevel(logging.WARNING)
        flags = list(self.flags)
        if self.runner == "DaskRunner" and not any(
            flag.startswith(_DASK_PARTITIONS) for flag in flags
        ):
            # Else fewer than 128 shards are one task, on one worker.
            flags.append(f"--dask_npartitions={min(len(shards), MOST_PARTITIONS)}")
        # Always given, or Beam reads the program's own flags.
        options = pipeline_options.PipelineOptions(flags)
        runner = _DASK if self.runner == "DaskRunner" else self.runner
        pipeline = apache_beam.Pipeline(runner=runner, options=options)
        plans = pipeline | "plans" >> apache_beam.Create(shards)
        _ = plans | "make" >> apache_beam.Map(job)
        with progress(job, shards, source):
            pipeline.run().wait_until_finish()
            missing, deadline = shards, time.monotonic() + SECONDS_TO_APPEAR
            while (missing := job.missing(missing)) and time.monotonic() < deadline:
                time.sleep(1)
        if missing:
            raise errors.UserError(
                f"{self.runner} has ended, and {len(missing)} of {len(shards)} shards "
                "have no report here; let all workers write to the same --output_dir, "
                "on a file system that they and this program share."
            )


@contextlib.contextmanager
def progress(job: Any, shards: Sequence[Any], source: str) -> Iterator[None]:
    """Show by reports how many sources are made, while others make them.

    Args:
        job: tells which shards are finished.
        shards: which are made.
        source: what the bar counts.

    Yields:
        Once.
    """
    ended = threading.Event()
    total = sum(shard.num_sources for shard in shards)
    with tqdm.tqdm(total=total, unit=source, mininterval=1.0) as bar:

        def look():
            missing, is_last = list(shards), False
            while not is_last:
                start = time.monotonic()
                is_last = ended.is_set()
                missing = job.missing(missing)
                made = total - sum(shard.num_sources for shard in missing)
                if made > bar.n:
                    bar.update(made - bar.n)
                wait = max(LEAST_WAIT_SECONDS, 10 * (time.monotonic() - start))
                ended.wait(0 if is_last else wait)

        watcher = threading.Thread(target=look, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()
