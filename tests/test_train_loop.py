"""The loop: exact resume, stops with a sentence, signals and kills."""

import dataclasses
import pathlib
import signal
import socket
import time

import jax
import numpy as np
import pytest

from experiments.short_lease import plain_batches
from tests import linear_regression, training_process
from vasa_jax import config
from vasa_jax.data import examples, pipeline, records
from vasa_jax.errors import UserError
from vasa_jax.train import (
    checkpoint,
    loop,
    metric_writer,
    sharding,
)

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIMINGS = (
    "frames_per_second",
    "step_seconds",
    "data_wait_fraction",
    "device_memory_gib",
)


def _experiment(*changes):
    settings = linear_regression.get_config("tiny")
    return linear_regression.build(config.override(settings, changes))


def _run(folder, *changes, devices=1, **arguments):
    mesh = sharding.make_mesh(num_devices=devices)
    return loop.run(_experiment(*changes), folder, mesh, **arguments)


def _arrays(state):
    state = state.replace(key=jax.random.key_data(state.key))
    return [np.asarray(leaf) for leaf in jax.tree.leaves(state)]


def _lines(folder):
    rows = metric_writer.read_metrics(folder / metric_writer.FILE_NAME)
    return [{k: v for k, v in row.items() if k not in TIMINGS} for row in rows]


def _assert_same_run(first, second):
    for a, b in zip(_arrays(first.state), _arrays(second.state), strict=True):
        np.testing.assert_array_equal(a, b)


