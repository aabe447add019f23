"""Losses of stage two; each returns one value per example, averaged over its frames."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import jax
import jax.numpy as jnp

from vasa_jax import arkit
from vasa_jax import config as config_lib

ArkitFunction = Callable[[jax.Array], jax.Array]
"""From facial dynamics `[..., Z]`, in their own units, to ARKit weights `[..., 52]`."""

LEAST_MOVEMENT = 0.2
"""Standard deviation in a window, normalised, below which a head counts as still. Ours:
a fifth of what heads usually move, so that the stillest count as 25 usual ones at most.
"""


SEAM_WEIGHT = 5.0
"""Weight of the first change of a window over the others. Ours: one step of W has to
hold windows together."""

CLOSURE_WEIGHT = 4.0
"""Added weight of a full lip closure. Ours: closures fill a fifth of speech."""

POSE_CHANNEL_WEIGHT = 0.1
"""Weight of a channel of pose over one of facial dynamics. Ours: where the head faces
comes to 25 times its movement (see `normalization`); the paper's is 1, with its own
sizes of the two."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LossConfig:
    """Weights of what is added to the error of clean motion; 0 leaves a term out.

    Paper: VASA-1 section 3.2, Eq. 4, is that error alone, as in `PAPER`; ours even
    there: a pose channel weighs 0.1 (`POSE_CHANNEL_WEIGHT`).

    Attributes:
        velocity: of the error of frame-to-frame change. Follows: DiffPoseTalk. # ours:
            1 on normalised motion; smooths without lag in the toy problem of the tests.
        movement: of the error of the head's movement from the frame before the window,
            or about its mean, over what moves. # ours: 0.5, a third of the whole.
        lips: of the error of lips through an ARKit read-out; needs one. # ours: 10,
            which makes it as large as that of motion, since weights lie in [0, 1].
    """

    velocity: float = 1.0
    movement: float = 0.5
    lips: float = 10.0

    def __post_init__(self):
        """Refuse negative weights."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            config_lib.require(
                value >= 0, f"LossConfig.{field.name} is {value}; give 0 or more."
            )


PAPER = LossConfig(velocity=0.0, movement=0.0, lips=0.0)
"""Paper: VASA-1 section 3.2, Eq. 4 alone; ours: a pose channel weighs 0.1."""


def weighted_sum(config: LossConfig, terms: Mapping[str, jax.Array]) -> jax.Array:
    """Add to the error of motion the others by their weights.

    Args:
        config: the weights.
        terms: scalars by name, `motion` first.

    Returns:
        A scalar.
    """
    total = terms["motion"]
    for field in dataclasses.fields(config):
        if field.name in terms:
            total = total + getattr(config, field.name) * terms[field.name]
    return total


def over_frames(values: jax.Array, mask: jax.Array) -> jax.Array:
    """Average `[B, T]` over the frames where `mask` `[B, T]` is true, 0 where none is.

    Returns:
        float32 `[B]`.
    """
    mask = mask.astype(jnp.float32)
    return (values * mask).sum(1) / jnp.maximum(mask.sum(1), 1.0)


def motion_loss(
    prediction: jax.Array,
    target: jax.Array,
    mask: jax.Array,
    channel_weights: jax.Array,
) -> jax.Array:
    """Return the squared error of predicted clean motion.

    Paper: VASA-1 section 3.2, Eq. 4 (every channel alike). Ours: weights per channel,
    because six of pose stand beside many of facial dynamics.

    Args:
        prediction: `[B, T, M]`, normalised.
        target: `[B, T, M]`, normalised.
        mask: bool `[B, T]`; false where the window is padding.
        channel_weights: `[M]`.

    Returns:
        float32 `[B]`.
    """
    weights = channel_weights[None, None] / channel_weights.sum()
    error = jnp.square(prediction - target) * weights
    return over_frames(error.sum(-1), mask)


def velocity_loss(
    prediction: jax.Array,
    target: jax.Array,
    mask: jax.Array,
    last_motion: jax.Array,
    has_last: jax.Array,
    channel_weights: jax.Array,
    seam_weight: float = SEAM_WEIGHT,
) -> jax.Array:
    """Return the squared error of frame-to-frame change, seam included.

    Follows: DiffPoseTalk (velocity loss). Ours: the step from the previous window into
    this one counts too, and more than others, so that windows join.

    Args:
        prediction: `[B, T, M]`, normalised.
        target: `[B, T, M]`, normalised.
        mask: bool `[B, T]`.
        last_motion: `[B, M]`, the frame before the window, normalised.
        has_last: bool `[B]`; false where the denoiser was not shown that frame.
        channel_weights: `[M]`.
        seam_weight: weight of the step into the window over that of other steps.

    Returns:
        float32 `[B]`: the sum over known steps, the seam's weighted, by their number.
    """
    last = jnp.expand_dims(last_motion, 1)
    change = jnp.diff(prediction, axis=1, prepend=last)
    target_change = jnp.diff(target, axis=1, prepend=last)
    is_known = jnp.concatenate([has_last[:, None], mask[:, :-1]], axis=1) & mask
    weights = channel_weights[None, None] / channel_weights.sum()
    error = (jnp.square(change - target_change) * weights).sum(-1)
    seam = jnp.where(is_known[:, 0], error[:, 0], 0.0)
    num_steps = jnp.maximum(is_known.sum(1).astype(jnp.float32), 1.0)
    return over_frames(error, is_known) + (seam_weight - 1.0) * seam / num_steps


def movement_loss(
    prediction: jax.Array,
    target: jax.Array,
    mask: jax.Array,
    last_motion: jax.Array,
    has_last: jax.Array,
) -> jax.Array:
    """Return the squared error of how channels move, over how much they do.

    Ours: where a head faces varies several times as much as it moves within seconds,
    and hides the movement from `motion_loss`; so pose counts here from the frame before
    the window, or without that from the window's mean. Lively heads move many times as
    far as calm ones, and would hide these; so the error is over what the window moves.

    Args:
        prediction: `[B, T, C]`, normalised.
        target: `[B, T, C]`, normalised.
        mask: bool `[B, T]`; false where the window is padding.
        last_motion: `[B, C]`, the frame before the window, normalised.
        has_last: bool `[B]`; false where the denoiser was not shown that frame.

    Returns:
        float32 `[B]`, over all channels: 1 for a prediction that does not move.
    """

    def moved(values, last):
        mean = jax.vmap(over_frames, in_axes=(2, None), out_axes=1)(values, mask)
        values = values - jnp.where(has_last[:, None], last, mean)[:, None]
        return over_frames(jnp.square(values).mean(-1), mask)

    error = moved(prediction - target, jnp.zeros_like(last_motion))
    return error / jnp.maximum(moved(target, last_motion), LEAST_MOVEMENT**2)


def lip_loss(
    prediction: jax.Array,
    target: jax.Array,
    mask: jax.Array,
    arkit_function: ArkitFunction,
    closure_weight: float = CLOSURE_WEIGHT,
    lip_channels: Sequence[int] = arkit.LIPS,
    closure_channels: Sequence[int] = arkit.LIP_CLOSURE,
) -> jax.Array:
    """Return the squared error of the lips, weighted up where they close or press.

    Ours: the paper has no lip loss; closures of p, b and m are short and a viewer
    misses them at once, so their frames weigh up to 1 + `closure_weight`.

    Args:
        prediction: predicted facial dynamics `[B, T, Z]`, denormalised.
        target: true facial dynamics `[B, T, Z]`, denormalised.
        mask: bool `[B, T]`.
        arkit_function: reads ARKit weights out of facial dynamics; not trained here.
        closure_weight: added weight of a full closure.
        lip_channels: which ARKit weights count.
        closure_channels: which of them tell closures.

    Returns:
        float32 `[B]`.
    """
    lips = jnp.asarray(tuple(lip_channels))
    truth = jax.lax.stop_gradient(arkit_function(target)).astype(jnp.float32)
    shown = arkit_function(prediction).astype(jnp.float32)
    closed = truth[..., jnp.asarray(tuple(closure_channels))].max(-1)
    weight = 1.0 + closure_weight * jnp.clip(closed, 0.0, 1.0)
    error = jnp.square(shown[..., lips] - truth[..., lips]).mean(-1)
    return over_frames(error * weight, mask)
