"""How lively a head is: how far it turns within seconds, and how far a voice asks for.

Ours: heads that say the same differ by several times in how far they move, and what a
denoiser predicts while there is much noise is nearly the same for all of them; so it
does not learn by itself how far a voice moves a head. Given a condition, it does. The
voice sets the condition when heads are generated, by the share of time that is spoken
(Follows: Hadar et al. 1983, heads move all through fluent speech and rest in pauses).
"""

from collections.abc import Iterator, Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from vasa_jax.audio import mel

LEAST_DEGREES = 0.05
"""Under this a head counts as still. Ours: breath moves heads further."""

SPOKEN_BELOW = 0.75
"""How far below the loudest frame, in the units of `audio.mel.loudness`, a frame still
counts as spoken. Ours: 15 dB, as the training heads' `head_motion.animation`."""

LEAST_SHARE = 0.05
"""Added to the share of a window that is spoken, so that silence has a log. Ours: a
frame in twenty; with 0.02 to 0.1 the share correlates by 0.46 to 0.48 with the
liveliness of 3008 training windows."""


@struct.dataclass
class VoiceRelation:
    """How liveliness goes with a voice: a line through the training windows.

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


class VoiceLiveliness:
    """Follow a voice, and say step by step how lively the head shall be.

    Ours: the last W frames decide, so that steps shorter than a window do not start and
    stop the head with every word.

    Args:
        relation: of the model.
        window_frames: W.
        factor: liveliness over what goes with the voice, above 0.
    """

    def __init__(self, relation: VoiceRelation, window_frames: int, factor: float):
        self._relation = relation
        self._window_frames = window_frames
        self._log_factor = np.float32(np.log(factor))
        self._loudness, self._loudest = np.zeros(0, np.float32), -np.inf

    def next(self, features: np.ndarray) -> np.ndarray:
        """Return the liveliness of the next window.

        Args:
            features: `[n, A]` of the step's frames, in their own units, whose loudness
                is channel `mel.OWN_LOUDNESS`.

        Returns:
            float32 `[1, 1]`, for `MotionControls.liveliness`.
        """
        loudness = np.append(self._loudness, features[:, mel.OWN_LOUDNESS])
        self._loudest = max(self._loudest, float(loudness.max()))
        self._loudness = loudness[-self._window_frames :]
        share = spoken_share(self._loudness, self._loudest)
        return np.reshape(self._relation.expect(share) + self._log_factor, (1, 1))


def of_rotation(rotation: np.ndarray) -> np.ndarray:
    """Return how lively a head is.

    Args:
        rotation: `[T, 3]` yaw, pitch and roll of a window, radians.

    Returns:
        float32 `[1]`: log of the root mean square, over frames and axes, of its
        difference from its mean, degrees.
    """
    degrees = np.rad2deg(np.sqrt(np.asarray(rotation, np.float64).var(0).mean()))
    return np.float32(np.log(np.maximum(degrees, LEAST_DEGREES)))[None]


def spoken_share(loudness: np.ndarray, loudest: float) -> np.float32:
    """Return the share of a window that is spoken.

    Args:
        loudness: `[T]` of the frames so far, as of `audio.mel.loudness`.
        loudest: of all frames so far; it counts as `mel.QUIETEST_VOICE` at least.

    Returns:
        0 to 1.
    """
    loudest = max(loudest, mel.QUIETEST_VOICE)
    return np.float32(np.mean(np.asarray(loudness) > loudest - SPOKEN_BELOW))


def samples(
    record: Mapping[str, np.ndarray], window_frames: int
) -> Iterator[tuple[float, float]]:
    """Measure each whole window of a record, or all of a shorter one.

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
    """Return the relation of an untrained model: always one degree."""
    return VoiceRelation(intercept=jnp.zeros(()), slope=jnp.zeros(()))
