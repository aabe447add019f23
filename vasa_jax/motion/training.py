"""The task of stage two: from batches of windows to the denoiser's loss."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from flax import serialization

from vasa_jax import config as config_lib
from vasa_jax import types
from vasa_jax.motion import conditions as conditions_lib
from vasa_jax.motion import denoiser, diffusion, losses, normalization, sampler
from vasa_jax.motion.config import MotionConfig, SamplingConfig
from vasa_jax.train import loss_schedule, metric_states, task

GROUP = "motion"
"""Name of the trained group, in states and exports."""

STATISTICS_GROUP = "statistics"
"""Name of the constant group that holds the normalisation."""

EVALUATION_SAMPLING = SamplingConfig(num_steps=10)
"""How an evaluation samples. Ours: as the demo ships."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LossConfig:
    """Weights of the losses of stage two.

    Attributes:
        motion: of the error of clean motion. Paper: VASA-1 Eq. 4, alone.
        velocity: of the error of frame-to-frame change. Follows: DiffPoseTalk. # ours:
            1 on normalised motion; smooths without lag in the toy problem of the tests.
        seam: of the first change of a window over the others. # ours: one step of W
            has to hold windows together.
        movement: of the error of the head's movement from the frame before the window,
            or about its mean, over what moves. # ours: 0.5, a third of the whole.
        lips: of the error of lips through an ARKit read-out; needs one. # ours: 10,
            which makes it as large as `motion`, since weights lie in [0, 1].
        closure: added weight of a full lip closure. # ours: 4, closures fill a fifth
            of speech.
        pose_channel: weight of a pose channel over one of facial dynamics. # ours: 0.1,
            since where the head faces comes to 25 times its movement (see
            `normalization`); the paper's is 1, with its own sizes of the two.
        schedule: ramps of the four terms; see `loss_schedule`.
    """

    motion: float = 1.0
    velocity: float = 1.0
    seam: float = 5.0
    movement: float = 0.5
    lips: float = 10.0
    closure: float = 4.0
    pose_channel: float = 0.1
    schedule: tuple[loss_schedule.Ramp, ...] = ()

    def __post_init__(self):
        """Refuse negative weights, and ramps of what is no term."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            config_lib.require(
                field.name == "schedule" or value >= 0,
                f"LossConfig.{field.name} is {value}; give 0 or more.",
            )
        loss_schedule.check(self, ("motion", "velocity", "movement", "lips"))


class MotionTask:
    """Train the denoiser on windows that `windows.cut` made; see `task.Task`.

    Args:
        config: sizes of the denoiser.
        statistics: of the training records.
        loss_config: weights of the losses.
        dropout: how often conditions are hidden.
        arkit_function: reads ARKit weights `[..., 52]` out of facial dynamics; None
            leaves the lip loss out.
    """

    def __init__(
        self,
        config: MotionConfig,
        statistics: normalization.MotionStatistics,
        loss_config: LossConfig | None = None,
        dropout: conditions_lib.DropoutConfig | None = None,
        arkit_function: losses.ArkitFunction | None = None,
    ):
        self.config = config
        self.losses = {GROUP: self.loss}
        self._statistics = statistics
        self._weights = loss_config or LossConfig()
        self._dropout = dropout or conditions_lib.DropoutConfig()
        self._arkit_function = arkit_function
        self._denoiser = denoiser.MotionDenoiser(config)

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
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """Return the weighted mean loss of a batch, and its terms.

        Paper: VASA-1 section 3.2, Eq. 4: a random diffusion step, x_0 predicted, with
        conditions dropped at random.
        """
        del key
        keys = jax.vmap(lambda key: jax.random.split(key, 3))(
            batch[task.EXAMPLE_KEY_FIELD]
        )
        statistics = _statistics_of(params)
        conditions = make_conditions(batch, statistics)
        conditions = conditions_lib.drop_at_random(
            keys[:, 0], conditions, self._dropout
        )
        place = jax.vmap(jax.random.uniform)(keys[:, 1])
        diffusion_step = (place * self.config.num_diffusion_steps).astype(jnp.int32)
        terms = self._terms(params, batch, conditions, diffusion_step, keys[:, 2])
        metrics = {name: term.mean() for name, term in terms.items()}
        return loss_schedule.weighted_sum(self._weights, metrics, step), metrics

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
        mask, channel_weights = batch["mask"], self._channel_weights()
        terms = {
            "motion": losses.motion_loss(prediction, target, mask, channel_weights),
            "velocity": losses.velocity_loss(
                prediction,
                target,
                mask,
                conditions.previous_motion[:, -1],
                ~conditions.previous_dropped,
                channel_weights,
                self._weights.seam,
            ),
        }
        if self._weights.movement:
            pose = slice(types.POSE_CHANNELS)
            terms["movement"] = losses.movement_loss(
                prediction[..., pose],
                target[..., pose],
                mask,
                conditions.previous_motion[:, -1, pose],
                ~conditions.previous_dropped,
            )
        if self._arkit_function is not None:
            _, shown = normalization.split_motion(
                statistics.motion.denormalise(prediction)
            )
            _, truth = normalization.split_motion(batch["motion"])
            terms["lips"] = losses.lip_loss(
                shown, truth, mask, self._arkit_function, self._weights.closure
            )
        return terms

    def _channel_weights(self) -> jax.Array:
        """Return the weight `[M]` of each channel of motion."""
        is_pose = jnp.arange(self.config.num_motion_channels) < types.POSE_CHANNELS
        return jnp.where(is_pose, self._weights.pose_channel, 1.0)

    def evaluate(
        self, params: task.Params, batch: task.Batch, key: jax.Array
    ) -> dict[str, Any]:
        """Sample the batch's windows, and compare them with the truth.

        Returns:
            Metric states: `loss` of clean motion at even diffusion steps; correlation
            of facial dynamics with the truth, `dynamics_correlation`, and with another
            row's truth, `shuffled_correlation`, which should be near 0; `pose_spread`
            and `dynamics_spread`, deviation in time over the truth's; `seam`, the
            change into the window over its usual change.
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

        taken = EVALUATION_SAMPLING
        target = statistics.motion.normalise(batch["motion"])
        sampled = sampler.sample(
            sample_key,
            denoise,
            target.shape,
            sampler.make_schedule(
                self.config.num_diffusion_steps,
                min(taken.num_steps, self.config.num_diffusion_steps),
                taken.spacing,
            ),
            taken.method,
        )
        return {
            "loss": metric_states.Mean.from_batch(terms["motion"]),
            **_compare(sampled, target, conditions, batch["mask"]),
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
    return conditions.replace(gaze_dropped=~has_gaze, emotion_dropped=~has_emotion)


def _known(values: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return which rows `[B]` of `[B, C]` are numbers, and zeros for the others."""
    is_known = jnp.isfinite(values).all(axis=-1)
    return is_known, jnp.where(is_known[:, None], values, 0.0).astype(jnp.float32)


def _statistics_of(params: task.Params) -> normalization.MotionStatistics:
    """Read the statistics out of their group."""
    return normalization.from_state_dict(params[STATISTICS_GROUP])


def _compare(
    sampled: jax.Array,
    target: jax.Array,
    conditions: types.Conditions,
    mask: jax.Array,
) -> dict[str, Any]:
    """Return metric states of sampled against true motion `[B, T, M]`, normalised."""
    _, dynamics = normalization.split_motion(sampled)
    _, true_dynamics = normalization.split_motion(target)
    every = jnp.broadcast_to(mask[..., None], dynamics.shape)
    # Within each clip and over all channels as one: what moves, not who it is.
    moves = _centred(dynamics, mask)[..., None]
    true_moves = _centred(true_dynamics, mask)[..., None]
    pose = slice(0, types.POSE_CHANNELS)
    change = jnp.abs(jnp.diff(sampled, axis=1)).mean((1, 2))
    jump = jnp.abs(sampled[:, 0] - conditions.previous_motion[:, -1]).mean(1)
    return {
        "dynamics_correlation": metric_states.Correlation.from_batch(
            moves, true_moves, every
        ),
        "shuffled_correlation": metric_states.Correlation.from_batch(
            moves, jnp.roll(true_moves, 1, axis=0), every
        ),
        "pose_spread": _spread(sampled[..., pose], target[..., pose]),
        "dynamics_spread": _spread(dynamics, true_dynamics),
        "seam": metric_states.Mean.from_batch(
            jump / jnp.maximum(change, 1e-6), ~conditions.previous_dropped
        ),
    }


def _centred(values: jax.Array, mask: jax.Array) -> jax.Array:
    """Subtract from `[B, T, C]` the mean over each example's frames."""
    count = jnp.maximum(mask.sum(1), 1)[:, None, None]
    return values - (values * mask[..., None]).sum(1, keepdims=True) / count


def _spread(sampled: jax.Array, target: jax.Array) -> metric_states.Mean:
    """Return the deviation in time of `[B, T, C]` over the truth's, per example."""
    truth = jnp.maximum(target.std(1).mean(-1), 1e-6)
    return metric_states.Mean.from_batch(sampled.std(1).mean(-1) / truth)
