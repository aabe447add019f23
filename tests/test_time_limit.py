"""A run of tests that must end in time leaves the rest out and says so."""

import os
import pathlib
import subprocess
import sys
import time
import types

import time_limit

ROOT = pathlib.Path(__file__).resolve().parent.parent


def _report(nodeid, duration, longrepr=None):
    return types.SimpleNamespace(nodeid=nodeid, duration=duration, longrepr=longrepr)


def test_the_table_counts_each_file_and_all():
    lines = time_limit.table(
        [
            ("passed", _report("tests/test_a.py::test_one", 1.0)),
            ("passed", _report("tests/test_b.py::test_one[x::y]", 5.0)),
            ("error", _report("tests/test_b.py::test_two", 0.0)),
            ("skipped", _report("tests/test_a.py::test_two", 0.0, "no network")),
            ("skipped", _report("tests/test_c.py::test", 0.0, time_limit.LEFT_OUT)),
        ]
    )
    assert lines[0] == "| file | passed | failed | skipped | left out for time | s |"
    assert lines[2:] == [
        "| tests/test_b.py | 1 | 1 | 0 | 0 | 5 |",
        "| tests/test_a.py | 1 | 0 | 1 | 0 | 1 |",
        "| tests/test_c.py | 0 | 0 | 0 | 1 | 0 |",
        "| all | 2 | 1 | 1 | 1 | 6 |",
    ]


def test_no_test_begins_after_the_end():
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["tests/test_config.py", f"--end_at={time.time() - 1}"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout
    last = [line for line in ended.stdout.splitlines() if line.startswith("| all |")]
    _, _, passed, failed, skipped, left_out, _, _ = last[0].split("|")
    assert [int(passed), int(failed), int(skipped)] == [0, 0, 0]
    assert int(left_out) > 10


def test_a_file_that_cannot_be_read_here_is_a_row(tmp_path):
    (tmp_path / "conftest.py").write_text(
        "from time_limit import pytest_addoption, pytest_terminal_summary\n"
    )
    (tmp_path / "test_a.py").write_text(
        "import pytest\npytest.importorskip('no_such_package')\n"
    )
    (tmp_path / "test_b.py").write_text("def test():\n    pass\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    ended = subprocess.run(
        [*command, f"--end_at={time.time() + 60}", f"--rootdir={tmp_path}", tmp_path],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "| all | 1 | 0 | 1 | 0 | 0 |" in ended.stdout.splitlines()
