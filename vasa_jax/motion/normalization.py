"""Statistics per channel, and the scaling of motion and conditions by them.

Ours: the paper does not say how its latents are scaled. Diffusion adds noise of one
size to every channel, so every channel gets unit variance first; audio, gaze and
distance are scaled alike, so that no encoder's range matters to the denoiser.

All but head pose: where a head faces varies several times as much as it moves within
seconds. Scaled by the whole, movement is smaller than the noise that a sampler of few
steps leaves to its last one, and hardly shows in the loss; so it is scaled by movement.
"""

from collections.abc import Iterable, Mapping

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from vasa_jax import types
from vasa_jax.errors import UserError
from vasa_jax.motion.shaping import liveliness

FIELDS = {
    "motion": "motion",
    "audio": "audio_features",
    "gaze": "gaze",
    "head_distance": "head_distance",
}
"""Fields of encoded records that are scaled, by the name of their statistics."""

MIN_RELATIVE_STD = 1e-2
"""Least standard deviation of a channel over the median of all channels. Ours: a
channel that hardly varies stays small, where dividing by its own would blow up noise.
"""

MAX_RELATIVE_STD = 5.0
"""Largest standard deviation over all clips of head pose, scaled by its movement within
a clip. Ours: the more, the fewer ways heads face; with an exact denoiser ten crowded
steps of DDIM keep 0.57 of it at 5, and 0.87 at 1 (run 14)."""


@struct.dataclass
class ChannelStatistics:
    """Mean and scale of each channel.

    Attributes:
        mean: float32 `[C]`.
        deviation: float32 `[C]`, above 0: the standard deviation over all frames, of
            head pose that within clips.
    """

    mean: jax.Array
    deviation: jax.Array

    def normalise(self, values: jax.Array) -> jax.Array:
        """Return `[..., C]` with zero mean and `deviation` as unit, float32."""
        shape = (1,) * (values.ndim - 1) + (-1,)
        values = jnp.asarray(values, jnp.float32)
        return (values - self.mean.reshape(shape)) / self.deviation.reshape(shape)

    def denormalise(self, values: jax.Array) -> jax.Array:
        """Return what `normalise` was given, from `[..., C]`."""
        shape = (1,) * (values.ndim - 1) + (-1,)
        return values * self.deviation.reshape(shape) + self.mean.reshape(shape)


@struct.dataclass
class MotionStatistics:
    """Statistics of all that stage two scales; kept in the checkpoint.

    Attributes:
        motion: of the M channels of motion.
        audio: of the A channels of audio features.
        gaze: of main gaze, radians.
        head_distance: of mean head distance.
        voice: how the head's liveliness goes with a voice.
    """

    motion: ChannelStatistics
    audio: ChannelStatistics
    gaze: ChannelStatistics
    head_distance: ChannelStatistics
    voice: liveliness.VoiceRelation


def identity(num_motion_channels: int, num_audio_channels: int) -> MotionStatistics:
    """Return statistics that change nothing, in the shapes of a model.

    Args:
        num_motion_channels: M.
        num_audio_channels: A.

    Returns:
        Zero means and unit deviations.
    """

    def unit(channels):
        return ChannelStatistics(mean=jnp.zeros(channels), deviation=jnp.ones(channels))

    return MotionStatistics(
        motion=unit(num_motion_channels),
        audio=unit(num_audio_channels),
        gaze=unit(2),
        head_distance=unit(1),
        voice=liveliness.level(),
    )


