"""Runs the shell scripts of `experiments` at the tests' scale."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def run(name, *arguments, **settings):
    """Run a script with its settings."""
    environment = {**os.environ, "PYTHON": sys.executable, **settings}
    return subprocess.run(
        ["bash", f"experiments/{name}", *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
