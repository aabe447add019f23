"""AdamW with a schedule, clipping, learning rates by path, freezing, and EMA.

Each group of networks that is trained against a loss of its own (a player) has one
`OptimizerConfig`; inside a group, `rates` gives other learning rates to the parameters
below a path, and none freezes them.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import traverse_util

from vasa_jax import config
from vasa_jax.errors import UserError

EPSILON = 1e-8
"""Of Adam. Follows: Kingma and Ba."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PathRate:
    """The learning rate of the parameters below a path.

    Attributes:
        path: names with slashes below the group, such as `motion_encoder/stem`.
        learning_rate: the peak; None freezes these parameters.
    """

    path: str
    learning_rate: float | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """How one group of networks is trained.

    Attributes:
        learning_rate: the peak, reached after the warm-up; None freezes the group but
            for the paths that `rates` names.
        rates: other peaks by path; the longest path that fits counts.
        warmup_steps: linear rise from 0.
        final_fraction: where the cosine that follows ends with the run, as a part of
            the peak; 1 stays there.
        beta1, beta2, weight_decay: of AdamW; decay is for kernels only (arrays of two
            axes or more).
        clip_norm: largest global norm of the group's gradient; None is off.
        ema_decay: of the averaged parameters that evaluation and export use; None
            keeps no average.
    """

    # Paper: VASA-1 appendix gives no optimizer. Follows: EMOPortraits (AdamW,
    # cosine 2e-4 to 1e-6, betas 0.5 and 0.999, weight decay 1e-2).
    learning_rate: float | None = 2e-4
    rates: tuple[PathRate, ...] = ()
    warmup_steps: int = 500  # ours: Adam's second moments rest on few steps at first
    final_fraction: float = 0.005
    beta1: float = 0.5
    beta2: float = 0.999
    weight_decay: float = 1e-2
    clip_norm: float | None = 1.0  # ours: one bad clip must not undo hours
    ema_decay: float | None = 0.999  # ours: as diffusion models do

    def __post_init__(self) -> None:
        config.require_positive(self, "learning_rate", "clip_norm")
        config.require_fraction(self, "final_fraction", "beta1", "beta2", "ema_decay")
        config.require(
            self.warmup_steps >= 0,
            f"OptimizerConfig.warmup_steps is {self.warmup_steps}; give 0 or more.",
        )


def for_transformers(
    learning_rate: float,
    warmup_steps: int,
    ema_decay: float,
    weight_decay: float = OptimizerConfig.weight_decay,
) -> OptimizerConfig:
    """Return AdamW as transformers like it: betas 0.9 and 0.99, a low end.

    Follows: DiT and its kin for beta1. Ours: beta2 of 0.99, since runs are short; the
    cosine ends at a fiftieth.

    Args:
        learning_rate, warmup_steps, ema_decay, weight_decay: as of `OptimizerConfig`.
    """
    return OptimizerConfig(
        learning_rate=learning_rate,
        warmup_steps=warmup_steps,
        beta1=0.9,
        beta2=0.99,
        weight_decay=weight_decay,
        final_fraction=0.02,
        ema_decay=ema_decay,
    )


def schedule(settings: OptimizerConfig, num_steps: int) -> optax.Schedule:
    """Return the function from the step to the fraction of the peak learning rate.

    Args:
        settings: the group's settings.
        num_steps: length of the run, more than the warm-up.

    Returns:
        A pure function of the step (from 0): a straight rise over the warm-up, whose
        first step is already above 0, and half a cosine down.
    """
    rise = optax.linear_schedule(
        1 / (settings.warmup_steps + 1), 1.0, settings.warmup_steps
    )
    fall = optax.cosine_decay_schedule(
        1.0, num_steps - settings.warmup_steps, settings.final_fraction
    )
    return optax.join_schedules([rise, fall], [settings.warmup_steps])


