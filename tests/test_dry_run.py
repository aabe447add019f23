"""A dry run counts, and refuses what cannot fit or divide."""

import re

import pytest

from experiments.running import dry_run
from tests import linear_regression
from vasa_jax import config
from vasa_jax.errors import UserError
from vasa_jax.train import sharding

WIDTH = 65536


def _describe(*changes, mesh=None, **arguments):
    settings = linear_regression.get_config("wide")
    changes = [f"model.num_inputs={WIDTH}", *changes]
    experiment = linear_regression.build(config.override(settings, changes))
    return dry_run.describe(experiment, sharding.make_mesh(mesh), **arguments)


def _number(text, name):
    return float(re.search(rf"^ *{re.escape(name)} ([\d.e+]+)", text, re.M).group(1))


def test_sizes_are_those_of_one_device():
    text = _describe(mesh="data:2,fsdp:4")
    kernel = 4 * WIDTH * 4 / 2**30  # bytes of float32
    assert _number(text, "parameters") == pytest.approx(kernel / 4, abs=1e-4)
    assert _number(text, "optimizer") == pytest.approx(2 * kernel / 4, abs=1e-4)
    assert _number(text, "gradients") == pytest.approx(kernel / 4, abs=1e-4)
    rows = 16 / 8 * 4 * WIDTH / 2**30
    assert _number(text, "batch") == pytest.approx(rows, abs=1e-4)
    assert _number(text, "operations per step") == pytest.approx(
        2 * 2 * 16 * WIDTH * 4, rel=1e-3
    )


def test_each_array_is_shown_with_its_sharding():
    text = _describe(mesh="data:2,fsdp:4")
    kernels = [line for line in text.splitlines() if "layer/kernel" in line]
    # The parameter, two moments, and the average.
    assert len(kernels) == 4
    assert all(line.endswith("float32 ('fsdp',)") for line in kernels)
    assert "  constants/shift [4] float32 whole" in text
    assert f"inputs [16, {WIDTH}] float32 (('data', 'fsdp'),)" in text


def test_activations_are_counted_when_the_step_is_compiled():
    text = _describe(is_compiled=True)
    assert "without activations" not in text
    step = _number(text, "step (gradients, activations)")
    assert step * 2**30 > 4 * WIDTH * 4


def test_what_does_not_fit_is_refused_with_what_may_help():
    with pytest.raises(UserError, match=r"needs 0\.0\d GiB .* which has 0\.00; split"):
        _describe(device_memory_gib=0.001)
    assert "sum" in _describe(device_memory_gib=1.0)


def test_rows_that_do_not_divide_are_refused():
    with pytest.raises(UserError, match="give a multiple of 32"):
        _describe("train.accumulation_steps=4")
