"""A Dask cluster on the loopback, and the programs that make sets on it."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
KILLING = ROOT / "tests" / "killing"

SECONDS_TO_START = 120


class Cluster:
    """A scheduler and workers of one thread, each with a nanny that restarts it.

    Args:
        folder: for what they write.
        order: file that tells workers to die, see `tests/killing`.
    """

    def __init__(self, folder: pathlib.Path, order: pathlib.Path):
        self._folder, self.order = folder, order
        self._file = folder / "scheduler.json"
        self._workers = []
        self._scheduler = self._start(
            "scheduler", "--port=0", f"--scheduler-file={self._file}", "--no-show"
        )
        wait_until(self._file.exists, SECONDS_TO_START)

    @property
    def flags(self) -> tuple[str, str]:
        """Return the flags of a program that runs on the cluster."""
        return (
            "--beam_runner=DaskRunner",
            f"--beam_flags=--dask_scheduler_file={self._file}",
        )

    def set_workers(self, count: int) -> None:
        """Start or end workers."""
        while len(self._workers) > count:
            end(self._workers.pop())
        while len(self._workers) < count:
            self._workers.append(
                self._start(
                    "worker",
                    f"--scheduler-file={self._file}",
                    "--nthreads=1",
                    "--nworkers=1",
                    f"--local-directory={self._folder / str(len(self._workers))}",
                )
            )

    def close(self) -> None:
        """End all processes."""
        self.set_workers(0)
        end(self._scheduler)

    def _start(self, part, *flags):
        command = [sys.executable, "-m", f"distributed.cli.dask_{part}"]
        return subprocess.Popen(
            [*command, "--host=127.0.0.1", "--no-dashboard", *flags],
            cwd=ROOT,
            env=environment(self.order),
            stdout=(self._folder / f"{part}.log").open("ab"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def environment(order: pathlib.Path | None = None) -> dict[str, str]:
    """Return what processes find programs by, and their orders to die.

    OpenBLAS is offered four threads, which Dask takes away from its workers.
    """
    paths, told = [str(ROOT)], {"OPENBLAS_NUM_THREADS": "4"}
    if order is not None:
        paths.append(str(KILLING))
        told["VASA_KILL_ORDER"] = str(order)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **told}


def start(flags, order: pathlib.Path | None = None) -> subprocess.Popen:
    """Start a program, given as module and flags."""
    return subprocess.Popen(
        [sys.executable, "-m", *flags],
        cwd=ROOT,
        env=environment(order),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def run(flags, order: pathlib.Path | None = None) -> tuple[int, str]:
    """Run a program; return its exit code and what it printed."""
    process = start(flags, order)
    try:
        told, _ = process.communicate(timeout=900)
    finally:
        end(process)
    return process.returncode, told


def end(process: subprocess.Popen) -> None:
    """End a process and all that it has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def give_order(order: pathlib.Path, at: str, seconds: float, name: str) -> None:
    """Order one of the processes that know of the file to end or to stop.

    Args:
        order: the file.
        at: point of a build, see `tests/killing`.
        seconds: after the beginning of a render.
        name: of the signal.
    """
    for obeyed in _obeyed(order):
        obeyed.unlink()
    beside = order.with_suffix(".beside")
    beside.write_text(json.dumps({"at": at, "seconds": seconds, "signal": name}))
    beside.rename(order)


def who_obeyed(order: pathlib.Path) -> int | None:
    """Return the number of the process that carried the last order out."""
    numbers = [int(obeyed.suffix[1:]) for obeyed in _obeyed(order)]
    return numbers[0] if numbers else None


def _obeyed(order):
    return list(order.parent.glob(f"{order.stem}.[0-9]*"))


def wait_until(is_so, seconds: float) -> None:
    """Wait until something is so.

    Raises:
        TimeoutError: it was not so in time.
    """
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(is_so)
        time.sleep(0.05)


def contents(folder: pathlib.Path) -> dict[str, bytes]:
    """Return the bytes of every file of a set by its name."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def differing(made: dict[str, bytes], expected: dict[str, bytes]) -> list[str]:
    """Return the files that are not in both sets, or not equal."""
    names = sorted(made.keys() | expected.keys())
    return [name for name in names if made.get(name) != expected.get(name)]


def times(folder: pathlib.Path) -> dict[pathlib.Path, tuple[int, int]]:
    """Return of every file which it is and when it was written."""
    stats = {path: path.stat() for path in folder.rglob("*") if path.is_file()}
    return {path: (stat.st_ino, stat.st_mtime_ns) for path, stat in stats.items()}
