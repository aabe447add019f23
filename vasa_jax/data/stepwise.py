"""Batches as a pure function of their number: the simplest data that can resume."""

import collections
import concurrent.futures
import functools
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from vasa_jax.data import examples as examples_lib


class StepwiseBatches:
    """Iterates over `make_batch(0)`, `make_batch(1)`, ... without end.

    Ours: for data that lies in memory or is made from seeds this is an exact position
    without Grain, and it runs where Grain is not installed.

    Args:
        make_batch: takes the batch's number, returns a dict of numpy arrays; draws
            randomness from that number alone.
    """

    def __init__(self, make_batch: Callable[[int], dict[str, Any]]):
        self._make_batch = make_batch
        self._next = 0

    def __iter__(self) -> "StepwiseBatches":
        return self

    def __next__(self) -> dict[str, Any]:
        batch = self._make_batch(self._next)
        self._next += 1
        return batch

    def get_state(self) -> dict[str, int]:
        """Return the position: how many batches have been given."""
        return {"next": self._next}

    def set_state(self, state: dict[str, int]) -> None:
        """Go to a position that `get_state` returned."""
        self._next = int(state["next"])


class ThreadedBatches(StepwiseBatches):
    """The same, made ahead by threads; the position is that of the batches given.

    Args:
        make_batch: as above; called from several threads.
        num_threads: how many batches are made at once.
        pool: what makes them instead, such as processes.
    """

    def __init__(
        self,
        make_batch: Callable[[int], dict[str, Any]],
        num_threads: int = 2,
        pool: concurrent.futures.Executor | None = None,
    ):
        super().__init__(make_batch)
        self._num_threads = num_threads
        self._pool = pool or concurrent.futures.ThreadPoolExecutor(num_threads)
        self._ahead: collections.deque[concurrent.futures.Future] = collections.deque()

    def __next__(self) -> dict[str, Any]:
        while len(self._ahead) < self._num_threads + 1:
            number = self._next + len(self._ahead)
            self._ahead.append(self._pool.submit(self._make_batch, number))
        batch = self._ahead.popleft().result()
        self._next += 1
        return batch

    def set_state(self, state: dict[str, int]) -> None:
        """Go to a position that `get_state` returned."""
        self._drop()
        super().set_state(state)

    def close(self) -> None:
        """End the threads."""
        self._drop()
        self._pool.shutdown()

    def _drop(self) -> None:
        for future in self._ahead:
            future.cancel()
        self._ahead.clear()


def batch_maker(
    examples: examples_lib.Examples, *, batch_size: int, seed: int
) -> Callable[[int], dict[str, Any]]:
    """Return the function from a batch's number to the batch, shuffled by epoch.

    Args:
        examples: what to draw from.
        batch_size: rows.
        seed: of order and randomness.

    Returns:
        A pure function for `StepwiseBatches`.
    """
    size = len(examples)

    @functools.lru_cache(maxsize=4)
    def order(epoch: int) -> np.ndarray:
        return np.random.default_rng((seed, 0, epoch)).permutation(size)

    def make_batch(number: int) -> dict[str, Any]:
        rows = []
        for place in range(number * batch_size, (number + 1) * batch_size):
            rng = np.random.default_rng((seed, 1, place))
            index = int(order(place // size)[place % size])
            rows.append(examples.draw(rng, index))
        return {name: np.stack([row[name] for row in rows]) for name in rows[0]}

    return make_batch


def shuffled_batches(
    examples: examples_lib.Examples,
    *,
    batch_size: int,
    seed: int,
    num_threads: int = 2,
    num_workers: int = 0,
) -> ThreadedBatches:
    """Shuffle examples without end, without Grain.

    Args:
        examples: what to draw from.
        batch_size: rows over all processes, each of which draws its own share.
        seed: of order and randomness.
        num_threads: batches made at once.
        num_workers: processes that make batches instead of threads; the same batches.

    Returns:
        An iterator of this process's batches.
    """
    processes, process = jax.process_count(), jax.process_index()
    share = batch_size // processes
    if not num_workers:
        make_part = batch_maker(examples, batch_size=share, seed=seed)
        # The parts of all processes, one after another, are one global order.
        return ThreadedBatches(
            lambda number: make_part(number * processes + process), num_threads
        )
    pool = concurrent.futures.ProcessPoolExecutor(
        num_workers,
        # Started afresh, because JAX does not like to be forked.
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(examples, share, seed, processes, process),
    )
    return ThreadedBatches(_make_in_worker, num_workers, pool)


def _start_worker(
    examples: examples_lib.Examples,
    batch_size: int,
    seed: int,
    processes: int,
    process: int,
) -> None:
    """Keep what batches are made of; live and end with the parent alone."""
    global _worker_batch
    attend_parent()
    make_part = batch_maker(examples, batch_size=batch_size, seed=seed)

    def make_batch(number: int) -> dict[str, Any]:
        return make_part(number * processes + process)

    _worker_batch = make_batch


def attend_parent() -> None:
    """Leave the accelerator to the parent, and live and end with it alone.

    Ours: who stops a run signals its whole group, and the parent, which saves, still
    wants batches; a parent that is killed cannot end its workers.
    """
    jax.config.update("jax_platforms", "cpu")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)


def _make_in_worker(number: int) -> dict[str, Any]:
    return _worker_batch(number)
