"""Where shards are made: in processes of this machine, or by Beam on many.

Ours: whatever makes them, a shard with a report is finished, and a set is put together
of reports. Attempts may be repeated, killed and repeated at once; none harms another.
"""

import concurrent.futures.process
import dataclasses
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import threadpoolctl

from datasets.building import processes
from vasa_jax import errors

MOST_RESTARTS = 3
"""How often processes are started anew when one was killed. Ours: a machine that is
short of memory kills one now and then; a shard that kills each of them will not end."""


_ONE_AT_A_TIME = threading.Lock()
"""Ours: workers of clusters have several threads unless one asks for one, and neither
MediaPipe's networks nor the encoder of clips may be called by two at once."""


class Shard(Protocol):
    """Sources that are made together.

    Attributes:
        name: stem of its files, which tells its sources from others'.
        num_sources: how many.
    """

    name: str
    num_sources: int


@dataclasses.dataclass(frozen=True)
class Job:
    """What makes shards, and how one tells that they are made; workers get it pickled.

    Attributes:
        make: makes a shard's files, and its report last.
        is_finished: tells whether a shard has its report.
    """

    make: Callable[[Any], Any]
    is_finished: Callable[[Any], bool]

    def __call__(self, shard: Any) -> int:
        """Make a shard, unless it is made; return how many sources it has.

        Ours: clusters repeat what a lost worker had finished, too. Beam takes what is
        written behind the colon for its own types, and stumbles over a protocol. One
        thread each, because sums of floats differ by how many OpenBLAS splits them for,
        and with them the bytes of a set by the cores of a machine.
        """
        with _ONE_AT_A_TIME, threadpoolctl.threadpool_limits(1):
            if not self.is_finished(shard):
                self.make(shard)
        return shard.num_sources

    def missing(self, shards: Sequence[Shard]) -> list[Shard]:
        """Return the shards that are not finished."""
        return [shard for shard in shards if not self.is_finished(shard)]


class Engine(Protocol):
    """What makes many shards."""

    def make_all(self, job: Job, shards: Sequence[Shard], source: str) -> None:
        """Make shards, with a progress bar.

        Args:
            job: what makes them.
            shards: that are not finished.
            source: what a shard is made of, in the singular.

        Raises:
            UserError: they cannot be made here.
        """
        ...


@dataclasses.dataclass(frozen=True)
class Pool:
    """Processes of this machine.

    Attributes:
        num_workers: how many.
    """

    num_workers: int

    def make_all(self, job: Job, shards: Sequence[Shard], source: str) -> None:
        """Make shards; see `Engine`. Killed processes are started anew."""
        missing = list(shards)
        for _ in range(1 + MOST_RESTARTS):
            total = sum(shard.num_sources for shard in missing)
            try:
                processes.call_each(job, missing, self.num_workers, total, source)
                return
            except concurrent.futures.process.BrokenProcessPool:
                missing = job.missing(missing)
        raise errors.UserError(
            f"Processes were killed {1 + MOST_RESTARTS} times, and {len(missing)} "
            "shards are missing; if memory ran out, give a smaller --num_workers. The "
            "same command goes on."
        )
