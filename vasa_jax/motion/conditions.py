"""What may be dropped from the conditions of the motion denoiser, and how often."""

import dataclasses

import jax
import jax.numpy as jnp

from vasa_jax import config as config_lib
from vasa_jax import types

NAMES = ("audio", "previous", "gaze", "distance", "emotion", "liveliness")
"""The conditions that can be dropped; each has its own learned null token."""


DROPOUT = 0.1
"""Chance to hide the audio of a whole window, gaze, distance or emotion, each on its
own. Paper: VASA-1 section 3.2."""

PREVIOUS_DROPOUT = 0.5
"""Chance to hide motion and audio of the previous window, together. Paper: VASA-1
section 3.2."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DropoutConfig:
    """How often training hides what the paper leaves open.

    Attributes:
        last_frames: chance to cut a window short, by one to all but K of its frames,
            above 0. Paper: the last few frames of audio are dropped, at a rate it does
            not print, for shorter sequences of audio. # ours: at the other conditions'
            rate, 0.1; their motion goes too, so that a stream's steps of K to W frames
            are windows of that length, which cost what they are long. Lengths crowd
            at K, since streams answer soonest there.
        liveliness: chance to hide how lively the head is. # ours: 0.1, as the other
            conditions; 1 is the paper, which has no such condition.
    """

    last_frames: float = 0.1
    liveliness: float = 0.1

    def __post_init__(self):
        """Refuse chances outside 0 to 1, and steps of streams that are not trained."""
        config_lib.require_fraction(self, "last_frames", "liveliness")
        config_lib.require(
            self.last_frames > 0,
            "DropoutConfig.last_frames is 0; give a chance above 0, since "
            "streams take steps shorter than a window, which must be trained.",
        )


def build(
    audio: jax.Array,
    previous_motion: jax.Array,
    previous_audio: jax.Array,
    gaze: jax.Array,
    head_distance: jax.Array,
    emotion: jax.Array,
    liveliness: jax.Array,
    previous_dropped: jax.Array | None = None,
) -> types.Conditions:
    """Make conditions of which nothing is dropped, but the previous window if asked.

    Args:
        audio: `[B, T, A]` features.
        previous_motion: `[B, K, M]` normalised motion.
        previous_audio: `[B, K, A]` features.
        gaze: `[B, 2]` radians.
        head_distance: `[B, 1]`.
        emotion: `[B, 8]`.
        liveliness: `[B, 1]`.
        previous_dropped: bool `[B]`, or None where all have a previous window.

    Returns:
        The conditions.
    """
    kept = jnp.zeros(audio.shape[:1], bool)
    return types.Conditions(
        audio=audio,
        previous_motion=previous_motion,
        previous_audio=previous_audio,
        gaze=gaze,
        head_distance=head_distance,
        emotion=emotion,
        liveliness=liveliness,
        audio_dropped=kept,
        previous_dropped=kept if previous_dropped is None else previous_dropped,
        gaze_dropped=kept,
        distance_dropped=kept,
        emotion_dropped=kept,
        liveliness_dropped=kept,
        past_end=jnp.zeros(audio.shape[:2], bool),
    )


def without(conditions: types.Conditions, *names: str) -> types.Conditions:
    """Drop the named conditions of every example (the paper's "C without c").

    Args:
        conditions: conditions of any batch.
        *names: of `NAMES`.

    Returns:
        The conditions with those markers true.

    Raises:
        UserError: a name is not in `NAMES`.
    """
    for name in names:
        if name not in NAMES:
            raise config_lib.unknown_name(name, NAMES, "condition")
    dropped = jnp.ones(conditions.audio.shape[:1], bool)
    return conditions.replace(**{f"{name}_dropped": dropped for name in names})


def end_at(
    conditions: types.Conditions, num_frames: int | jax.Array
) -> types.Conditions:
    """End windows before their arrays do, as `drop_at_random` does in training.

    Args:
        conditions: of windows of T frames.
        num_frames: frames that stay, int32 `[]` or `[B]`.

    Returns:
        The conditions with the other frames' markers true; what was past the end
        stays there.
    """
    frames = jnp.arange(conditions.audio.shape[1])
    is_past = frames[None] >= jnp.asarray(num_frames).reshape(-1, 1)
    return conditions.replace(past_end=conditions.past_end | is_past)


def drop_at_random(
    keys: jax.Array, conditions: types.Conditions, config: DropoutConfig
) -> types.Conditions:
    """Hide conditions at random, each on its own; what was hidden stays hidden.

    Paper: VASA-1 section 3.2: 0.1 each, 0.5 for the previous motion and audio, and the
    last few frames now and then (here up to W - K).

    Args:
        keys: random keys `[B]`, one per example, so that examples do not depend on
            the batch that they are in.
        conditions: conditions of a batch of B.
        config: the chances.

    Returns:
        The conditions with more markers true.
    """
    num_frames = conditions.audio.shape[1]
    most_cut = num_frames - conditions.previous_audio.shape[1]

    # One draw for all chances: each further one costs seconds of compilation.
    chance = jax.vmap(lambda key: jax.random.uniform(key, (len(NAMES) + 2,)))(keys)
    rates = dict.fromkeys(NAMES, DROPOUT)
    rates |= {"previous": PREVIOUS_DROPOUT, "liveliness": config.liveliness}
    hidden = {
        f"{name}_dropped": chance[:, column] < rates[name]
        for column, name in enumerate(NAMES)
    }
    is_cut, share = chance[:, -2] < config.last_frames, chance[:, -1]
    # Short windows, which streams take, are drawn more often than long ones.
    num_cut = jnp.ceil((1 - jnp.square(share)) * most_cut).astype(jnp.int32)
    conditions = conditions.replace(
        **{name: getattr(conditions, name) | value for name, value in hidden.items()}
    )
    return end_at(conditions, num_frames - jnp.where(is_cut, num_cut, 0))
