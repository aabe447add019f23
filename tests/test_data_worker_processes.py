"""Worker processes that die are reported, and the batches stop or go on."""

import dataclasses
import functools
import os
import signal
import time

import jax
import numpy as np
import pytest

from experiments.short_lease import plain_batches
from tests import linear_regression
from vasa_jax.data import examples, pipeline, records
from vasa_jax.errors import UserError
from vasa_jax.train import checkpoint, loop, sharding

pytestmark = pytest.mark.slow

MAX_SECONDS = 120
"""Far more than new workers take to start, far less than a hang."""


def _cut(doom, rng, record):
    """Return the inputs; end the process of the worker that meets the doomed clip."""
    if record["clip_id"] == doom:
        os._exit(0)
    return {
        "inputs": record["inputs"].astype(np.float32),
        "outputs": rng.normal(size=4).astype(np.float32),
    }


def _batches(training_batches, on_worker_death, doom=None, num_workers=1):
    rng = np.random.default_rng(0)
    drawn = examples.RecordExamples(
        records.ListRecords(
            {"clip_id": f"clip{i}", "inputs": rng.normal(size=8)} for i in range(60)
        ),
        functools.partial(_cut, doom),
    )
    settings = pipeline.PipelineConfig(
        num_workers=num_workers, on_worker_death=on_worker_death
    )
    return training_batches(drawn, batch_size=16, seed=0, settings=settings)


def _end_workers(batches, number):
    for worker in batches._workers:
        os.kill(worker.pid, number)


@pytest.mark.parametrize("module", [pipeline, plain_batches])
def test_new_workers_go_on_batch_for_batch(module, capfd):
    batches = _batches(module.training_batches, "restart")
    expected = _batches(module.training_batches, "restart", num_workers=0)
    try:
        for number in range(8):
            batch, truth = next(batches), next(expected)
            np.testing.assert_array_equal(batch["inputs"], truth["inputs"])
            np.testing.assert_array_equal(batch["outputs"], truth["outputs"])
            # Slurm and `timeout` signal workers too; the run still wants to save.
            if number == 1:
                _end_workers(batches, signal.SIGTERM)
            if number == 3:
                _end_workers(batches, signal.SIGKILL)
    finally:
        batches.close()
        expected.close()
    told = capfd.readouterr().err
    assert told.count("died (killed by signal 9): starting new ones at batch") == 1


@pytest.mark.parametrize("module", [pipeline, plain_batches])
def test_a_worker_that_dies_stops_a_run_that_is_so_configured(module, tmp_path):
    settings = linear_regression.get_config("tiny")
    experiment = linear_regression.build(settings)

    class Killing:
        def __init__(self):
            self.batches = _batches(module.training_batches, "stop")
            self.get_state, self.close = self.batches.get_state, self.batches.close
            self.count = 0

        def __next__(self):
            if self.count == 7:
                _end_workers(self.batches, signal.SIGKILL)
            self.count += 1
            return next(self.batches)

    experiment = dataclasses.replace(experiment, train_data=Killing)
    start = time.monotonic()
    with pytest.raises(UserError, match=r"died \(killed by signal 9\) while making"):
        loop.run(experiment, tmp_path, sharding.make_mesh(num_devices=1))
    assert time.monotonic() - start < MAX_SECONDS
    kept = checkpoint.RunCheckpoints(tmp_path / checkpoint.FOLDER)
    # Batches that were made before the death may carry the run past the next save.
    last = kept.latest_step()
    assert last >= 5 and last % 5 == 0
    state = kept.restore_part(last, ("params",))
    kept.close()
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state))


def test_a_record_that_ends_each_worker_stops_after_a_few_tries(capfd):
    # A quiet end, for which Grain alone would wait without end.
    batches = _batches(pipeline.training_batches, "restart", doom="clip7")
    start = time.monotonic()
    with pytest.raises(UserError, match="3 times in a row"):
        for _ in range(4):
            next(batches)
    batches.close()
    assert time.monotonic() - start < MAX_SECONDS
    told = capfd.readouterr().err.splitlines()
    deaths = [line for line in told if "died (exit code 0)" in line]
    # One worker may die ahead of the batches that the other still gives.
    assert len(deaths) >= 3
    assert len({line.rpartition(" at ")[2] for line in deaths[-3:]}) == 1
