"""Batches of plain arrays where Grain is not installed: a pure function of a number.

Ours: the position is how many batches were given, so that resuming is exact with any
number of workers. The order is another than Grain's.
"""

import collections
import concurrent.futures
import functools
import multiprocessing
from collections.abc import Callable
from typing import Any

import jax

from vasa_jax.data import examples as examples_lib
from vasa_jax.data import pipeline, worker_processes


class PlainBatches:
    """Iterates over `make_batch(0)`, `make_batch(1)`, ... without end, made ahead.

    Args:
        make_batch: takes the batch's number, returns a dict of numpy arrays; draws
            randomness from that number alone.
        pool: threads or processes that make batches.
        num_ahead: batches made at once.
    """

    def __init__(
        self,
        make_batch: Callable[[int], dict[str, Any]],
        pool: concurrent.futures.Executor,
        num_ahead: int,
    ):
        self._make_batch = make_batch
        self._pool = pool
        self._num_ahead = num_ahead
        self._next = 0
        self._ahead: collections.deque[concurrent.futures.Future] = collections.deque()

    def __iter__(self) -> "PlainBatches":
        return self

    def __next__(self) -> dict[str, Any]:
        while len(self._ahead) < self._num_ahead:
            number = self._next + len(self._ahead)
            self._ahead.append(self._pool.submit(self._make_batch, number))
        batch = self._ahead.popleft().result()
        self._next += 1
        return batch

    def get_state(self) -> dict[str, int]:
        """Return the position: how many batches have been given."""
        return {"next": self._next}

    def set_state(self, state: dict[str, int]) -> None:
        """Go to a position that `get_state` returned."""
        self._drop()
        self._next = int(state["next"])

    def close(self) -> None:
        """End the threads or processes."""
        self._drop()
        self._pool.shutdown()

    def _drop(self) -> None:
        for future in self._ahead:
            future.cancel()
        self._ahead.clear()


def training_batches(
    examples: examples_lib.Examples,
    *,
    batch_size: int,
    seed: int,
    settings: pipeline.PipelineConfig,
) -> PlainBatches | worker_processes.WorkerBatches:
    """Shuffle examples without end; as `pipeline.training_batches`, but for the order.

    Args:
        examples: what to draw from.
        batch_size: rows over all processes, each of which draws its own share.
        seed: of order and randomness.
        settings: workers, or threads where there are none; the same batches.

    Returns:
        An iterator of this process's batches.

    Raises:
        UserError: no examples, or the rows do not divide by the processes.
    """
    pipeline.check(examples, batch_size, jax.process_count())
    make = functools.partial(_start, examples, batch_size, seed, settings)
    if settings.num_workers:
        return worker_processes.WorkerBatches(make, settings.on_worker_death)
    return make()


def _start(
    examples: examples_lib.Examples,
    batch_size: int,
    seed: int,
    settings: pipeline.PipelineConfig,
) -> PlainBatches:
    processes, process = jax.process_count(), jax.process_index()
    drawing = examples, batch_size // processes, seed, processes, process
    if not settings.num_workers:
        num_threads = max(1, settings.num_threads)
        pool = concurrent.futures.ThreadPoolExecutor(num_threads)
        return PlainBatches(_numbered(*drawing), pool, num_threads + 1)
    pool = concurrent.futures.ProcessPoolExecutor(
        settings.num_workers,
        # Started afresh, because JAX does not like to be forked.
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=drawing,
    )
    return PlainBatches(_make_in_worker, pool, settings.num_workers + 1)


def _numbered(
    examples: examples_lib.Examples,
    share: int,
    seed: int,
    processes: int,
    process: int,
) -> Callable[[int], dict[str, Any]]:
    """Return the function from a number to this process's batch.

    The parts of all processes, one after another, are one global order.
    """
    make_part = pipeline.batch_maker(examples, batch_size=share, seed=seed)
    return lambda number: make_part(number * processes + process)


def _start_worker(*drawing: Any) -> None:
    """Keep what batches are made of; live and end with the parent alone."""
    global _worker_batch
    worker_processes.follow_parent()
    _worker_batch = _numbered(*drawing)


def _make_in_worker(number: int) -> dict[str, Any]:
    return _worker_batch(number)
