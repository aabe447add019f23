"""Runs the shell scripts of `experiments` at the tests' scale."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def run(name, *arguments, **settings):
    """Run a script, with its settings, compiling as little as it may."""
    environment = {
        **os.environ,
        "PYTHON": sys.executable,
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_backend_optimization_level=0 "
        "--xla_llvm_disable_expensive_passes=true",
        **settings,
    }
    return subprocess.run(
        ["bash", f"experiments/{name}", *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