def measure(
    records: Iterable[Mapping[str, np.ndarray]], window_frames: int
) -> MotionStatistics:
    """Measure statistics over encoded records, one record in memory at a time.

    Args:
        records: mappings with `motion` `[T, M]`, `audio_features` `[T, A]`, `gaze`
            `[2]` and `head_distance` `[1]`; rows that are not numbers are unknown
            and do not count.
        window_frames: W of the denoiser, in whose windows liveliness is measured.

    Returns:
        The statistics, float32.

    Raises:
        UserError: there is no record.
    """
    moments = {name: _Moments() for name in FIELDS}
    voices: list[tuple[float, float]] = []
    for record in records:
        voices += liveliness.samples(record, window_frames)
        for name, field in FIELDS.items():
            moments[name].add(record[field])
    if not moments["motion"].count:
        raise UserError(
            "statistics were asked of no record at all; encode clips into the training "
            "split first (python -m experiments.encode)."
        )
    scales = {name: one.standard_deviation() for name, one in moments.items()}
    scales["motion"] = _motion_scale(moments["motion"])
    return MotionStatistics(
        voice=liveliness.fit(voices),
        **{name: _finish(moments[name].mean, scales[name]) for name in FIELDS},
    )


class _Moments:
    """Mean and squared differences of rows that come clip by clip.

    Follows: Chan et al. 1979, for merging what each clip adds.
    """

    def __init__(self):
        self.count = 0
        self.mean: np.ndarray | float = 0.0
        self._squares: np.ndarray | float = 0.0  # From the mean of all.
        self._squares_within: np.ndarray | float = 0.0  # From the mean of each clip.

    def add(self, rows: np.ndarray) -> None:
        """Add the rows `[T, C]` or `[C]` of a clip that are numbers."""
        rows = np.atleast_2d(np.asarray(rows, np.float64))
        rows = rows[np.isfinite(rows).all(axis=1)]
        if not len(rows):
            if not self.count:
                self.mean = self._squares = np.zeros(rows.shape[1])
            return
        count = self.count + len(rows)
        squares = ((rows - rows.mean(0)) ** 2).sum(0)
        shift = rows.mean(0) - self.mean
        self._squares = (
            self._squares + squares + shift**2 * self.count * len(rows) / count
        )
        self._squares_within = self._squares_within + squares
        self.mean = self.mean + shift * len(rows) / count
        self.count = count

    def standard_deviation(self) -> np.ndarray:
        """Return the standard deviation `[C]` over all rows."""
        return np.sqrt(self._squares / max(1, self.count))

    def standard_deviation_within(self) -> np.ndarray:
        """Return the standard deviation `[C]` from each clip's own mean."""
        return np.sqrt(self._squares_within / self.count)


def _motion_scale(motion: _Moments) -> np.ndarray:
    """Return the scale `[M]`: of head pose that of its movement within clips."""
    overall = motion.standard_deviation()
    within = motion.standard_deviation_within()
    is_pose = np.arange(len(within)) < types.POSE_CHANNELS
    return np.where(is_pose, np.maximum(within, overall / MAX_RELATIVE_STD), overall)


def from_state_dict(group: Mapping[str, Mapping[str, jax.Array]]) -> MotionStatistics:
    """Return statistics from the nested dicts that checkpoints keep.

    Args:
        group: of `flax.serialization.to_state_dict`.

    Returns:
        The statistics.
    """
    channels = {
        name: ChannelStatistics(**values)
        for name, values in group.items()
        if name != "voice"
    }
    return MotionStatistics(
        voice=liveliness.VoiceRelation(**group["voice"]), **channels
    )


def _finish(mean: np.ndarray, std: np.ndarray) -> ChannelStatistics:
    """Keep scales away from 0, and return float32."""
    typical = np.median(std)
    floor = MIN_RELATIVE_STD * typical if typical > 0 else 1.0
    return ChannelStatistics(
        mean=mean.astype(np.float32),
        deviation=np.maximum(std, floor).astype(np.float32),
    )


def split_motion(motion: jax.Array) -> tuple[types.HeadPose, jax.Array]:
    """Split motion in its own units into head pose and facial dynamics.

    Args:
        motion: `[..., M]`, denormalised.

    Returns:
        `HeadPose` and z_dyn `[..., Z]`.
    """
    pose = types.HeadPose.from_vector(motion[..., : types.POSE_CHANNELS])
    return pose, motion[..., types.POSE_CHANNELS :]
