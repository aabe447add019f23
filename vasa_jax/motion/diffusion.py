"""The arithmetic of diffusion: cosine schedule, forward process, posterior, DDIM.

Pure functions of float32 arrays. A noise level is the pair (signal, noise), the
factors of the clean motion and of unit noise, with signal^2 + noise^2 = 1.
"""

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

COSINE_OFFSET = 0.008
"""Keeps the first steps from being too small. Follows: Nichol and Dhariwal, Eq. 17."""

MAX_BETA = 0.999
"""Most that one step may destroy. Follows: Nichol and Dhariwal, section 3.2."""


@struct.dataclass
class NoiseLevel:
    """How much of the clean motion and of noise there is.

    Attributes:
        signal: float32 of any shape, sqrt(alpha_bar).
        noise: float32 of the same shape, sqrt(1 - alpha_bar).
    """

    signal: jax.Array
    noise: jax.Array

    def at(self, index: jax.Array) -> "NoiseLevel":
        """Return the levels that `index` picks from the first axis."""
        signal, noise = jnp.asarray(self.signal), jnp.asarray(self.noise)
        return NoiseLevel(signal=signal[index], noise=noise[index])

    def over_frames(self) -> "NoiseLevel":
        """Return levels `[B]` as `[B, 1, 1]`, to multiply `[B, T, M]`."""
        return NoiseLevel(
            signal=self.signal[:, None, None], noise=self.noise[:, None, None]
        )


def cosine_schedule(num_diffusion_steps: int) -> NoiseLevel:
    """Return the noise level of every diffusion step, from nearly clean to noise.

    Follows: Nichol and Dhariwal, Improved DDPM, Eq. 17; as DiffPoseTalk (the paper
    names no schedule).

    Args:
        num_diffusion_steps: S, the number of steps.

    Returns:
        `NoiseLevel` of NumPy float32 `[S]` (constants wherever they are traced).
    """
    time = np.arange(num_diffusion_steps + 1, dtype=np.float64) / num_diffusion_steps
    alpha_bar = np.cos((time + COSINE_OFFSET) / (1 + COSINE_OFFSET) * np.pi / 2) ** 2
    beta = np.minimum(1 - alpha_bar[1:] / alpha_bar[:-1], MAX_BETA)
    alpha_bar = np.cumprod(1 - beta)
    return NoiseLevel(
        signal=np.sqrt(alpha_bar).astype(np.float32),
        noise=np.sqrt(1 - alpha_bar).astype(np.float32),
    )


def add_noise(clean: jax.Array, noise: jax.Array, level: NoiseLevel) -> jax.Array:
    """Draw x_t from q(x_t | x_0), given unit noise.

    Paper: VASA-1 section 3.2 (the standard forward process of DDPM).

    Args:
        clean: x_0, float32 of any shape.
        noise: unit Gaussian noise of the same shape.
        level: level that broadcasts against `clean`.

    Returns:
        x_t, float32 of the shape of `clean`.
    """
    return level.signal * clean + level.noise * noise


def posterior(
    clean: jax.Array, noisy: jax.Array, level: NoiseLevel, next_level: NoiseLevel
) -> tuple[jax.Array, jax.Array]:
    """Return mean and standard deviation of q(x_s | x_t, x_0) for a cleaner s < t.

    Follows: Ho et al., DDPM, Eq. 6 and 7, between any two levels.

    Args:
        clean: x_0, or its prediction.
        noisy: x_t.
        level: level of x_t.
        next_level: level of x_s, with less noise.

    Returns:
        The mean, shaped as `clean`, and the standard deviation, shaped as the level.
    """
    kept = level.signal / next_level.signal
    variance = jnp.square(level.noise)
    next_variance = jnp.square(next_level.noise)
    beta = 1 - jnp.square(kept)
    mean = (next_level.signal * beta * clean + kept * next_variance * noisy) / variance
    return mean, jnp.sqrt(beta * next_variance / variance)


def ddim_step(
    clean: jax.Array, noisy: jax.Array, level: NoiseLevel, next_level: NoiseLevel
) -> jax.Array:
    """Go from x_t to a cleaner x_s along the deterministic path.

    Follows: Song et al., DDIM, Eq. 12 with sigma 0.

    Args:
        clean: predicted x_0.
        noisy: x_t.
        level: level of x_t.
        next_level: level of x_s; signal 1 and noise 0 give `clean` itself.

    Returns:
        x_s, shaped as `clean`.
    """
    noise = (noisy - level.signal * clean) / level.noise
    return next_level.signal * clean + next_level.noise * noise
