"""Batches without Grain are the same whoever makes them, and replace Grain's."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from experiments.short_lease import plain_batches
from vasa_jax.data import examples, pipeline, records

ROOT = pathlib.Path(__file__).resolve().parent.parent


def _half(rng, record):
    return {"value": record["value"] / 2 + rng.integers(100)}


def _examples(count=5):
    return examples.RecordExamples(
        records.ListRecords(
            {"clip_id": f"clip_{number}", "value": np.full(3, number, np.float32)}
            for number in range(count)
        ),
        _half,
    )


def _batches(count=5, batch_size=2, **settings):
    return plain_batches.training_batches(
        _examples(count),
        batch_size=batch_size,
        seed=3,
        settings=pipeline.PipelineConfig(**settings),
    )


def _assert_equal(first, second):
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


def test_batches_resume_and_go_through_each_epoch():
    batches = _batches(count=12, batch_size=6)
    expected = [next(batches) for _ in range(4)]
    names = np.concatenate([batch["record"] for batch in expected])
    assert set(names[:12]) == set(names[12:]) and len(set(names)) == 12
    batches.set_state({"next": 2})
    for batch in expected[2:]:
        _assert_equal(next(batches), batch)
    batches.close()


@pytest.mark.slow
def test_processes_make_the_batches_of_threads_and_outlive_a_signal():
    threads, processes = _batches(), _batches(num_workers=1)
    try:
        expected = [next(threads) for _ in range(6)]
        for batch in expected[:2]:
            _assert_equal(next(processes), batch)
        # `timeout` signals a program's whole group, and the program wants to save.
        for process in processes._workers:
            os.kill(process.pid, signal.SIGTERM)
        time.sleep(0.2)
        _assert_equal(next(processes), expected[2])
        processes.set_state({"next": 5})
        _assert_equal(next(processes), expected[5])
        assert processes.get_state() == {"next": 6}
    finally:
        threads.close()
        processes.close()


def test_a_program_runs_with_these_batches_and_its_own_arguments(tmp_path):
    (tmp_path / "told.py").write_text(
        "import sys\nfrom vasa_jax.data import pipeline\n"
        "print(__name__, pipeline.training_batches.__module__, sys.argv[1:])\n"
    )
    ended = subprocess.run(
        [sys.executable, "-m", "experiments.short_lease.without_grain", "told", "--a"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert ended.stderr == ""
    told = "__main__ experiments.short_lease.plain_batches ['--a']"
    assert ended.stdout.strip() == told
