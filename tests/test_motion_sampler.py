"""Samplers on a Gaussian whose best denoiser is known, and guidance against numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax import types
from vasa_jax.errors import UserError
from vasa_jax.motion import conditions, diffusion, sampler

NUM_DIFFUSION_STEPS = 500
MEAN, DEVIATION = 1.5, 0.6


def even_schedule(num_steps):
    steps = sampler.even_steps(NUM_DIFFUSION_STEPS, num_steps)
    return sampler.make_schedule(NUM_DIFFUSION_STEPS, steps)


def gaussian_denoiser(noisy, step):
    """Return E[x_0 | x_t] where x_0 is Gaussian."""
    level = diffusion.cosine_schedule(NUM_DIFFUSION_STEPS).at(step).over_frames()
    variance = level.signal**2 * DEVIATION**2 + level.noise**2
    return MEAN + level.signal * DEVIATION**2 / variance * (noisy - level.signal * MEAN)


@pytest.mark.parametrize("method", ["ddpm", "ddim"])
def test_samples_have_the_mean_and_variance_of_the_data(method):
    schedule = even_schedule(200)
    shape = (5000, 2, 2)
    key = jax.random.key(0)
    samples = sampler.sample(key, gaussian_denoiser, shape, schedule, method)
    np.testing.assert_allclose(samples.mean(), MEAN, atol=0.02)
    np.testing.assert_allclose(samples.std(), DEVIATION, rtol=0.03)


def test_ten_steps_of_ddim_already_keep_mean_and_most_of_the_deviation():
    schedule = even_schedule(10)
    samples = sampler.sample(
        jax.random.key(1), gaussian_denoiser, (5000, 2, 2), schedule, "ddim"
    )
    np.testing.assert_allclose(samples.mean(), MEAN, atol=0.03)
    np.testing.assert_allclose(samples.std(), DEVIATION, rtol=0.15)


def test_even_steps_are_evenly_spaced():
    schedule = even_schedule(10)
    np.testing.assert_array_equal(schedule.step, np.arange(499, 0, -50))


def test_a_schedule_starts_at_noise_ends_clean_and_never_repeats():
    for num_steps in (1, 7, 10, 50, 333, 500):
        schedule = even_schedule(num_steps)
        assert schedule.step.shape == (num_steps,)
        assert schedule.step[0] == NUM_DIFFUSION_STEPS - 1
        assert np.all(np.diff(schedule.step) < 0) and schedule.step[-1] >= 0
        assert (
            schedule.next_level.signal[-1] == 1 and schedule.next_level.noise[-1] == 0
        )


@pytest.mark.parametrize("num_steps", [0, 501])
def test_too_few_or_too_many_steps_are_refused(num_steps):
    with pytest.raises(UserError, match="1 to 500"):
        sampler.check_num_steps(NUM_DIFFUSION_STEPS, num_steps)


def test_an_unknown_sampler_is_refused_with_the_nearest():
    schedule = even_schedule(2)
    with pytest.raises(UserError, match="did you mean 'ddim'"):
        sampler.sample(jax.random.key(0), gaussian_denoiser, (1, 1, 1), schedule, "dim")


def some_conditions(batch=2, window=3, previous=2, channels=4, audio=5):
    keys = iter(jax.random.split(jax.random.key(3), 7))
    normal = lambda *shape: jax.random.normal(next(keys), shape)  # noqa: E731
    return conditions.build(
        audio=normal(batch, window, audio),
        previous_motion=normal(batch, previous, channels),
        previous_audio=normal(batch, previous, audio),
        gaze=normal(batch, 2),
        head_distance=normal(batch, 1),
        emotion=normal(batch, len(types.EMOTIONS)),
        liveliness=normal(batch, 1),
    )


def linear_denoise(noisy, step, given):
    """Depend on every condition, and on which of them are dropped."""
    audio = jnp.where(given.audio_dropped, 0.3, given.audio.mean((1, 2)))
    gaze = jnp.where(given.gaze_dropped, -0.2, given.gaze.sum(-1))
    emotion = jnp.where(given.emotion_dropped, 0.1, given.emotion.sum(-1))
    return noisy * (1 + step)[:, None, None] + (audio + gaze * emotion)[:, None, None]


def test_guidance_of_zero_is_the_plain_denoiser():
    given = some_conditions()
    noisy, step = jnp.ones((2, 3, 4)), jnp.array([3, 5])
    plain = linear_denoise(noisy, step, given)
    for scales in ({}, {"audio": 0, "gaze": 0.0}, {"audio": jnp.zeros(())}):
        out = sampler.guided(linear_denoise, given, scales)(noisy, step)
        np.testing.assert_allclose(out, plain, rtol=1e-6)


def test_guidance_is_the_paper_s_formula_one_branch_after_another():
    given = some_conditions()
    noisy = jax.random.normal(jax.random.key(4), (2, 3, 4))
    step = jnp.array([3, 5])
    scales = {"audio": 0.5, "gaze": 1.0, "emotion": 2.0}
    expected = (1 + 3.5) * np.asarray(linear_denoise(noisy, step, given))
    for name, scale in scales.items():
        branch = given.replace(**{f"{name}_dropped": jnp.ones(2, bool)})
        expected -= scale * np.asarray(linear_denoise(noisy, step, branch))
    out = sampler.guided(linear_denoise, given, scales)(noisy, step)
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-5)


def test_guidance_calls_the_network_once_with_all_branches():
    sizes = []

    def denoise(noisy, step, given):
        sizes.append((noisy.shape[0], step.shape[0], given.audio.shape[0]))
        return noisy

    guided = sampler.guided(denoise, some_conditions(), {"audio": 0.5, "gaze": 1.0})
    guided(jnp.ones((2, 3, 4)), jnp.array([3, 5]))
    assert sizes == [(6, 6, 6)]


def test_guidance_by_an_unknown_condition_is_refused():
    with pytest.raises(UserError, match="did you mean 'gaze'"):
        sampler.guided(linear_denoise, some_conditions(), {"gase": 1.0})
