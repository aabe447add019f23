"""The task of stage two: from batches of windows to the denoiser's loss."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import serialization

from vasa_jax import types
from vasa_jax.motion import conditions as conditions_lib
from vasa_jax.motion import (
    denoiser,
    diffusion,
    losses,
    normalization,
    sampled_metrics,
    sampler,
)
from vasa_jax.motion import model as motion_model
from vasa_jax.motion.config import MotionConfig, SamplingConfig
from vasa_jax.motion.shaping.config import ShapingConfig
from vasa_jax.train import metric_states, task

GROUP = "motion"
"""Name of the trained group, in states and exports."""

STATISTICS_GROUP = "statistics"
"""Name of the constant group that holds the normalisation."""


class MotionTask:
    """Train the denoiser on windows that `windows.cut` made; see `task.Task`.

    Args:
        config: sizes of the denoiser.
        statistics: of the training records.
        loss_config: weights of the losses.
        dropout: how often conditions are hidden.
        arkit_function: reads ARKit weights `[..., 52]` out of facial dynamics; None
            leaves the lip loss out.
        sampling: how evaluations sample; None is the paper's.
        shaping: whose spacing of steps evaluations take; None is the paper's.
    """

    def __init__(
        self,
        config: MotionConfig,
        statistics: normalization.MotionStatistics,
        loss_config: losses.LossConfig | None = None,
        dropout: conditions_lib.DropoutConfig | None = None,
        arkit_function: losses.ArkitFunction | None = None,
        sampling: SamplingConfig | None = None,
        shaping: ShapingConfig | None = None,
    ):
        self.config = config
        self.losses = {GROUP: self.loss}
        self._statistics = statistics
        self._weights = loss_config or losses.LossConfig()
        self._dropout = dropout or conditions_lib.DropoutConfig()
        self._arkit_function = arkit_function
        self._denoiser = denoiser.MotionDenoiser(config)
        self._windows = motion_model.WindowConfig(
            denoiser=config, sampling=sampling or SamplingConfig(), shaping=shaping
        )

    def init(self, key: jax.Array) -> task.Params:
        """Return the denoiser's parameters, and the statistics as a constant group."""
        config = self.config
        window = {
            "motion": jnp.zeros((1, config.window_frames, config.num_motion_channels)),
            "audio": jnp.zeros((1, config.window_frames, config.num_audio_channels)),
            "previous_motion": jnp.zeros(
                (1, config.previous_frames, config.num_motion_channels)
            ),
            "previous_audio": jnp.zeros(
                (1, config.previous_frames, config.num_audio_channels)
            ),
            "gaze": jnp.zeros((1, 2)),
            "head_distance": jnp.zeros((1, 1)),
            "emotion": jnp.zeros((1, len(types.EMOTIONS))),
            "liveliness": jnp.zeros((1, 1)),
            "has_previous": jnp.ones((1,), bool),
            "mask": jnp.ones((1, config.window_frames), bool),
        }
        conditions = make_conditions(window, self._statistics)
        step = jnp.zeros((1,), jnp.int32)
        variables = self._denoiser.init(key, window["motion"], step, conditions)
        return {
            GROUP: variables["params"],
            STATISTICS_GROUP: serialization.to_state_dict(self._statistics),
        }

    def loss(
        self, params: task.Params, batch: task.Batch, key: jax.Array, step: Any
    ) -> tuple[jax.Array, task.Outputs]:
        """Return the weighted mean loss of a batch, and its terms.

        Paper: VASA-1 section 3.2, Eq. 4: a random diffusion step, x_0 predicted, with
        conditions dropped at random.
        """
        del key, step
        keys = jax.vmap(lambda key: jax.random.split(key, 3))(
            batch[task.EXAMPLE_KEY_FIELD]
        )
        statistics = _statistics_of(params)
        conditions = make_conditions(batch, statistics)
        conditions = conditions_lib.drop_at_random(
            keys[:, 0], conditions, self._dropout
        )
        fraction = jax.vmap(jax.random.uniform)(keys[:, 1])
        diffusion_step = (fraction * self.config.num_diffusion_steps).astype(jnp.int32)
        terms = self._terms(params, batch, conditions, diffusion_step, keys[:, 2])
        metrics = {name: term.mean() for name, term in terms.items()}
        total = losses.weighted_sum(self._weights, metrics)
        return total, task.Outputs(metrics)

    def _terms(
        self,
        params: task.Params,
        batch: task.Batch,
        conditions: types.Conditions,
        diffusion_step: jax.Array,
        noise_keys: jax.Array,
    ) -> dict[str, jax.Array]:
        """Return each loss `[B]` at the given diffusion steps."""
        statistics = _statistics_of(params)
        target = statistics.motion.normalise(batch["motion"])
        noise = jax.vmap(lambda key: jax.random.normal(key, target.shape[1:]))(
            noise_keys
        )
        level = diffusion.cosine_schedule(self.config.num_diffusion_steps)
        noisy = diffusion.add_noise(
            target, noise, level.at(diffusion_step).over_frames()
        )
        prediction = self._denoiser.apply(
            {"params": params[GROUP]}, noisy, diffusion_step, conditions
        )
        return self._compare(prediction, target, batch, conditions, statistics)

    def _compare(
        self,
        prediction: jax.Array,
        target: jax.Array,
        batch: task.Batch,
        conditions: types.Conditions,
        statistics: normalization.MotionStatistics,
    ) -> dict[str, jax.Array]:
        """Return each loss `[B]` of predicted against true motion, normalised."""
        mask, channel_weights = ~conditions.past_end, self._channel_weights()
        last, has_last = conditions.previous_motion[:, -1], ~conditions.previous_dropped
        terms = {
            "motion": losses.motion_loss(prediction, target, mask, channel_weights)
        }
        if self._weights.velocity:
            terms["velocity"] = losses.velocity_loss(
                prediction, target, mask, last, has_last, channel_weights
            )
        if self._weights.movement:
            pose = slice(types.POSE_CHANNELS)
            terms["movement"] = losses.movement_loss(
                prediction[..., pose],
                target[..., pose],
                mask,
                last[..., pose],
                has_last,
            )
        if self._weights.lips and self._arkit_function is not None:
            _, shown = normalization.split_motion(
                statistics.motion.denormalise(prediction)
            )
            _, truth = normalization.split_motion(batch["motion"])
            terms["lips"] = losses.lip_loss(shown, truth, mask, self._arkit_function)
        return terms

    def _channel_weights(self) -> jax.Array:
        """Return the weight `[M]` of each channel of motion."""
        is_pose = jnp.arange(self.config.num_motion_channels) < types.POSE_CHANNELS
        return jnp.where(is_pose, losses.POSE_CHANNEL_WEIGHT, 1.0)

    def evaluate(
        self, params: task.Params, batch: task.Batch, key: jax.Array
    ) -> dict[str, Any]:
        """Sample the batch's windows, and compare them with the truth.

        Returns:
            Metric states: `loss` of clean motion at even diffusion steps; correlation
            of facial dynamics with the truth, `dynamics_correlation`, and with another
            row's truth, `shuffled_correlation`, which should be near 0; `pose_spread`
            and `dynamics_spread`, standard deviation in time over the truth's; `seam`,
            the change into the window over its usual change.
        """
        statistics = _statistics_of(params)
        conditions = make_conditions(batch, statistics)
        size = batch["motion"].shape[0]
        noise_key, sample_key = jax.random.split(key)
        even = (jnp.arange(size) + 0.5) / size * self.config.num_diffusion_steps
        terms = self._terms(
            params,
            batch,
            conditions,
            even.astype(jnp.int32),
            jax.random.split(noise_key, size),
        )

        def denoise(noisy, step):
            return self._denoiser.apply(
                {"params": params[GROUP]}, noisy, step, conditions
            )

        target = statistics.motion.normalise(batch["motion"])
        sampled = sampler.sample(
            sample_key,
            denoise,
            target.shape,
            motion_model.sampling_schedule(self._windows),
            self._windows.sampling.method,
        )
        return {
            "loss": metric_states.Mean.from_batch(terms["motion"]),
            **sampled_metrics.compare(sampled, target, conditions, batch["mask"]),
        }


