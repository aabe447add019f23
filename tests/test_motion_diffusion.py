"""Schedule, forward process, posterior and DDIM against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.motion import diffusion


def test_the_cosine_schedule_goes_from_nearly_clean_to_noise_alone():
    levels = diffusion.cosine_schedule(500)
    assert levels.signal.dtype == np.float32
    assert levels.signal[0] > 0.9999
    assert levels.signal[-1] < 1e-3
    assert np.all(np.diff(levels.signal) < 0)
    np.testing.assert_allclose(levels.signal**2 + levels.noise**2, 1, atol=1e-6)


def test_the_cosine_schedule_is_the_published_one():
    levels = diffusion.cosine_schedule(1000)
    place = np.array([1, 250, 500, 900])
    angle = (place / 1000 + 0.008) / 1.008 * np.pi / 2
    first = np.cos(0.008 / 1.008 * np.pi / 2)
    np.testing.assert_allclose(
        levels.signal[place - 1], np.cos(angle) / first, rtol=1e-5
    )


def test_the_forward_process_has_the_level_s_mean_and_deviation():
    level = diffusion.cosine_schedule(100).at(jnp.array([40]))
    noise = jax.random.normal(jax.random.key(0), (20_000,))
    noisy = diffusion.add_noise(jnp.full((20_000,), 3.0), noise, level)
    np.testing.assert_allclose(noisy.mean(), 3 * level.signal[0], atol=0.03)
    np.testing.assert_allclose(noisy.std(), level.noise[0], rtol=0.02)


def test_the_posterior_is_bayes_rule_on_two_gaussians():
    levels = diffusion.cosine_schedule(100)
    now, then = levels.at(60), levels.at(45)
    clean, noisy = 0.7, -0.4
    kept = float(now.signal / then.signal)
    # Prior of x_s given x_0, times the likelihood of x_t given x_s.
    prior_precision = 1 / float(then.noise) ** 2
    likelihood_precision = kept**2 / (1 - kept**2)
    precision = prior_precision + likelihood_precision
    expected = (
        prior_precision * float(then.signal) * clean
        + likelihood_precision * noisy / kept
    ) / precision
    mean, deviation = diffusion.posterior(jnp.array(clean), jnp.array(noisy), now, then)
    np.testing.assert_allclose(mean, expected, rtol=1e-4)
    np.testing.assert_allclose(deviation, precision**-0.5, rtol=1e-4)


def test_ddim_with_the_true_clean_motion_stays_on_its_path():
    levels = diffusion.cosine_schedule(100)
    clean = jax.random.normal(jax.random.key(1), (3, 4))
    noise = jax.random.normal(jax.random.key(2), (3, 4))
    noisy = diffusion.add_noise(clean, noise, levels.at(80))
    nearer = diffusion.ddim_step(clean, noisy, levels.at(80), levels.at(20))
    np.testing.assert_allclose(
        nearer, diffusion.add_noise(clean, noise, levels.at(20)), atol=1e-5
    )


def test_the_last_ddim_step_returns_the_prediction():
    levels = diffusion.cosine_schedule(100)
    clean_level = diffusion.NoiseLevel(signal=jnp.ones(()), noise=jnp.zeros(()))
    clean = jnp.array([0.3, -2.0])
    out = diffusion.ddim_step(clean, jnp.ones(2), levels.at(30), clean_level)
    np.testing.assert_array_equal(out, clean)
