"""One step: devices, accumulation, players, averages, and a warm start."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import linear_regression
from vasa_jax import config
from vasa_jax.train import batch_names, optimizer, sharding, task
from vasa_jax.train import experiment as experiment_lib
from vasa_jax.train import state as state_lib
from vasa_jax.train import step as step_lib


def _experiment(*changes):
    settings = linear_regression.get_config("tiny")
    return linear_regression.build(config.override(settings, changes))


def _train(experiment, mesh, num_steps=3):
    """Take steps as the loop does and return the state on the host."""
    placed = jax.tree.map(
        lambda leaf: leaf.sharding, state_lib.abstract_state(experiment, mesh)
    )
    state = jax.jit(lambda: state_lib.init_state(experiment), out_shardings=placed)()
    step = jax.jit(
        step_lib.make_step(experiment),
        donate_argnums=0,
        out_shardings=(placed, sharding.replicated(mesh)),
    )
    batches = experiment.train_data()
    for _ in range(num_steps):
        batch, _ = batch_names.split_names(next(batches))
        state, metrics = step(state, sharding.shard_batch(batch, mesh))
    return jax.device_get((state.params, state.ema)), jax.device_get(metrics)


def _assert_close(first, second, **tolerances):
    assert jax.tree.structure(first) == jax.tree.structure(second)
    for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        np.testing.assert_allclose(a, b, **tolerances)


@pytest.fixture(scope="module")
def alone():
    """Parameters, averages and metrics after some steps on one device."""
    return _train(_experiment(), sharding.make_mesh(num_devices=1))


@pytest.mark.parametrize("mesh", ["data:8", "data:2,fsdp:4"])
def test_eight_devices_train_as_one(mesh, alone, monkeypatch):
    # So that the kernel is split over fsdp.
    monkeypatch.setattr(sharding, "SMALLEST_SHARDED_SIZE", 8 * 4)
    together = _train(_experiment(), sharding.make_mesh(mesh))
    # Sums over devices run in another order.
    _assert_close(alone, together, rtol=1e-5, atol=1e-6)


def test_accumulation_equals_a_large_batch(alone):
    mesh = sharding.make_mesh(num_devices=2)
    parts = _train(_experiment("train.accumulation_steps=4"), mesh)
    _assert_close(alone, parts, rtol=1e-5, atol=1e-6)


def test_noise_differs_between_steps_rows_and_seeds():
    class Probe:
        def __init__(self):
            self.losses = {"model": self.loss}

        def init(self, key):
            return {"model": {"bias": jnp.zeros(())}}

        def loss(self, params, batch, key, step):
            rows = jax.vmap(jax.random.normal)(batch[task.EXAMPLE_KEY_FIELD])
            noise = jnp.concatenate([rows, jax.random.normal(key)[None]])
            metrics = {f"noise{i}": noise[i] for i in range(5)}
            return params["model"]["bias"], task.Outputs(metrics)

    def noise(seed):
        experiment = experiment_lib.Experiment(
            name="probe",
            task=Probe(),
            settings=experiment_lib.TrainConfig(seed=seed, batch_size=4),
            optimizers={"model": optimizer.OptimizerConfig()},
            train_data=lambda: iter([]),
        )
        state = state_lib.init_state(experiment)
        step = jax.jit(step_lib.make_step(experiment))
        found = []
        for _ in range(2):
            state, metrics = step(state, {"rows": jnp.zeros(4)})
            found += [float(metrics[f"model/noise{i}"]) for i in range(5)]
        return found

    assert len({*noise(0), *noise(1)}) == 20


class Players:
    """Two players: `maker` wants its number high, `judge` measures it."""

    def __init__(self):
        self.losses = {"maker": self.make, "judge": self.judge}

    def init(self, key):
        return {
            "maker": {"number": jnp.array(2.0)},
            "judge": {"scale": jnp.array(3.0)},
            "constant": {"offset": jnp.array(1.0)},
        }

    def make(self, params, batch, key, step):
        number = params["maker"]["number"] + params["constant"]["offset"]
        loss = -params["judge"]["scale"] * number
        return loss, task.Outputs({}, shared={"number": number})

    def judge(self, params, batch, key, step):
        shared = batch[task.SHARED_FIELD]["number"]
        loss = params["judge"]["scale"] * shared
        return loss, task.Outputs({"seen": shared})


def _players(**changes):
    settings = optimizer.OptimizerConfig(
        learning_rate=0.1, warmup_steps=0, final_fraction=1.0, clip_norm=None
    )
    return experiment_lib.Experiment(
        name="players",
        task=Players(),
        settings=experiment_lib.TrainConfig(batch_size=2),
        optimizers={
            "maker": settings,
            "judge": dataclasses.replace(settings, learning_rate=0.2, **changes),
        },
        train_data=lambda: iter([]),
    )


def test_each_player_follows_its_own_loss_from_the_same_parameters():
    experiment = _players()
    state = state_lib.init_state(experiment)
    batch = {"rows": jnp.zeros(2)}
    state, metrics = jax.jit(step_lib.make_step(experiment))(state, batch)
    # The first step of Adam is the learning rate against the gradient's sign.
    assert float(state.params["maker"]["number"]) == pytest.approx(2.1, abs=1e-4)
    assert float(state.params["judge"]["scale"]) == pytest.approx(2.8, abs=1e-4)
    assert float(state.params["constant"]["offset"]) == 1.0
    assert float(metrics["judge/seen"]) == 3.0
    assert float(metrics["maker/gradient_norm"]) == pytest.approx(3.0)
    assert float(metrics["judge/gradient_norm"]) == pytest.approx(3.0)
