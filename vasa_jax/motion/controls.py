"""What windows are asked to show, and the conditions that this becomes."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import struct

from vasa_jax import types
from vasa_jax.motion import conditions as conditions_lib
from vasa_jax.motion import normalization

AUDIO_GUIDANCE = 0.5
"""Paper: VASA-1 section 4, lambda_A = 0.5."""

GAZE_GUIDANCE = 1.0
"""Paper: VASA-1 section 4, lambda_g = 1.0."""


@struct.dataclass
class MotionControls:
    """What a window is asked to show, each in its own unit; None leaves it open.

    Attributes:
        gaze: `[B, 2]` main gaze (theta, phi), radians, camera frame.
        head_distance: `[B, 1]`, 1 at the reference framing.
        emotion: `[B, 8]` offset per class of `types.EMOTIONS`.
        liveliness: `[B, 1]` of the head, as of `shaping.liveliness`.
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


def to_conditions(
    controls: MotionControls,
    statistics: normalization.MotionStatistics,
    audio: jax.Array,
    previous_motion: jax.Array,
    previous_audio: jax.Array,
    is_first: jax.Array,
) -> types.Conditions:
    """Normalise the controls, and drop those that are left open.

    Args:
        controls: what a window is asked to show.
        statistics: of the model.
        audio: `[B, W, A]`, normalised.
        previous_motion: `[B, K, M]`, normalised.
        previous_audio: `[B, K, A]`, normalised.
        is_first: bool `[]`; the first window has no previous one.

    Returns:
        The conditions of a batch of B.
    """
    batch_size = audio.shape[0]

    def value(control, num_channels, scaling=None):
        if control is None:
            return jnp.zeros((batch_size, num_channels))
        if scaling is None:
            return jnp.asarray(control, jnp.float32)
        return scaling.normalise(control)

    conditions = conditions_lib.build(
        audio=audio,
        previous_motion=previous_motion,
        previous_audio=previous_audio,
        previous_dropped=jnp.broadcast_to(is_first, (batch_size,)),
        gaze=value(controls.gaze, 2, statistics.gaze),
        head_distance=value(controls.head_distance, 1, statistics.head_distance),
        emotion=value(controls.emotion, len(types.EMOTIONS)),
        liveliness=value(controls.liveliness, 1),
    )
    given = {
        "gaze": controls.gaze,
        "distance": controls.head_distance,
        "emotion": controls.emotion,
        "liveliness": controls.liveliness,
    }
    left_open = [name for name, control in given.items() if control is None]
    return conditions_lib.without(conditions, *left_open)