def make_conditions(
    batch: task.Batch, statistics: normalization.MotionStatistics
) -> types.Conditions:
    """Normalise the conditions of a batch of windows.

    Args:
        batch: fields as `windows.cut` names them, with a batch axis.
        statistics: of the training records.

    Returns:
        Conditions of which missing previous windows are dropped, and unknown gaze and
        emotion, which are not a number.
    """
    has_gaze, gaze = _known(batch["gaze"])
    has_emotion, emotion = _known(batch["emotion"])
    conditions = conditions_lib.build(
        audio=statistics.audio.normalise(batch["audio"]),
        previous_motion=statistics.motion.normalise(batch["previous_motion"]),
        previous_audio=statistics.audio.normalise(batch["previous_audio"]),
        gaze=statistics.gaze.normalise(gaze),
        head_distance=statistics.head_distance.normalise(batch["head_distance"]),
        emotion=emotion,
        liveliness=jnp.asarray(batch["liveliness"], jnp.float32),
        previous_dropped=~batch["has_previous"],
    )
    return conditions.replace(
        gaze_dropped=~has_gaze,
        emotion_dropped=~has_emotion,
        past_end=~batch["mask"],
    )


def _known(values: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return which rows `[B]` of `[B, C]` are numbers, and zeros for the others."""
    is_known = jnp.isfinite(values).all(axis=-1)
    return is_known, jnp.where(is_known[:, None], values, 0.0).astype(jnp.float32)


def _statistics_of(params: task.Params) -> normalization.MotionStatistics:
    """Read the statistics out of their group."""
    return normalization.from_state_dict(params[STATISTICS_GROUP])