def _wait_for_step(process, folder, step, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        file = folder / metric_writer.FILE_NAME
        if file.exists() and any(r["step"] >= step for r in _lines(folder)):
            return
        time.sleep(0.05)
    raise TimeoutError(process.communicate()[0])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder and the outcome of a run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, _run(folder)


def test_a_run_learns_and_logs(tmp_path):
    outcome = _run(tmp_path, "optimizer.learning_rate=0.3", "model.noise=0.0")
    assert outcome.is_complete and outcome.step == 20
    rows = metric_writer.read_metrics(tmp_path / metric_writer.FILE_NAME)
    steps = [row for row in rows if "linear/model/loss" in row]
    assert [row["step"] for row in steps] == [5, 10, 15, 20]
    assert steps[-1]["linear/model/loss"] < 0.5 * steps[0]["linear/model/loss"]
    assert set(TIMINGS) <= set(steps[-1])
    assert outcome.metrics.keys() == {"linear/evaluation/error"}


def test_the_share_of_peak_is_counted_operations_over_time(tmp_path):
    # 1e-6 teraflops: a device that does a million operations a second.
    _run(tmp_path, "train.peak_teraflops=1e-6", devices=2, max_steps=10)
    rows = metric_writer.read_metrics(tmp_path / metric_writer.FILE_NAME)
    row = next(row for row in rows if row["step"] == 10 and "step_seconds" in row)
    # Forward, and the gradient of the kernel; noise makes none of the inputs'.
    step_operations = 2 * 2 * 16 * 8 * 4
    wanted = step_operations / row["step_seconds"] / (2 * 1e6)
    assert row["share_of_peak"] == pytest.approx(wanted, rel=1e-4)


def test_an_interrupted_run_ends_bit_for_bit_as_a_whole_one(tmp_path, whole):
    folder, outcome = whole
    early = _run(tmp_path / "parts", max_steps=10)
    assert not early.is_complete and early.step == 10
    resumed = _run(tmp_path / "parts")
    assert resumed.is_complete
    _assert_same_run(outcome, resumed)
    assert _lines(folder) == _lines(tmp_path / "parts")


@pytest.mark.parametrize("module", [pipeline, plain_batches])
def test_record_batches_go_on_where_they_were(tmp_path, module):
    rng = np.random.default_rng(0)
    drawn = examples.RecordExamples(
        records.ListRecords(
            {"clip_id": f"clip{i}", "inputs": rng.normal(size=8)} for i in range(50)
        ),
        lambda rng, record: {
            "inputs": record["inputs"].astype(np.float32),
            "outputs": rng.normal(size=4).astype(np.float32),
        },
    )
    settings = pipeline.PipelineConfig()
    experiment = dataclasses.replace(
        _experiment(),
        train_data=lambda: module.training_batches(
            drawn, batch_size=16, seed=0, settings=settings
        ),
        evaluation_data=lambda: pipeline.evaluation_batches(drawn, batch_size=16),
    )
    mesh = sharding.make_mesh(num_devices=1)
    whole = loop.run(experiment, tmp_path / "whole", mesh)
    loop.run(experiment, tmp_path / "parts", mesh, max_steps=7)
    resumed = loop.run(experiment, tmp_path / "parts", mesh)
    _assert_same_run(whole, resumed)
    assert whole.metrics == resumed.metrics


def test_a_checkpoint_of_one_mesh_goes_on_on_another(tmp_path, whole):
    _run(tmp_path / "parts", max_steps=10, devices=8)
    resumed = _run(tmp_path / "parts", devices=2)
    for a, b in zip(_arrays(whole[1].state), _arrays(resumed.state), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_a_finished_run_does_nothing_more(whole):
    folder, first = whole
    lines = _lines(folder)
    again = _run(folder)
    assert again.is_complete
    _assert_same_run(first, again)
    assert _lines(folder) == lines


def test_a_loss_that_is_not_finite_stops_with_step_term_and_records(tmp_path):
    sentence = r"model/error is nan at step 8 \(records: row-7-0, row-7-1"
    with pytest.raises(UserError, match=sentence):
        _run(tmp_path, "nan_step=7")
    kept = checkpoint.RunCheckpoints(tmp_path / checkpoint.FOLDER)
    assert kept.latest_step() == 5
    kept.close()
    healed = _run(tmp_path)
    assert healed.is_complete
    assert all(np.isfinite(leaf).all() for leaf in _arrays(healed.state))


def test_a_state_that_is_not_finite_is_never_saved(tmp_path):
    # The bad step is the last before a save.
    with pytest.raises(UserError, match="step 10"):
        _run(tmp_path, "nan_step=9")
    kept = checkpoint.RunCheckpoints(tmp_path / checkpoint.FOLDER)
    assert kept.latest_step() == 5
    kept.close()


def test_settings_that_do_not_fit_the_checkpoint_are_refused(tmp_path):
    _run(tmp_path, max_steps=5)
    with pytest.raises(UserError, match="does not fit these settings"):
        _run(tmp_path, "model.num_outputs=5")


def test_a_batch_that_does_not_fit_the_devices_is_refused(tmp_path):
    with pytest.raises(UserError, match="give a multiple of 8"):
        _run(tmp_path, "train.batch_size=12", devices=8)


@pytest.mark.slow
def test_sigterm_saves_and_the_run_ends_as_if_never_stopped(tmp_path):
    process = training_process.start(tmp_path / "parts", step_seconds=0.2)
    _wait_for_step(process, tmp_path / "parts", 5)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert "saved and stopped early at step" in output
    early = checkpoint.RunCheckpoints(tmp_path / "parts" / checkpoint.FOLDER)
    step = early.latest_step()
    early.close()
    assert 5 <= step < 20
    resumed = training_process.start(tmp_path / "parts")
    output, _ = resumed.communicate(timeout=120)
    assert "done at step 20" in output
    whole = training_process.start(tmp_path / "whole")
    whole.communicate(timeout=120)
    _assert_equal_checkpoints(tmp_path / "parts", tmp_path / "whole")


@pytest.mark.slow
def test_kill_9_loses_no_more_than_the_steps_since_the_last_save(tmp_path):
    killed = training_process.start(tmp_path / "parts", kill_step=12)
    output, _ = killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL, output
    folder = tmp_path / "parts" / checkpoint.FOLDER
    # What a kill in the middle of a save leaves behind.
    half = folder / "11.orbax-checkpoint-tmp-0"
    half.mkdir()
    (half / "state").mkdir()
    reader = checkpoint.RunCheckpoints(folder, is_read_only=True)
    assert reader.latest_step() in (5, 10)
    reader.close()
    resumed = training_process.start(tmp_path / "parts")
    output, _ = resumed.communicate(timeout=120)
    assert "done at step 20" in output
    assert not half.exists()
    whole = training_process.start(tmp_path / "whole")
    whole.communicate(timeout=120)
    _assert_equal_checkpoints(tmp_path / "parts", tmp_path / "whole")


def _assert_equal_checkpoints(first, second):
    found = []
    for folder in (first, second):
        reader = checkpoint.RunCheckpoints(
            folder / checkpoint.FOLDER, is_read_only=True
        )
        found.append(reader.restore_part(20, ("params", "ema", "opt_state", "step")))
        reader.close()
    leaves = [jax.tree.leaves(part) for part in found]
    assert len(leaves[0]) > 8
    for a, b in zip(*leaves, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_two_processes_train_as_one(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    processes = [
        training_process.start(
            tmp_path / "two",
            f"--coordinator_address={address}",
            "--num_processes=2",
            f"--process_id={i}",
        )
        for i in range(2)
    ]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    _run(tmp_path / "one")
    one, two = _lines(tmp_path / "one"), _lines(tmp_path / "two")
    assert len(one) == len(two) == 6
    for a, b in zip(one, two, strict=True):
        # Sums over processes run in another order.
        assert a == pytest.approx(b, rel=1e-4)
