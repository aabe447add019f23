"""Batches made by worker processes, whose death ends the run or is made good.

Ours: Grain waits without end for a worker that ended quietly or that was killed while
it was writing, and Python's own pool breaks for good. Here each wait ends when a worker
has died; batches are functions of their position, so new workers make the same ones.
"""

import multiprocessing
import os
import queue
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, Literal

import jax

from vasa_jax.errors import UserError

POLL_SECONDS = 0.2
"""How often a wait looks at the workers. Ours."""

GRACE_SECONDS = 2.0
"""How long after an error a worker may take to be seen dead. Ours."""

CLOSE_SECONDS = 10.0
"""How long dead workers' fellows may take to end before they are killed. Ours."""

MAX_RESTARTS = 3
"""New workers in a row that give no batch before the run stops. Ours: a record that
kills whoever decodes it does so again."""

# Worker processes that one of this process's iterators has taken for its own.
_claimed: weakref.WeakSet = weakref.WeakSet()


class WorkerBatches:
    """An iterator of batches that outlives, or reports, the death of its workers.

    Args:
        make_batches: starts an iterator with `get_state`, `set_state` and `close`,
            whose workers are processes of `multiprocessing`.
        on_worker_death: `stop` raises `UserError`, `restart` goes on with new workers
            at the same position.
    """

    def __init__(
        self,
        make_batches: Callable[[], Any],
        on_worker_death: Literal["stop", "restart"] = "stop",
    ):
        self._make_batches = make_batches
        self._on_worker_death = on_worker_death
        self._others = set(multiprocessing.active_children())
        self._workers: set[Any] = set()
        self._given = 0
        self._open()
        self._state = self._batches.get_state()

    def __iter__(self) -> "WorkerBatches":
        return self

    def __next__(self) -> dict[str, Any]:
        for attempt in range(MAX_RESTARTS + 1):
            found = self._wait()
            if isinstance(found, _Batch):
                self._state = found.state
                self._given += 1
                return found.value
            if self._on_worker_death == "stop" or attempt == MAX_RESTARTS:
                break
            print(
                f"{found}: starting new ones at batch {self._given + 1}",
                file=sys.stderr,
            )
            self._give_up()
            self._open()
            self._batches.set_state(self._state)
        self._give_up()
        again = f", {MAX_RESTARTS} times in a row" if attempt else ""
        raise UserError(
            f"{found} while making batch {self._given + 1} of this run{again}; look at "
            "the memory and at the records, or let new workers start by "
            "--set=data.on_worker_death=restart. The last checkpoint is whole."
        )

    def get_state(self) -> Any:
        """Return the position after the batches given."""
        return self._state

    def set_state(self, state: Any) -> None:
        """Go to a position that `get_state` returned."""
        self._batches.set_state(state)
        self._state = state

    def close(self) -> None:
        """End thread and workers."""
        self._give_up()

    def _open(self) -> None:
        self._batches = self._make_batches()
        self._asked: queue.Queue = queue.Queue()
        self._answers: queue.Queue = queue.Queue()
        # In a thread of its own, which is left behind if a wait never ends.
        threading.Thread(
            target=_serve, args=(self._batches, self._asked, self._answers), daemon=True
        ).start()

    def _wait(self) -> "_Batch | str":
        """Return the next batch, or a sentence's start about a worker that died."""
        self._asked.put(True)
        while True:
            try:
                answer = self._answers.get(timeout=POLL_SECONDS)
            except queue.Empty:
                if death := self._find_death():
                    return death
                continue
            if isinstance(answer, _Batch):
                self._look()
                return answer
            # Whoever reads from a dead worker may fail before it counts as dead.
            end = time.monotonic() + GRACE_SECONDS
            while self._workers and time.monotonic() < end:
                if death := self._find_death():
                    return death
                time.sleep(POLL_SECONDS)
            raise answer

    def _look(self) -> None:
        """Remember the workers there are."""
        found = set(multiprocessing.active_children()) - self._others - set(_claimed)
        _claimed.update(found)
        self._workers |= found

    def _find_death(self) -> str | None:
        self._look()
        for worker in self._workers:
            if worker.exitcode is not None:
                code = worker.exitcode
                how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
                return f"The data worker process {worker.pid} died ({how})"
        return None

    def _give_up(self) -> None:
        """End the iterator; kill workers that do not end by themselves."""
        self._asked.put(False)
        self._look()
        closing = threading.Thread(target=_close, args=(self._batches,), daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)
        for worker in self._workers:
            if worker.is_alive():
                worker.kill()
        self._workers.clear()


class _Batch:
    """A batch and the position after it."""

    def __init__(self, value: dict[str, Any], state: Any):
        self.value = value
        self.state = state


def _serve(batches: Any, asked: queue.Queue, answers: queue.Queue) -> None:
    """Answer each request with a batch or an error."""
    while asked.get():
        try:
            answers.put(_Batch(next(batches), batches.get_state()))
        # Raised again by the one who waits.
        except BaseException as error:  # noqa: BLE001
            answers.put(error)


def _close(batches: Any) -> None:
    """Close an iterator whose workers may be gone, which may fail in many ways."""
    try:
        batches.close()
    except Exception as error:  # noqa: BLE001
        print(f"closing the data workers: {error}", file=sys.stderr)


def follow_parent() -> None:
    """Leave the accelerator to the parent, and live and end with it alone.

    Called in a worker process. Ours: who stops a run signals its whole group, and the
    parent, which saves, still wants batches; a parent that is killed cannot end its
    workers.
    """
    jax.config.update("jax_platforms", "cpu")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)
