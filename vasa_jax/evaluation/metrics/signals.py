"""Numbers about curves in time: correlation, change, spread, jitter, intervals."""

import numpy as np

from vasa_jax import geometry, types

SHIFT_FRAMES = types.FRAME_RATE_HZ
"""Ours: a second, several syllables away, so that only chance is left."""

MAX_LAG_FRAMES = 5
"""Ours: 0.2 s, beyond which no viewer takes sound and lips for one."""

JITTER_HZ = 6.0
"""Ours: heads of people who speak hardly move faster."""

NUM_RESAMPLES = 1000
"""Ours: enough for two digits of an interval."""


def correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Return Pearson's correlation of two curves `[T]`; 0 where one does not vary.

    Ours: a face that stands still follows nothing.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    x, y = x - x.mean(), y - y.mean()
    scale = np.sqrt((x * x).sum() * (y * y).sum())
    return float((x * y).sum() / scale) if scale > 1e-12 else 0.0


def shifted_correlation(
    x: np.ndarray, y: np.ndarray, shift_frames: int = SHIFT_FRAMES
) -> float:
    """Return the correlation of x `[T]` with y `[T]` turned round by some frames."""
    return correlation(x, np.roll(y, shift_frames))


def best_lag(x: np.ndarray, y: np.ndarray, max_lag: int = MAX_LAG_FRAMES) -> int:
    """Return by how many frames x `[T]` comes after y `[T]` where they agree best."""

    def at(lag):
        if lag < 0:
            return correlation(x[:lag], y[-lag:])
        return correlation(x[lag:], y[: len(y) - lag])

    return max(range(-max_lag, max_lag + 1), key=lambda lag: (at(lag), -abs(lag)))


def angles_between(rotation: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the angle of the turn between two rotations, in degrees.

    Args:
        rotation, other: `[..., 3]` yaw, pitch, roll in radians.

    Returns:
        float64 `[...]`.
    """
    a = np.asarray(geometry.rotation_matrix(rotation), np.float64)
    b = np.asarray(geometry.rotation_matrix(other), np.float64)
    # The distance of the matrices is exact where the arc cosine loses small angles.
    distance = np.sqrt(((a - b) ** 2).sum(axis=(-2, -1)))
    return np.degrees(2 * np.arcsin(np.clip(distance / np.sqrt(8), 0, 1)))


def mean_offset(rotation: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return by what turn of the head's own frame rotations differ from the truth.

    Follows: Moakher 2002 (the mean rotation, nearest to the matrices' mean).

    Args:
        rotation, truth: `[T, 3]` yaw, pitch, roll in radians.

    Returns:
        float64 `[3, 3]`; the truth turned by it first is the rotation, in the mean.
    """
    a = np.asarray(geometry.rotation_matrix(rotation), np.float64)
    b = np.asarray(geometry.rotation_matrix(truth), np.float64)
    left, _, right = np.linalg.svd(np.einsum("tji,tjk->ik", b, a))
    sign = np.array([1.0, 1.0, np.linalg.det(left @ right)])
    return (left * sign) @ right


def without_offset(rotation: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Take a turn of the head's own frame out of rotations `[T, 3]`; see above."""
    matrix = np.asarray(geometry.rotation_matrix(rotation), np.float64) @ offset.T
    return np.asarray(geometry.rotation_angles(matrix), np.float64)


def change_per_frame(rotation: np.ndarray) -> float:
    """Return the mean turn from frame to frame in degrees, of `[T, 3]` radians.

    Paper: VASA-1 section 4.1 (pose intensity, the mean difference of adjacent frames).
    """
    return float(angles_between(rotation[1:], rotation[:-1]).mean())


def spread(values: np.ndarray) -> float:
    """Return the standard deviation in time of `[T]` or `[T, C]`, over all channels."""
    return float(np.sqrt(np.asarray(values, np.float64).var(axis=0).mean()))


def fast_movement(values: np.ndarray, above_hz: float = JITTER_HZ) -> float:
    """Return the root mean square of what moves fast, jitter.

    Ours: taken from a Hann-weighted spectrum, so that slow movement does not leak in.

    Args:
        values: `[T]` or `[T, C]` at 25 a second.
        above_hz: what is fast.

    Returns:
        In the unit of the values, over all channels.
    """
    values = np.asarray(values, np.float64).reshape(len(values), -1)
    weights = np.hanning(len(values) + 2)[1:-1]
    away = values - values.mean(axis=0)
    spectrum = np.fft.fft(away * weights[:, None], axis=0)
    frequency = np.abs(np.fft.fftfreq(len(values), 1 / types.FRAME_RATE_HZ))
    power = (np.abs(spectrum[frequency > above_hz]) ** 2).sum(axis=0) / len(values)
    return float(np.sqrt((power / (weights**2).sum()).mean()))


def interval(
    values: np.ndarray, share: float = 0.95, over: np.ndarray | None = None
) -> tuple[float, float]:
    """Return where the mean of clips lies, by resampling them.

    Follows: Efron (bootstrap, percentiles).

    Args:
        values: `[n]`, one for each clip, finite.
        share: of the means that lie inside.
        over: `[n]` of the same clips, above 0, by whose mean it is divided.

    Returns:
        Its two ends.
    """
    generator = np.random.default_rng(0)
    picks = generator.integers(len(values), size=(NUM_RESAMPLES, len(values)))
    means = np.asarray(values, np.float64)[picks].mean(axis=1)
    if over is not None:
        means = means / np.asarray(over, np.float64)[picks].mean(axis=1)
    low, high = np.quantile(means, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)
