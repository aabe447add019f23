"""Call a function for each of many tasks in processes, with a progress bar."""

import concurrent.futures
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

import tqdm


def call_each(
    function: Callable[[Any], int],
    tasks: Iterable[Any],
    num_workers: int,
    total: int,
    unit: str,
) -> int:
    """Call a function for each task, in any order.

    Ours: processes are started afresh (`spawn`), because neither JAX nor numba likes
    to be forked, with a thread each; they leave when their parent has died.

    Args:
        function: returns how many of `unit` it has made; both it and tasks are pickled.
        tasks: what it is called with.
        num_workers: processes.
        total: how many of `unit` all tasks are.
        unit: what the bar counts.

    Returns:
        How many were made.
    """
    tasks = list(tasks)
    if not tasks:
        return 0
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    made = 0
    with (
        concurrent.futures.ProcessPoolExecutor(
            max_workers=min(num_workers, len(tasks)),
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_leave_with_parent,
        ) as pool,
        tqdm.tqdm(total=total, unit=unit, mininterval=1.0) as bar,
    ):
        waiting = [pool.submit(function, task) for task in tasks]
        try:
            for task in concurrent.futures.as_completed(waiting):
                made += task.result()
                bar.update(task.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return made


def _leave_with_parent() -> None:
    def wait() -> None:
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
