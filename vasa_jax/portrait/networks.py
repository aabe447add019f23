"""Run the MediaPipe networks; an interpreter is built when first needed."""

import contextlib
import functools
import os
import pathlib
import sys
import tempfile
import threading
from collections.abc import Iterator

import numpy as np

from vasa_jax import errors

ASSETS = pathlib.Path(__file__).parent / "assets"
"""Folder of the networks and of the canonical face. Follows: MediaPipe (Apache-2.0)."""

NUM_THREADS = 1
"""Ours: these networks take 1 to 2 ms on one core, and longer on two."""

# One line of TensorFlow Lite at its first interpreter, which no setting turns off.
_NOTICE = b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU."
_notice_lock = threading.Lock()


class Network:
    """A network file with its interpreter; calls from several threads take turns."""

    def __init__(self, path: pathlib.Path):
        """Load a network.

        Args:
            path: of its TensorFlow Lite file.

        Raises:
            UserError: ai-edge-litert is not installed.
        """
        try:
            from ai_edge_litert import interpreter
        except ImportError as error:
            raise errors.UserError(
                "Finding faces needs the package ai-edge-litert, which is not "
                "installed; run `pip install vasa-jax[portrait]`."
            ) from error
        with _without_notice():
            self._interpreter = interpreter.Interpreter(
                str(path), num_threads=NUM_THREADS
            )
            self._interpreter.allocate_tensors()
        self._lock = threading.Lock()
        inputs = self._interpreter.get_input_details()[0]
        self._input = inputs["index"]
        self._outputs = [d["index"] for d in self._interpreter.get_output_details()]
        self.size = int(inputs["shape"][1])

    def __call__(self, image: np.ndarray) -> list[np.ndarray]:
        """Run the network on one picture.

        Args:
            image: float32 `[size, size, 3]` in the network's own range.

        Returns:
            The outputs in the file's order, without the batch axis.
        """
        with self._lock:
            values = image[None].astype(np.float32, copy=False)
            self._interpreter.set_tensor(self._input, values)
            self._interpreter.invoke()
            return [self._interpreter.get_tensor(i)[0] for i in self._outputs]


@functools.cache
def load(name: str) -> Network:
    """Return the network of a file of `ASSETS`, its suffix left out, loaded once.

    Ours: building an interpreter costs as much as dozens of calls.
    """
    return Network(ASSETS / f"{name}.tflite")


@contextlib.contextmanager
def _without_notice() -> Iterator[None]:
    """Hold back what is written to standard error; pass on all but the notice.

    Ours: C++ code writes it past Python, for some milliseconds that the building takes.
    """
    if sys.stderr is None:  # Closed by whoever started this process.
        yield
        return
    with _notice_lock, tempfile.TemporaryFile() as held:
        sys.stderr.flush()
        standard_error = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(standard_error, 2)
            held.seek(0)
            for line in held:
                if line.strip() != _NOTICE:
                    os.write(2, line)
            os.close(standard_error)
