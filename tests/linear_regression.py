"""A tiny experiment for tests of the loop: linear regression with noisy inputs."""

import dataclasses
import os
import signal
import time

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.train import experiment, metric_states
from vasa_jax.train import task as task_lib
from vasa_jax.train.optimizer import OptimizerConfig

PRESETS = ("tiny", "wide")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Sizes of the model and strength of its noise."""

    num_inputs: int = 8
    num_outputs: int = 4
    noise: float = 0.1


@dataclasses.dataclass(frozen=True, kw_only=True)
class LinearConfig:
    """All settings, and ways to go wrong at a given step."""

    model: ModelConfig = ModelConfig()
    train: experiment.TrainConfig = experiment.TrainConfig(
        batch_size=16,
        num_steps=20,
        log_every_steps=5,
        evaluate_every_steps=10,
        save_every_steps=5,
    )
    optimizer: OptimizerConfig = OptimizerConfig(
        learning_rate=1e-2, warmup_steps=2, clip_norm=100.0
    )
    nan_step: int | None = None
    kill_step: int | None = None
    step_seconds: float = 0.0


def get_config(preset: str) -> LinearConfig:
    """Return the settings of a preset."""
    num_inputs = {"tiny": 8, "wide": 1024}[preset]
    return LinearConfig(model=ModelConfig(num_inputs=num_inputs))


class LinearTask:
    """Fit a matrix; the mean of the outputs is a constant group."""

    def __init__(self, config: ModelConfig):
        self.config = config
        self.losses = {"model": self.loss}

    def init(self, key):
        """Return the model and the constant."""
        shape = (self.config.num_inputs, self.config.num_outputs)
        layer = {"kernel": jax.random.normal(key, shape), "bias": jnp.zeros(shape[1])}
        return {"model": {"layer": layer}, "constants": {"shift": jnp.ones(shape[1])}}

    def predict(self, params, inputs):
        """Return the outputs."""
        layer = params["model"]["layer"]
        shift = params["constants"]["shift"] + layer["bias"]
        return inputs @ layer["kernel"] + shift[None]

    def loss(self, params, batch, key, step):
        """Return the mean squared error with noise drawn per row."""
        del key, step
        noise = jax.vmap(lambda k: jax.random.normal(k, (self.config.num_inputs,)))(
            batch[task_lib.EXAMPLE_KEY_FIELD]
        )
        inputs = batch["inputs"] + self.config.noise * noise
        error = jnp.mean(jnp.square(self.predict(params, inputs) - batch["outputs"]))
        return error, task_lib.Outputs({"error": error})

    def evaluate(self, params, batch, key):
        """Return the error without noise as a metric state."""
        del key
        error = jnp.square(self.predict(params, batch["inputs"]) - batch["outputs"])
        return {"error": metric_states.Mean.from_batch(error)}


class NumberedBatches:
    """Iterates over `make_batch(0)`, `make_batch(1)`, ...; the number is its place."""

    def __init__(self, make_batch):
        self._make_batch = make_batch
        self._next = 0

    def __iter__(self):
        return self

    def __next__(self):
        self._next += 1
        return self._make_batch(self._next - 1)

    def get_state(self):
        """Return the position."""
        return {"next": self._next}

    def set_state(self, state):
        """Go to a position."""
        self._next = state["next"]


def build(config: LinearConfig) -> experiment.Experiment:
    """Build the experiment."""
    task = LinearTask(config.model)
    truth = np.random.default_rng(7).normal(
        size=(config.model.num_inputs, config.model.num_outputs)
    )

    def make_batch(step: int) -> task_lib.Batch:
        rng = np.random.default_rng((config.train.seed, step))
        inputs = rng.normal(size=(config.train.batch_size, config.model.num_inputs))
        if step == config.kill_step:
            os.kill(os.getpid(), signal.SIGKILL)
        if step == config.nan_step:
            inputs[3] = np.nan
        time.sleep(config.step_seconds)
        batch = {
            "inputs": inputs.astype(np.float32),
            "outputs": (inputs @ truth).astype(np.float32),
            "record": np.array([f"row-{step}-{i}" for i in range(len(inputs))]),
        }
        share = len(inputs) // jax.process_count()
        own = slice(jax.process_index() * share, (jax.process_index() + 1) * share)
        return {name: rows[own] for name, rows in batch.items()}

    return experiment.Experiment(
        name="linear",
        task=task,
        settings=config.train,
        optimizers={"model": config.optimizer},
        train_data=lambda: NumberedBatches(make_batch),
        evaluation_data=lambda: [make_batch(10_000 + i) for i in range(2)],
        evaluate=task.evaluate,
        model_configs={"linear": config.model},
        export_groups=("model", "constants"),
        card="Random numbers.",
    )
