"""How lively a head is: how far it turns within seconds, and what a voice tells of it.

Ours: heads that say the same differ by several times in how far they move, and what a
denoiser predicts while there is much noise is nearly the same for all of them; so it
does not learn by itself how far a voice moves a head. Told by a condition, it does. A
voice gives the condition when heads are generated, by how much of the time it is heard
(Follows: Hadar et al. 1983, heads move all through fluent speech and rest in pauses).
"""

from collections.abc import Iterator, Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from vasa_jax.audio import mel

LEAST_DEGREES = 0.05
"""Under this no head is told from a still one. Ours: breath moves heads further."""

SPOKEN_BELOW = 0.75
"""Below the loudest frame, in the units of `audio.mel.loudness`, until where a voice is
heard to speak. Ours: 15 dB, as the training heads' `head_motion.animation`."""

LEAST_SHARE = 0.05
"""Added to the share of a window that is spoken, so that silence has a log. Ours: a
frame in twenty; with 0.02 to 0.1 the share tells about as much (correlation 0.46 to
0.48 with the liveliness of 3008 training windows)."""


@struct.dataclass
class VoiceRelation:
    """What a voice tells of liveliness: a line through the training windows.

    Attributes:
        intercept: float32 `[]`, liveliness where all of a window is spoken.
        slope: float32 `[]`, on the log of the share that is spoken.
    """

    intercept: jax.Array
    slope: jax.Array

    def expect(self, share: float) -> np.float32:
        """Return the liveliness that goes with a voice.

        Args:
            share: of the window that is spoken, of `spoken_share`.

        Returns:
            Liveliness, as of `of_rotation`.
        """
        return np.float32(self.intercept + self.slope * np.log(share + LEAST_SHARE))


def of_rotation(rotation: np.ndarray) -> np.ndarray:
    """Return how lively a head is.

    Args:
        rotation: `[T, 3]` yaw, pitch and roll of a window, radians.

    Returns:
        float32 `[1]`: log of the root mean square, over frames and axes, of its
        deviation from its mean, degrees.
    """
    deviation = np.rad2deg(np.sqrt(np.asarray(rotation, np.float64).var(0).mean()))
    return np.float32(np.log(np.maximum(deviation, LEAST_DEGREES)))[None]


def spoken_share(loudness: np.ndarray, loudest: float) -> np.float32:
    """Return the share of a window that is heard to be spoken.

    Args:
        loudness: `[T]` of the frames that are heard, as of `audio.mel.loudness`.
        loudest: of all frames so far; it counts as `mel.QUIETEST_VOICE` at least.

    Returns:
        0 to 1.
    """
    loudest = max(loudest, mel.QUIETEST_VOICE)
    return np.float32(np.mean(np.asarray(loudness) > loudest - SPOKEN_BELOW))


def samples(
    record: Mapping[str, np.ndarray], window_frames: int
) -> Iterator[tuple[float, float]]:
    """Yield what each whole window of a record says, or all of a shorter one.

    Args:
        record: encoded, with `motion` `[T, M]` and `audio_features` `[T, A]`, whose
            loudness is channel `mel.OWN_LOUDNESS`.
        window_frames: W.

    Yields:
        The spoken share, and liveliness.
    """
    rotation = np.asarray(record["motion"])[:, :3]
    loudness = np.asarray(record["audio_features"])[:, mel.OWN_LOUDNESS]
    for start in range(0, max(1, len(rotation) - window_frames + 1), window_frames):
        end = start + window_frames
        share = spoken_share(loudness[start:end], float(loudness[:end].max()))
        yield float(share), float(of_rotation(rotation[start:end])[0])


def fit(pairs: Sequence[tuple[float, float]]) -> VoiceRelation:
    """Fit the line by least squares; without windows or variety it is level.

    Args:
        pairs: of `samples`.

    Returns:
        The relation, float32.
    """
    share, lively = np.reshape(np.asarray(pairs, np.float64), (-1, 2)).T
    x = np.log(share + LEAST_SHARE)
    if not len(x):
        return level()
    varied = x.var()
    slope = ((x - x.mean()) * lively).mean() / varied if varied > 0 else 0.0
    intercept = lively.mean() - slope * x.mean()
    return VoiceRelation(intercept=np.float32(intercept), slope=np.float32(slope))


def level() -> VoiceRelation:
    """Return the relation of a model that was taught nothing: always one degree."""
    return VoiceRelation(intercept=jnp.zeros(()), slope=jnp.zeros(()))
