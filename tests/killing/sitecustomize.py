"""Kills or stops the process that it is loaded into where a file orders it.

Python loads it at its start where this folder is in PYTHONPATH. The file that
VASA_KILL_ORDER names holds JSON: `at` is "render", "rename" or "report", `seconds` how
long after the beginning of a render, `signal` the name of one. Who carries an order out
puts a file with its process number in the order's place, so that one process obeys.
"""

import json
import os
import pathlib
import signal
import sys
import threading
import time

ORDER = pathlib.Path(os.environ["VASA_KILL_ORDER"])


def _read():
    try:
        return json.loads(ORDER.read_text())
    except OSError:
        return {"at": None}


def _obey(order):
    obeyed = ORDER.with_suffix(f".{os.getpid()}")
    try:
        ORDER.rename(obeyed)
    except OSError:
        return  # Another process was first.
    os.kill(os.getpid(), signal.Signals[order["signal"]])


def _point(place):
    """Say what a renaming is to a set: of records, of a report, or of neither."""
    path = pathlib.Path(os.fspath(place))
    if path.suffix in (".array_record", ".npz"):
        return "rename"
    is_report = path.parent.name == "shards" and path.suffix == ".json"
    is_own = path.stem in ("settings", "manifest")
    return "report" if is_report and not is_own else None


def _watch_renames(event, arguments):
    if event != "os.rename":
        return
    point = _point(arguments[1])
    if point is not None and (order := _read())["at"] == point:
        _obey(order)


def _is_making():
    """Tell whether a thread of this process is inside a shard."""
    for frame in sys._current_frames().values():
        while frame is not None:
            if frame.f_code.co_qualname == "Job.__call__":
                return True
            frame = frame.f_back
    return False


def _watch_renders():
    while True:
        time.sleep(0.02)
        order = _read()
        if order["at"] == "render" and _is_making():
            time.sleep(order["seconds"])
            if _is_making():
                _obey(order)


sys.addaudithook(_watch_renames)
threading.Thread(target=_watch_renders, daemon=True).start()
