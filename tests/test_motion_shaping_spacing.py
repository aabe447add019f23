"""Sampling steps that crowd where there is much noise."""

import jax
import numpy as np
import pytest

from vasa_jax.motion import config, diffusion, sampler
from vasa_jax.motion.shaping import spacing
from vasa_jax.motion.shaping.config import ShapingConfig

NUM_DIFFUSION_STEPS = 500


@pytest.mark.parametrize("deviation", [0.6, 2.0, 6.0])
def test_crowding_steps_where_there_is_noise_keeps_large_deviations(deviation):
    """What the demo takes, beside as many even steps."""
    level = diffusion.cosine_schedule(NUM_DIFFUSION_STEPS)

    def denoise(noisy, step):
        here = level.at(step).over_frames()
        total = here.signal**2 * deviation**2 + here.noise**2
        return here.signal * deviation**2 / total * noisy

    def spread(step_spacing):
        steps = spacing.crowded_steps(
            NUM_DIFFUSION_STEPS, taken.num_steps, step_spacing
        )
        schedule = sampler.make_schedule(NUM_DIFFUSION_STEPS, steps)
        samples = sampler.sample(
            jax.random.key(2), denoise, (5000, 2, 2), schedule, taken.method
        )
        return float(samples.std() / deviation)

    taken = config.DEMO_SAMPLING
    crowded = spread(ShapingConfig().step_spacing)
    assert crowded > 0.8
    gain = crowded - spread(1.0)
    assert gain > (0.1 if deviation > 2.0 else -0.1)


@pytest.mark.parametrize("step_spacing", [1.0, 1.6, 3.0])
def test_crowded_steps_start_at_noise_and_never_repeat(step_spacing):
    for num_steps in (1, 7, 10, 50, 333, 500):
        steps = spacing.crowded_steps(NUM_DIFFUSION_STEPS, num_steps, step_spacing)
        assert steps.shape == (num_steps,)
        assert steps[0] == NUM_DIFFUSION_STEPS - 1
        assert np.all(np.diff(steps) < 0) and steps[-1] >= 0


def test_a_spacing_of_one_gives_the_samplers_even_steps():
    for num_steps in (1, 7, 10, 50, 333, 500):
        np.testing.assert_array_equal(
            spacing.crowded_steps(NUM_DIFFUSION_STEPS, num_steps, 1.0),
            sampler.even_steps(NUM_DIFFUSION_STEPS, num_steps),
        )
