"""The benchmark of reading clips counts the frames that it reads."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def test_frames_of_made_clips_are_read_in_every_way():
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "experiments.tools.benchmark_data",
            "--sizes=64",
            "--num_clips=2",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    rows = [line.split("|") for line in ended.stdout.splitlines()[2:]]
    assert [row[2].split()[0] for row in rows] == ["PyAV", "whole", "one"]
    assert all(float(row[3]) > 0 for row in rows)
    assert float(rows[0][4]) == 1.0
