"""When a state is measured, on what, and what is reported beside."""

import dataclasses

import jax
import numpy as np
import pytest

from tests import linear_regression
from vasa_jax import config
from vasa_jax.errors import UserError
from vasa_jax.train import evaluator, loop, sharding
from vasa_jax.train import state as state_lib


def _experiment(*changes):
    settings = linear_regression.get_config("tiny")
    return linear_regression.build(config.override(settings, changes))


def test_a_state_is_measured_at_intervals_and_at_the_end():
    settings = _experiment("train.evaluate_every_steps=6").settings
    assert [n for n in range(1, 21) if evaluator.is_due(settings, n)] == [6, 12, 18, 20]
    settings = _experiment("train.evaluate_every_steps=none").settings
    assert [n for n in range(1, 21) if evaluator.is_due(settings, n)] == [20]


def test_what_an_evaluation_lacks_is_told_before_the_first_step(tmp_path):
    def evaluation_data():
        raise UserError("There is no validation split.")

    experiment = dataclasses.replace(
        _experiment(), train_data=None, evaluation_data=evaluation_data
    )
    with pytest.raises(UserError, match="no validation split"):
        loop.run(experiment, tmp_path, sharding.make_mesh(num_devices=1))
    assert not any(tmp_path.iterdir())


def test_a_run_that_ends_before_it_is_measured_needs_no_data_for_it():
    experiment = dataclasses.replace(
        _experiment("train.evaluate_every_steps=6"),
        evaluation_data=lambda: pytest.fail("nothing is measured"),
    )
    evaluator.check_data(experiment, last_step=5)


def test_batches_are_merged_and_reports_are_written_beside(tmp_path):
    def report(params, step, folder):
        (folder / f"{step}.txt").write_text(str(params["constants"]["shift"].shape))
        return {"looks": 1.0}

    experiment = dataclasses.replace(_experiment(), report=report)
    state = state_lib.init_state(experiment)
    mesh = sharding.make_mesh(num_devices=1)
    metrics = evaluator.measure(experiment, state, mesh, 20, tmp_path)
    assert metrics["linear/evaluation/looks"] == 1.0
    assert (tmp_path / "reports" / "20.txt").read_text() == "(4,)"
    layer = jax.device_get(state.params)["model"]["layer"]
    squares = [
        (batch["inputs"] @ layer["kernel"] + 1 - batch["outputs"]) ** 2
        for batch in experiment.evaluation_data()
    ]
    error = metrics["linear/evaluation/error"]
    assert error == pytest.approx(np.mean(squares), rel=1e-4)
