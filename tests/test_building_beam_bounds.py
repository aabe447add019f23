"""What Beam costs beside the processes of one machine, and how much memory it takes."""

import re
import resource
import subprocess
import sys

import dask_cluster
import pytest

pytest.importorskip("apache_beam")

pytestmark = pytest.mark.slow

MOST_MEGABYTES = 500
SET_BYTES = 2 * 10**9
MOST_OF_THE_POOLS_TIME = 1.1


def test_a_set_of_two_gigabytes_takes_less_than_500_megabytes(tmp_path):
    program = dask_cluster.ROOT / "tests" / "stand_in_sets.py"
    made = subprocess.run(
        [sys.executable, program, tmp_path / "set", "120"],
        env=dask_cluster.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    num_bytes, megabytes = map(int, re.findall(r"(\d+) (?:bytes|MB)", made.stdout))
    print(f"{num_bytes / 1e9:.2f} GB of records took {megabytes} MB")
    assert num_bytes >= SET_BYTES
    assert megabytes < MOST_MEGABYTES


def test_beam_takes_hardly_more_processor_time_than_processes(tmp_path):
    command = ["datasets.synthetic_heads.build", "--num_clips=500"]
    command += ["--size=32", "--seconds=0.4"]
    seconds = {}
    for name, where in (
        ("pool", "--num_workers=1"),
        ("beam", "--beam_runner=FnApiRunner"),
    ):
        before = _children()
        code, told = dask_cluster.run(
            [*command, f"--output_dir={tmp_path / name}", where]
        )
        assert code == 0, told
        seconds[name] = _children() - before
    print({name: f"{taken:.1f} s of processor" for name, taken in seconds.items()})
    assert seconds["beam"] <= MOST_OF_THE_POOLS_TIME * seconds["pool"]


def _children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
