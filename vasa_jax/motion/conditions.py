"""What may be dropped from the conditions of the motion denoiser, and how often."""

import dataclasses

import jax
import jax.numpy as jnp

from vasa_jax import config as config_lib
from vasa_jax import types

NAMES = ("audio", "previous", "gaze", "distance", "emotion", "liveliness")
"""The conditions that can be dropped; each has its own learned null token."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DropoutConfig:
    """How often training hides each condition.

    Attributes:
        audio: chance to hide all audio of the window. Paper: VASA-1 section 3.2, 0.1.
        gaze: Paper: 0.1.
        distance: Paper: 0.1.
        emotion: Paper: 0.1.
        liveliness: # ours: 0.1, as the others.
        previous: chance to hide motion and audio of the previous window, together.
            Paper: 0.5.
        last_audio_frames: chance to hide the last frames of audio, from one to all but
            K. Paper: the last few, at a rate it does not print. # ours: as the other
            conditions, 0.1, and as many as a stream's steps of K to W frames leave
            unheard, so that a stream offers no step that was not trained.
    """

    audio: float = 0.1
    gaze: float = 0.1
    distance: float = 0.1
    emotion: float = 0.1
    liveliness: float = 0.1
    previous: float = 0.5
    last_audio_frames: float = 0.1

    def __post_init__(self):
        """Refuse chances outside 0 to 1."""
        config_lib.require_fraction(self, *NAMES, "last_audio_frames")


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
        audio_frames_dropped=jnp.zeros(audio.shape[:2], bool),
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


def drop_at_random(
    keys: jax.Array, conditions: types.Conditions, config: DropoutConfig
) -> types.Conditions:
    """Hide conditions at random, each on its own; what was hidden stays hidden.

    Paper: VASA-1 section 3.2: 0.1 each, 0.5 for the previous motion and audio, and the
    last few frames of the audio now and then (here up to W - K).

    Args:
        keys: random keys `[B]`, one per example, so that examples do not depend on
            the batch that they are in.
        conditions: conditions of a batch of B.
        config: the chances.

    Returns:
        The conditions with more markers true.
    """
    num_frames = conditions.audio.shape[1]
    most_hidden = num_frames - conditions.previous_audio.shape[1]

    # One draw for all chances: each further one costs seconds of compilation.
    chance = jax.vmap(lambda key: jax.random.uniform(key, (len(NAMES) + 2,)))(keys)
    hidden = {
        f"{name}_dropped": chance[:, column] < getattr(config, name)
        for column, name in enumerate(NAMES)
    }
    is_cut, length = chance[:, -2] < config.last_audio_frames, chance[:, -1]
    count = jnp.ceil(length * most_hidden).astype(jnp.int32)
    is_last = jnp.arange(num_frames)[None] >= num_frames - count[:, None]
    hidden["audio_frames_dropped"] = is_cut[:, None] & is_last
    return conditions.replace(
        **{name: getattr(conditions, name) | value for name, value in hidden.items()}
    )
