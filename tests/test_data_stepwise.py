"""Batches without Grain are the same whoever makes them."""

import os
import signal
import time

import numpy as np
import pytest

from vasa_jax.data import examples, records, stepwise


def _half(rng, record):
    return {"value": record["value"] / 2 + rng.integers(100)}


def _examples(tmp_path):
    for number in range(5):
        values = {"clip_id": f"clip_{number}", "value": np.full(3, number, np.float32)}
        records.write_npz_record(tmp_path / f"{number}.npz", values)
    return examples.RecordExamples(records.NpzRecords(tmp_path), _half)


def _assert_equal(first, second):
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


@pytest.mark.slow
def test_processes_make_the_batches_of_threads_and_outlive_a_signal(tmp_path):
    drawn = _examples(tmp_path)
    threads = stepwise.shuffled_batches(drawn, batch_size=2, seed=3)
    processes = stepwise.shuffled_batches(drawn, batch_size=2, seed=3, num_workers=1)
    try:
        expected = [next(threads) for _ in range(6)]
        for batch in expected[:2]:
            _assert_equal(next(processes), batch)
        # `timeout` signals a program's whole group, and the program wants to save.
        for process in processes._pool._processes.values():
            os.kill(process.pid, signal.SIGTERM)
        time.sleep(0.2)
        _assert_equal(next(processes), expected[2])
        processes.set_state({"next": 5})
        _assert_equal(next(processes), expected[5])
        assert processes.get_state() == {"next": 6}
    finally:
        threads.close()
        processes.close()
