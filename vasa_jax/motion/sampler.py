"""Samplers: from noise to motion with any denoise function, in one scan.

Split into a schedule (which diffusion steps are visited, known beforehand), a step
(one call of the denoiser) and a carry (the motion so far and the key).
"""

from collections.abc import Callable, Mapping

import einops
import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from vasa_jax import config, types
from vasa_jax.motion import conditions as conditions_lib
from vasa_jax.motion import diffusion

DenoiseFunction = Callable[[jax.Array, jax.Array], jax.Array]
"""From noisy motion `[B, T, M]` and diffusion step int `[B]` to x_0 `[B, T, M]`."""

DrawFunction = Callable[[jax.Array, tuple[int, ...]], jax.Array]
"""From a key and a shape to noise of that shape."""


@struct.dataclass
class SamplingSchedule:
    """The diffusion steps that a sampler visits, noisiest first.

    Attributes:
        step: int32 `[n]` in [0, S).
        level: noise level `[n]` of each step.
        next_level: noise level `[n]` after it; the last is clean.
    """

    step: jax.Array
    level: diffusion.NoiseLevel
    next_level: diffusion.NoiseLevel


@struct.dataclass
class SamplerCarry:
    """What one sampling step hands to the next: motion `[B, T, M]` and a key."""

    noisy: jax.Array
    key: jax.Array


def check_num_steps(num_diffusion_steps: int, num_steps: int) -> None:
    """Refuse a number of sampling steps outside 1 to S.

    Raises:
        UserError: `num_steps` is outside.
    """
    config.require(
        1 <= num_steps <= num_diffusion_steps,
        f"num_steps is {num_steps}; this model samples in 1 to {num_diffusion_steps} "
        "steps, so give a number in this range.",
    )


def even_steps(num_diffusion_steps: int, num_steps: int) -> np.ndarray:
    """Choose `num_steps` of the diffusion steps evenly, the noisiest included.

    Follows: Lin et al., Common Diffusion Noise Schedules Are Flawed ("trailing"), so
    that sampling starts at the level where there is noise alone.

    Args:
        num_diffusion_steps: S of the training.
        num_steps: n, 1 to S. Paper: 50.

    Returns:
        int32 `[n]`, falling.
    """
    ends = num_diffusion_steps * (1 - np.arange(num_steps) / num_steps)
    return np.round(ends).astype(np.int32) - 1


def make_schedule(num_diffusion_steps: int, steps: np.ndarray) -> SamplingSchedule:
    """Return the noise levels of the diffusion steps that are visited.

    Args:
        num_diffusion_steps: S of the training.
        steps: int32 `[n]`, falling, such as `even_steps`.

    Returns:
        The schedule.
    """
    levels = diffusion.cosine_schedule(num_diffusion_steps)
    signal, noise = levels.signal[steps], levels.noise[steps]
    return SamplingSchedule(
        step=steps,
        level=diffusion.NoiseLevel(signal=signal, noise=noise),
        next_level=diffusion.NoiseLevel(
            signal=np.append(signal[1:], np.float32(1)),
            noise=np.append(noise[1:], np.float32(0)),
        ),
    )


def start(
    key: jax.Array,
    shape: tuple[int, int, int],
    draw: DrawFunction = jax.random.normal,
) -> SamplerCarry:
    """Return the carry of pure noise `[B, T, M]`."""
    noise_key, carry_key = jax.random.split(key)
    return SamplerCarry(noisy=draw(noise_key, shape), key=carry_key)


def ddim_step(
    denoise: DenoiseFunction,
    carry: SamplerCarry,
    entry: SamplingSchedule,
    draw: DrawFunction = jax.random.normal,
) -> SamplerCarry:
    """Take one deterministic step. Follows: Song et al., DDIM.

    Args:
        denoise: the denoise function.
        carry: motion at the entry's level.
        entry: one entry of a schedule (scalars).
        draw: not used, since all chance lies in the start.

    Returns:
        The carry at the entry's next level.
    """
    del draw
    clean = _predict(denoise, carry, entry)
    noisy = diffusion.ddim_step(clean, carry.noisy, entry.level, entry.next_level)
    return carry.replace(noisy=noisy)