def learning_rates(settings: OptimizerConfig, params: Any) -> Any:
    """Give each parameter its peak learning rate; 0 means frozen.

    Args:
        settings: the group's settings.
        params: the group's parameters, or their shapes.

    Returns:
        A tree of floats of the same structure.

    Raises:
        UserError: a path of `rates` fits no parameter.
    """
    names = list(traverse_util.flatten_dict(params, sep="/"))

    def fits(rate: PathRate, name: str) -> bool:
        return (name + "/").startswith(rate.path.strip("/") + "/")

    for rate in settings.rates:
        if not any(fits(rate, name) for name in names):
            tops = sorted({"/".join(name.split("/")[:2]) for name in names})
            raise config.unknown_name(rate.path, tops, "parameter path in rates:")

    def peak(path: tuple[str, ...], _: Any) -> float:
        name = "/".join(path)
        best = PathRate(path="", learning_rate=settings.learning_rate)
        for rate in settings.rates:
            if fits(rate, name) and len(rate.path) > len(best.path):
                best = rate
        return 0.0 if best.learning_rate is None else best.learning_rate

    return traverse_util.path_aware_map(peak, params)


def trainable(settings: OptimizerConfig, params: Any) -> Any:
    """Say for each parameter whether it is trained (true) or frozen (false)."""
    return jax.tree.map(lambda rate: rate > 0, learning_rates(settings, params))


def only_trained(settings: OptimizerConfig, gradients: Any) -> Any:
    """Return the gradients with zeros in the place of those of frozen parameters."""
    return jax.tree.map(
        lambda gradient, keep: gradient if keep else jnp.zeros_like(gradient),
        gradients,
        trainable(settings, gradients),
    )


def learning_rate(
    settings: OptimizerConfig, num_steps: int, step: jax.Array
) -> jax.Array:
    """Return the group's learning rate at a step, but for those of `rates`."""
    return (settings.learning_rate or 0.0) * schedule(settings, num_steps)(step)


def make(
    settings: OptimizerConfig, num_steps: int, params: Any
) -> optax.GradientTransformation:
    """Make the chain of one group: clip, AdamW, rates by path, schedule.

    Frozen parameters take no part in the norm and have no optimizer state.

    Ours: one AdamW under masks rather than `optax.partition` by rate, whose state is
    laid out by rate: a run could not be resumed with another learning rate.

    Args:
        settings: the group's settings.
        num_steps: length of the run.
        params: the group's parameters, or their shapes.

    Returns:
        The transformation; its updates are to be added to the parameters.

    Raises:
        UserError: a path of `rates` fits no parameter, or all is frozen.
    """
    rates = learning_rates(settings, params)
    is_trained = jax.tree.map(lambda rate: rate > 0, rates)
    if not any(jax.tree.leaves(is_trained)):
        raise UserError(
            "Every parameter of a trained group is frozen; give a learning rate, or "
            "leave the group's loss out."
        )
    is_decayed = jax.tree.map(
        lambda leaf, trained: trained and len(leaf.shape) >= 2, params, is_trained
    )
    is_frozen = jax.tree.map(lambda trained: not trained, is_trained)
    clip = (
        optax.identity()
        if settings.clip_norm is None
        else optax.clip_by_global_norm(settings.clip_norm)
    )

    def scale_by_rate(updates: Any, params: Any = None) -> Any:
        del params
        return jax.tree.map(lambda update, rate: -rate * update, updates, rates)

    return optax.chain(
        optax.masked(optax.set_to_zero(), is_frozen),
        clip,
        optax.masked(
            optax.scale_by_adam(settings.beta1, settings.beta2, EPSILON),
            is_trained,
        ),
        optax.add_decayed_weights(settings.weight_decay, mask=is_decayed),
        optax.stateless(scale_by_rate),
        optax.scale_by_schedule(schedule(settings, num_steps)),
    )


def update_average(average: Any, params: Any, decay: float, step: jax.Array) -> Any:
    """Move the averaged parameters towards the parameters.

    Follows: TensorFlow's ExponentialMovingAverage (a shorter memory in the first
    steps, so that the average does not remember the initial values).

    Args:
        average: the averaged parameters, float32.
        params: the parameters after the step.
        decay: of the average, in [0, 1].
        step: the number of steps before this one.

    Returns:
        The new average.
    """
    step = jnp.asarray(step, jnp.float32)
    weight = 1.0 - jnp.minimum(decay, (1.0 + step) / (10.0 + step))
    return optax.incremental_update(params, average, weight)
