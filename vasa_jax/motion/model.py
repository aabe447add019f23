"""Motion for a voice of any length: windows of diffusion that continue one another.

A stream and a whole recording go through the same function, `next_window`, compiled
once for one window, with a carry of fixed shape. Without shaping it is the paper's.
"""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from flax import struct

from vasa_jax import types
from vasa_jax.motion import conditions as conditions_lib
from vasa_jax.motion import controls as controls_lib
from vasa_jax.motion import denoiser, normalization, sampler
from vasa_jax.motion.config import MotionConfig, SamplingConfig
from vasa_jax.motion.shaping import finished_window, homing, spacing, starting_noise
from vasa_jax.motion.shaping.config import ShapingConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class WindowConfig:
    """How windows are made.

    Attributes:
        denoiser: its sizes.
        sampling: steps and method.
        shaping: what is done beyond the paper; None does nothing.
    """

    denoiser: MotionConfig
    sampling: SamplingConfig = SamplingConfig()
    shaping: ShapingConfig | None = None


@struct.dataclass
class MotionCarry:
    """What one window hands to the next.

    Attributes:
        previous_motion: float32 `[B, K, M]`, normalised.
        previous_audio: float32 `[B, K, A]`, normalised.
        window_index: int32 `[]`; 0 is the first window, which has no previous one.
        means: for shaping, where the head faced; None without.
    """

    previous_motion: jax.Array
    previous_audio: jax.Array
    window_index: jax.Array
    means: homing.WindowMeans | None = None


def start_carry(config: WindowConfig, batch_size: int = 1) -> MotionCarry:
    """Return the carry before the first window.

    Args:
        config: how windows are made.
        batch_size: B.

    Returns:
        The carry, of NumPy arrays; its zeros are never seen, since the first window
        gets the null tokens that training puts in the place of a dropped previous
        window.
    """
    sizes = config.denoiser
    frames = (batch_size, sizes.previous_frames)
    means = homing.no_windows(batch_size, sizes.num_motion_channels)
    return MotionCarry(
        previous_motion=np.zeros((*frames, sizes.num_motion_channels), np.float32),
        previous_audio=np.zeros((*frames, sizes.num_audio_channels), np.float32),
        window_index=np.int32(0),
        means=None if config.shaping is None else means,
    )


@functools.partial(jax.jit, static_argnames=("config",))
def next_window(
    params: Mapping[str, Any],
    statistics: normalization.MotionStatistics,
    carry: MotionCarry,
    audio_window: jax.Array,
    controls: controls_lib.MotionControls,
    key: jax.Array,
    num_frames: jax.Array | None = None,
    noise_mixing: jax.Array | None = None,
    *,
    config: WindowConfig,
) -> tuple[MotionCarry, jax.Array]:
    """Sample one window of motion that continues the one before.

    Paper: VASA-1 section 3.2: windows of W frames, conditioned on the last K frames of
    motion and audio of the previous window. The key is folded with the window's number,
    so that a window can be made again alone.

    Args:
        params: of the denoiser.
        statistics: of the training data.
        carry: from `start_carry` or the previous window.
        audio_window: features `[B, T, A]` in their own units, T from K to W. Ours: a
            stream's step may be shorter than W, and its window is as short.
        controls: what to show.
        key: the random key of the whole sequence.
        num_frames: int32 `[]`, frames before the voice ends; None is T.
        noise_mixing: for shaping, `[M, M]` of `starting_noise.mixing`; None leaves all
            to chance.
        config: how windows are made.

    Returns:
        The carry for the next window, and motion float32 `[B, T, M]` in its own units
        (head pose vector, then facial dynamics).
    """
    if num_frames is None:
        num_frames = audio_window.shape[1]
    audio = statistics.audio.normalise(audio_window)
    is_first = carry.window_index == 0
    conditions = controls_lib.to_conditions(
        controls,
        statistics,
        audio,
        carry.previous_motion,
        carry.previous_audio,
        is_first,
    )
    motion = _sample(
        params,
        conditions_lib.end_at(conditions, num_frames),
        controls.guidance,
        jax.random.fold_in(key, carry.window_index),
        starting_noise.mixed_noise(noise_mixing),
        config,
    )
    means = carry.means
    if config.shaping is not None:
        motion, means = finished_window.shape(
            motion, carry.previous_motion, means, is_first
        )
    num_kept = config.denoiser.previous_frames
    last_frames = functools.partial(
        jax.lax.dynamic_slice_in_dim,
        start_index=audio.shape[1] - num_kept,
        slice_size=num_kept,
        axis=1,
    )
    carry = MotionCarry(
        previous_motion=last_frames(motion),
        previous_audio=last_frames(audio),
        window_index=carry.window_index + 1,
        means=means,
    )
    return carry, statistics.motion.denormalise(motion)


def _sample(
    params: Mapping[str, Any],
    conditions: types.Conditions,
    guidance: Mapping[str, Any],
    key: jax.Array,
    draw: sampler.DrawFunction,
    config: WindowConfig,
) -> jax.Array:
    """Sample a window `[B, T, M]`, normalised."""
    module = denoiser.MotionDenoiser(config.denoiser)

    def denoise(noisy, step, conditions):
        return module.apply({"params": params}, noisy, step, conditions)

    shape = (*conditions.audio.shape[:2], config.denoiser.num_motion_channels)
    guided = sampler.guided(denoise, conditions, guidance)
    schedule = sampling_schedule(config)
    return sampler.sample(key, guided, shape, schedule, config.sampling.method, draw)


def sampling_schedule(config: WindowConfig) -> sampler.SamplingSchedule:
    """Return the diffusion steps that sampling visits: even, or as shaping crowds them.

    Raises:
        UserError: more steps than the model was trained with.
    """
    numbers = config.denoiser.num_diffusion_steps, config.sampling.num_steps
    sampler.check_num_steps(*numbers)
    steps = sampler.even_steps(*numbers)
    if config.shaping is not None:
        steps = spacing.crowded_steps(*numbers, config.shaping.step_spacing)
    return sampler.make_schedule(config.denoiser.num_diffusion_steps, steps)


def pad_window(audio_features: np.ndarray, num_frames: int) -> np.ndarray:
    """Fill a short last window `[B, n, A]` up to `[B, num_frames, A]`, past its end."""
    missing = num_frames - audio_features.shape[1]
    return np.pad(audio_features, ((0, 0), (0, missing), (0, 0)), mode="edge")
