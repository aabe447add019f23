"""Motion for a voice of any length: windows of diffusion that continue one another.

A stream and a whole recording go through the same function, `next_window`, compiled
once for one window, with a carry of fixed shape.
"""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from vasa_jax import config as config_lib
from vasa_jax import types
from vasa_jax.motion import conditions as conditions_lib
from vasa_jax.motion import denoiser, normalization, sampler
from vasa_jax.motion.config import MotionConfig, SamplingConfig
from vasa_jax.motion.shaping import joining

AUDIO_GUIDANCE = 0.5
"""Paper: VASA-1 section 4, lambda_A = 0.5."""

GAZE_GUIDANCE = 1.0
"""Paper: VASA-1 section 4, lambda_g = 1.0."""


@struct.dataclass
class MotionCarry:
    """What one window hands to the next.

    Attributes:
        previous_motion: float32 `[B, K, M]`, normalised.
        previous_audio: float32 `[B, K, A]`, normalised.
        place, home: float32 `[B, M]`, mean motion of the previous window and of the
            first, normalised.
        window_index: int32 `[]`; 0 is the first window, which has no previous one.
    """

    previous_motion: jax.Array
    previous_audio: jax.Array
    place: jax.Array
    home: jax.Array
    window_index: jax.Array


@struct.dataclass
class MotionControls:
    """What a window is asked to show, each in its own unit; None leaves it open.

    Attributes:
        gaze: `[B, 2]` main gaze (theta, phi), radians, camera frame.
        head_distance: `[B, 1]`, 1 at the reference framing.
        emotion: `[B, 8]` offset per class of `types.EMOTIONS`.
        liveliness: `[B, 1]` of the head, as of `motion.liveliness`.
        guidance: scale by condition name; a name that is left out costs nothing.
            Paper: audio 0.5, gaze 1.0.
    """

    gaze: jax.Array | None = None
    head_distance: jax.Array | None = None
    emotion: jax.Array | None = None
    liveliness: jax.Array | None = None
    guidance: Mapping[str, Any] = struct.field(default_factory=dict)


def default_controls(
    statistics: normalization.MotionStatistics, batch_size: int = 1
) -> MotionControls:
    """Return forward gaze, mean distance, all else open, and the paper's guidance.

    Paper: VASA-1 section 4 (default controls).

    Args:
        statistics: of the model.
        batch_size: B.

    Returns:
        The controls.
    """
    distance = jnp.asarray(statistics.head_distance.mean)[None]
    return MotionControls(
        gaze=jnp.zeros((batch_size, 2)),
        head_distance=jnp.broadcast_to(distance, (batch_size, 1)),
        guidance={"audio": AUDIO_GUIDANCE, "gaze": GAZE_GUIDANCE},
    )


def start_carry(config: MotionConfig, batch_size: int = 1) -> MotionCarry:
    """Return the carry before the first window.

    Args:
        config: of the denoiser.
        batch_size: B.

    Returns:
        The carry, of NumPy arrays; its zeros are never seen, since the first window
        gets the null tokens that training puts in the place of a dropped previous
        window.
    """
    frames = (batch_size, config.previous_frames)
    place = np.zeros((batch_size, config.num_motion_channels), np.float32)
    return MotionCarry(
        previous_motion=np.zeros((*frames, config.num_motion_channels), np.float32),
        previous_audio=np.zeros((*frames, config.num_audio_channels), np.float32),
        place=place,
        home=place,
        window_index=np.int32(0),
    )


@functools.partial(jax.jit, static_argnames=("config", "sampling"))
def next_window(
    params: Mapping[str, Any],
    statistics: normalization.MotionStatistics,
    carry: MotionCarry,
    audio_window: jax.Array,
    controls: MotionControls,
    key: jax.Array,
    num_frames: jax.Array | None = None,
    noise_mixing: jax.Array | None = None,
    *,
    config: MotionConfig,
    sampling: SamplingConfig,
) -> tuple[MotionCarry, jax.Array]:
    """Sample one window of motion that continues the one before.

    Paper: VASA-1 section 3.2: windows of W frames, conditioned on the last K frames of
    motion and audio of the previous window. The key is folded with the window's number,
    so that a window can be made again alone.

    Args:
        params: of the denoiser.
        statistics: of the training data.
        carry: from `start_carry` or the previous window.
        audio_window: features `[B, W, A]` in their own units.
        controls: what to show.
        key: the random key of the whole sequence.
        num_frames: int32 `[]`, K to W: only so many frames are heard, and the next
            window goes on after them; None is W. Ours: a stream's step may be shorter
            than a window, for which training hides the ends of voices.
        noise_mixing: `[M, M]` of `starting_noise.mixing`; None leaves all to chance.
        config: of the denoiser.
        sampling: steps and method.

    Returns:
        The carry for the next window, and motion float32 `[B, W, M]` in its own units
        (head pose vector, then facial dynamics).
    """
    audio = statistics.audio.normalise(audio_window)
    batch_size = audio.shape[0]
    conditions = _conditions(statistics, carry, audio, controls)
    if num_frames is None:
        num_frames = config.window_frames
    is_unheard = jnp.arange(config.window_frames)[None] >= num_frames
    conditions = conditions.replace(
        audio_frames_dropped=jnp.broadcast_to(is_unheard, audio.shape[:2])
    )
    module = denoiser.MotionDenoiser(config)

    def denoise(noisy, step, conditions):
        return module.apply({"params": params}, noisy, step, conditions)

    motion = sampler.sample(
        jax.random.fold_in(key, carry.window_index),
        sampler.guided(denoise, conditions, controls.guidance),
        (batch_size, config.window_frames, config.num_motion_channels),
        sampler.make_schedule(
            config.num_diffusion_steps, sampling.num_steps, sampling.spacing
        ),
        sampling.method,
        noise_mixing,
    )
    is_first = carry.window_index == 0
    joined = joining.join(motion, carry.previous_motion)
    before = jnp.where(is_first, motion[:, :1], carry.previous_motion[:, -1:])
    motion = joining.steady(jnp.where(is_first, motion, joined), before)
    motion = joining.return_home(motion, carry.place, carry.home)
    place = motion.mean(axis=1)
    first = num_frames - config.previous_frames
    last_frames = functools.partial(
        jax.lax.dynamic_slice_in_dim,
        start_index=first,
        slice_size=config.previous_frames,
        axis=1,
    )
    carry = MotionCarry(
        previous_motion=last_frames(motion),
        previous_audio=last_frames(audio),
        place=place,
        home=jnp.where(is_first, place, carry.home),
        window_index=carry.window_index + 1,
    )
    return carry, statistics.motion.denormalise(motion)


