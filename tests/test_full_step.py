"""The program that takes full steps, at the tests' scale."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


@pytest.mark.slow
@pytest.mark.parametrize(
    "stage, more, names",
    [
        ("motion", [], ["motion/loss"]),
        ("face", ["--stock_convolutions"], ["face/gradient_norm"]),
    ],
)
def test_time_memory_and_metrics_of_a_full_step_are_printed(stage, more, names):
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "experiments.tools.full_step",
            f"--stage={stage}",
            "--preset=tiny",
            *more,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    printed = dict(line.split(": ", 1) for line in ended.stdout.splitlines())
    assert float(printed["seconds of a step"]) > 0
    assert float(printed["peak memory, GiB"]) > 0
    assert float(printed["operations of a step"]) > 0
    assert all(name in printed["metrics"] for name in names)
