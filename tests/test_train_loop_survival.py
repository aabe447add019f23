"""What a run survives, with real processes, disks and damaged files."""

import dataclasses
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest

from tests import linear_regression, training_process
from vasa_jax import config
from vasa_jax.data import examples, pipeline, records
from vasa_jax.train import checkpoint, loop, metric_writer, sharding

MAX_SECONDS = 300


def _cut(rng, record):
    return {
        "inputs": record["inputs"].astype(np.float32),
        "outputs": rng.normal(size=4).astype(np.float32),
    }


def _latest_step(folder):
    reader = checkpoint.RunCheckpoints(folder / checkpoint.FOLDER, is_read_only=True)
    step = reader.latest_step()
    reader.close()
    return step


def test_corrupt_records_are_skipped_counted_and_named(tmp_path, capfd):
    rng = np.random.default_rng(0)
    (tmp_path / "clips").mkdir()
    for number in range(20):
        path = tmp_path / "clips" / f"clip{number:02d}.npz"
        records.write_npz_record(path, {"inputs": rng.normal(size=8)})
        if number in (3, 11):
            path.write_bytes(path.read_bytes()[:100])
    drawn = examples.RecordExamples(records.NpzRecords(tmp_path / "clips"), _cut)
    settings = linear_regression.get_config("tiny")
    experiment = dataclasses.replace(
        linear_regression.build(config.override(settings, ["train.num_steps=10"])),
        train_data=lambda: pipeline.training_batches(
            drawn, batch_size=16, seed=0, settings=pipeline.PipelineConfig()
        ),
        evaluation_data=None,
    )
    outcome = loop.run(experiment, tmp_path / "run", sharding.make_mesh(num_devices=1))
    assert outcome.is_complete
    rows = metric_writer.read_metrics(tmp_path / "run" / metric_writer.FILE_NAME)
    assert [row["skipped_records"] for row in rows if row["step"] == 10] == [2]
    told = capfd.readouterr().err
    for name in ("clip03.npz", "clip11.npz"):
        assert told.count(f"skipped the corrupt record {name}") == 1


@pytest.mark.slow
def test_kill_9_in_the_middle_of_a_save_leaves_the_save_before(tmp_path):
    # A state that takes long enough to write, in a step that takes next to nothing.
    large = {"model.num_outputs": 200_000}
    process = training_process.start(tmp_path, step_seconds=0.3, **large)
    folder = tmp_path / checkpoint.FOLDER
    end = time.monotonic() + MAX_SECONDS
    half = []
    while not half and time.monotonic() < end and process.poll() is None:
        half = list(folder.glob("10*tmp*"))
        time.sleep(0.001)
    process.kill()
    output, _ = process.communicate(timeout=MAX_SECONDS)
    assert process.returncode == -signal.SIGKILL, output
    assert half and not (folder / "10").exists()
    assert _latest_step(tmp_path) == 5
    resumed = training_process.start(tmp_path, **large)
    output, _ = resumed.communicate(timeout=MAX_SECONDS)
    assert "done at step 20" in output
    assert not list(folder.glob("*tmp*"))


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 8 MiB, where one may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], capture_output=True
    )
    if not mounted or mounted.returncode:
        pytest.skip("a disk can be mounted by the administrator alone")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.slow
def test_a_full_disk_stops_with_a_sentence_and_keeps_the_last_checkpoint(small_disk):
    # Four arrays of 1 MB: two checkpoints fit beside each other, a third does not.
    changes = {"model.num_outputs": 25_000, "optimizer.ema_decay": 0.9}
    run = small_disk / "run"
    process = training_process.start(run, **changes)
    output, _ = process.communicate(timeout=MAX_SECONDS)
    assert process.returncode == 2, output
    sentence = next(line for line in output.splitlines() if line.startswith("error: "))
    assert "is full; make room and start again" in sentence
    step = _latest_step(run)
    assert step is not None and step < 20
    reader = checkpoint.RunCheckpoints(run / checkpoint.FOLDER, is_read_only=True)
    kept = reader.restore_part(step, ("params", "opt_state", "ema"))
    reader.close()
    assert np.isfinite(kept["params"]["model"]["layer"]["kernel"]).all()