def _conditions(
    statistics: normalization.MotionStatistics,
    carry: MotionCarry,
    audio: jax.Array,
    controls: MotionControls,
) -> types.Conditions:
    """Normalise the controls, and drop those that are left open."""
    batch_size = audio.shape[0]
    is_first = carry.window_index == 0
    values = {
        "gaze": 2,
        "head_distance": 1,
        "emotion": len(types.EMOTIONS),
        "liveliness": 1,
    }
    for name, channels in values.items():
        value = getattr(controls, name)
        if value is None:
            values[name] = jnp.zeros((batch_size, channels))
        elif name in ("gaze", "head_distance"):
            values[name] = getattr(statistics, name).normalise(value)
        else:
            values[name] = jnp.asarray(value, jnp.float32)
    conditions = conditions_lib.build(
        audio=audio,
        previous_motion=carry.previous_motion,
        previous_audio=carry.previous_audio,
        previous_dropped=jnp.broadcast_to(is_first, (batch_size,)),
        **values,
    )
    given = {
        "gaze": controls.gaze,
        "distance": controls.head_distance,
        "emotion": controls.emotion,
        "liveliness": controls.liveliness,
    }
    left_open = [name for name, value in given.items() if value is None]
    return conditions_lib.without(conditions, *left_open)


def iterate_windows(
    params: Mapping[str, Any],
    statistics: normalization.MotionStatistics,
    audio_features: np.ndarray,
    controls: MotionControls,
    key: jax.Array,
    *,
    config: MotionConfig,
    sampling: SamplingConfig,
) -> Iterator[np.ndarray]:
    """Generate motion for a whole recording, a window at a time.

    Args:
        params: of the denoiser.
        statistics: of the training data.
        audio_features: `[B, T, A]` in their own units, any T above 0.
        controls: what to show.
        key: random key.
        config: of the denoiser.
        sampling: steps and method.

    Yields:
        Motion float32 `[B, n, M]`, n = W but for the last window, which is cut.

    Raises:
        UserError: no frames, or features of another width.
    """
    features = np.asarray(audio_features)
    config_lib.require(
        features.ndim == 3
        and features.shape[1] > 0
        and features.shape[2] == config.num_audio_channels,
        f"audio_features have the shape {features.shape}; give [batch, frames, "
        f"{config.num_audio_channels}] with at least one frame, from the encoder that "
        "the model was trained with.",
    )
    carry = start_carry(config, features.shape[0])
    for start in range(0, features.shape[1], config.window_frames):
        window = features[:, start : start + config.window_frames]
        num_frames = window.shape[1]
        carry, motion = next_window(
            params,
            statistics,
            carry,
            pad_window(window, config.window_frames),
            controls,
            key,
            config=config,
            sampling=sampling,
        )
        yield np.asarray(motion)[:, :num_frames]


def generate_motion(
    params: Mapping[str, Any],
    statistics: normalization.MotionStatistics,
    audio_features: np.ndarray,
    controls: MotionControls,
    key: jax.Array,
    *,
    config: MotionConfig,
    sampling: SamplingConfig,
) -> np.ndarray:
    """Generate all motion for a recording; see `iterate_windows`.

    Args:
        params: of the denoiser.
        statistics: of the training data.
        audio_features: `[B, T, A]` in their own units, any T above 0.
        controls: what to show.
        key: random key.
        config: of the denoiser.
        sampling: steps and method.

    Returns:
        Motion float32 `[B, T, M]` in its own units.

    Raises:
        UserError: no frames, or features of another width.
    """
    windows = iterate_windows(
        params,
        statistics,
        audio_features,
        controls,
        key,
        config=config,
        sampling=sampling,
    )
    return np.concatenate(list(windows), axis=1)


def pad_window(audio_features: np.ndarray, window_frames: int) -> np.ndarray:
    """Fill a short last window `[B, n, A]` up to `[B, W, A]` with its last features.

    Ours: as training pads clips that are too short; the frames are cut afterwards.
    """
    missing = window_frames - audio_features.shape[1]
    return np.pad(audio_features, ((0, 0), (0, missing), (0, 0)), mode="edge")
