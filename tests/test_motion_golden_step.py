"""One training step of stage two, by value."""

import functools

import jax
import motion_windows
import numpy as np
from test_motion_training import SIZES, make_experiment, read_arkit, some_batch

from vasa_jax.motion import training as motion_training
from vasa_jax.train import state as state_lib
from vasa_jax.train import step as step_lib

UPDATE = (
    "The first training step of stage two gives other numbers than it did. If you "
    "meant to change the denoiser, its start, the losses, dropout or the optimizer, "
    "put the new numbers here and say in the commit why they moved; if not, find out "
    "what did."
)

FIRST = {
    "loss": 3.769968,
    "motion": 1.081314,
    "velocity": 2.159484,
    "movement": 1.023256,
    "lips": 0.001754252,
    "gradient_norm": 2.734273,
}
"""Metrics of the first step, seed 0, eight windows of the tiny preset; on a CPU."""

SECOND_LOSS = 3.745265
"""The loss of the same windows after it, with other noise and dropout."""


def test_the_first_step_gives_the_numbers_that_it_gave():
    task = motion_training.MotionTask(
        SIZES, motion_windows.some_statistics(), arkit_function=read_arkit
    )
    experiment = make_experiment(task)
    state = jax.jit(functools.partial(state_lib.init_state, experiment))()
    step = jax.jit(step_lib.make_step(experiment))
    state, first = step(state, some_batch())
    found = {name: float(first[f"motion/{name}"]) for name in FIRST}
    _, second = step(state, some_batch())
    np.testing.assert_allclose(
        [*found.values(), float(second["motion/loss"])],
        [*FIRST.values(), SECOND_LOSS],
        rtol=2e-4,
        err_msg=UPDATE,
    )