def ddpm_step(
    denoise: DenoiseFunction,
    carry: SamplerCarry,
    entry: SamplingSchedule,
    draw: DrawFunction = jax.random.normal,
) -> SamplerCarry:
    """Take one ancestral step: draw from the posterior. Follows: Ho et al., DDPM.

    Args:
        denoise: the denoise function.
        carry: motion at the entry's level.
        entry: one entry of a schedule (scalars).
        draw: draws the noise of the step.

    Returns:
        The carry at the entry's next level.
    """
    clean = _predict(denoise, carry, entry)
    mean, std = diffusion.posterior(clean, carry.noisy, entry.level, entry.next_level)
    noise_key, carry_key = jax.random.split(carry.key)
    noise = draw(noise_key, clean.shape)
    return SamplerCarry(noisy=mean + std * noise, key=carry_key)


def _predict(denoise, carry, entry):
    step = jnp.broadcast_to(entry.step, carry.noisy.shape[:1])
    return denoise(carry.noisy, step)


METHODS = {"ddpm": ddpm_step, "ddim": ddim_step}
"""The steps by name: ancestral, and deterministic (eta 0)."""


def sample(
    key: jax.Array,
    denoise: DenoiseFunction,
    shape: tuple[int, int, int],
    schedule: SamplingSchedule,
    method: str,
    draw: DrawFunction = jax.random.normal,
) -> jax.Array:
    """Sample motion by one scan over the schedule.

    Args:
        key: random key.
        denoise: any denoise function.
        shape: (B, T, M).
        schedule: of `make_schedule`.
        method: of `METHODS`.
        draw: draws all noise; white Gaussian unless something else is given.

    Returns:
        float32 `[B, T, M]`.

    Raises:
        UserError: `method` is unknown.
    """
    if method not in METHODS:
        raise config.unknown_name(method, METHODS, "sampler")
    take_step = METHODS[method]
    carry, _ = jax.lax.scan(
        lambda carry, entry: (take_step(denoise, carry, entry, draw), None),
        start(key, shape, draw),
        jax.tree.map(jnp.asarray, schedule),
    )
    return carry.noisy


def guided(
    denoise: Callable[[jax.Array, jax.Array, types.Conditions], jax.Array],
    conditions: types.Conditions,
    scales: Mapping[str, float | jax.Array],
) -> DenoiseFunction:
    """Bind conditions to a denoiser, with guidance, all branches in one call.

    Paper: VASA-1 Eq. 5: (1 + sum of scales) H(C) - sum over c of scale_c H(C
    without c).

    Args:
        denoise: from noisy motion, step and conditions to x_0.
        conditions: C, batch of B.
        scales: guidance scale by condition name (of `conditions.NAMES`). Each name
            costs one branch; leave it out, or give the number 0, to save it.

    Returns:
        The denoise function; it calls `denoise` once, with a batch of B times one plus
        the number of branches.

    Raises:
        UserError: a name is not that of a condition.
    """
    scales = {
        name: scale
        for name, scale in scales.items()
        if not (isinstance(scale, int | float) and scale == 0)
    }
    if not scales:
        return lambda noisy, step: denoise(noisy, step, conditions)
    branches = [conditions]
    branches += [conditions_lib.without(conditions, name) for name in scales]
    stacked = jax.tree.map(lambda *parts: jnp.concatenate(parts), *branches)
    num_branches = len(branches)
    scale = jnp.stack([jnp.asarray(scale, jnp.float32) for scale in scales.values()])
    weights = jnp.concatenate([1 + scale.sum(keepdims=True), -scale])

    def denoise_guided(noisy: jax.Array, step: jax.Array) -> jax.Array:
        clean = denoise(
            einops.repeat(noisy, "b t m -> (n b) t m", n=num_branches),
            einops.repeat(step, "b -> (n b)", n=num_branches),
            stacked,
        )
        clean = einops.rearrange(clean, "(n b) t m -> n b t m", n=num_branches)
        return jnp.einsum("n,nbtm->btm", weights, clean)

    return denoise_guided
