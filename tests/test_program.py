"""What a program shows of the libraries that it calls."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent

PROGRAM = """
import logging

from absl import logging as absl_logging

from experiments.running import program


def main(_):
    logging.getLogger("jax._src.xla_bridge").info("jax tells")
    logging.getLogger("jax._src.xla_bridge").warning("jax warns")
    absl_logging.info("orbax tells")
    absl_logging.warning("orbax warns")
    absl_logging.error("orbax fails")


program.run(main)
"""


@pytest.mark.parametrize(
    "flags, expected",
    [
        ([], ["jax warns", "orbax fails"]),
        (["--verbosity=-1"], ["jax warns", "orbax warns", "orbax fails"]),
        (
            ["--verbosity=0"],
            ["jax tells", "jax warns", "orbax tells", "orbax warns", "orbax fails"],
        ),
    ],
)
def test_libraries_log_errors_alone_unless_they_are_asked(flags, expected):
    run = subprocess.run(
        [sys.executable, "-", *flags],
        input=PROGRAM,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert [line.partition("] ")[2] for line in run.stderr.splitlines()] == expected
