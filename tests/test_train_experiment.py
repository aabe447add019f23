"""Experiments and settings that do not hang together are refused."""

import dataclasses

import pytest

from tests import linear_regression
from vasa_jax import config
from vasa_jax.errors import UserError
from vasa_jax.train import experiment as experiment_lib


def _experiment(*changes):
    settings = linear_regression.get_config("tiny")
    return linear_regression.build(config.override(settings, changes))


def test_a_loss_without_optimizer_is_refused():
    with pytest.raises(UserError, match="optimizer group 'model'"):
        dataclasses.replace(_experiment(), optimizers={})


def test_a_warmup_longer_than_the_run_is_refused():
    with pytest.raises(UserError, match="less than train.num_steps, which is 20"):
        _experiment("optimizer.warmup_steps=20")


def test_a_batch_that_parts_cannot_share_is_refused():
    with pytest.raises(UserError, match="is not a multiple of accumulation_steps 3"):
        experiment_lib.TrainConfig(batch_size=16, accumulation_steps=3)
