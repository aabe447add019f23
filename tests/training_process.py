"""Processes that train the tests' smallest experiment."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def start(folder, *flags, **changes):
    """Start `experiments.train` in `folder`; changes are settings by dotted name."""
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "experiments.train",
            "--config=tests/linear_regression.py",
            "--preset=tiny",
            f"--workdir={folder}",
            *(f"--set={name}={value}" for name, value in changes.items()),
            *flags,
        ],
        cwd=ROOT,
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
