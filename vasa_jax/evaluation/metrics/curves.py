"""Scores of curves in time, in padded batches: a mask tells which frames count.

Ours: functions that take a mask take leading axes, so a batch of clips padded to one
length gives what each clip gives alone; a frame without a face is masked like padding.
"""

from collections.abc import Callable

import numpy as np

from vasa_jax import geometry, types
from vasa_jax.portrait import pose

BLINK_CLOSED, BLINK_OPEN = 0.82, 0.9
"""Share of the open eye below which a blink begins, and above which it is over.

Ours: closed eyes are seen about half open. Chosen on 37 photographs that were moved so
that they blink; on 45 others 75 of 80 blinks are seen in 90 s, and 4 that are none
(with 0.75 and 0.85, 70 and 2). Two levels keep one blink from counting twice.
"""

OPEN_QUANTILE = 0.9
"""Ours: eyes are open most of the time; the widest frames are noise."""

SHIFT_FRAMES = types.FRAME_RATE_HZ
"""Ours: a second, several syllables away, so that only chance is left."""

MAX_LAG_FRAMES = 5
"""Ours: 0.2 s, beyond which no viewer takes sound and lips for one."""

LAGS = range(-MAX_LAG_FRAMES, MAX_LAG_FRAMES + 1)
"""Among which the best is found, frames."""

JITTER_HZ = 6.0
"""Ours: heads of people who speak hardly move faster."""


def masked_mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mean in time under weights; not a number where none counts.

    Args:
        values: `[..., T]`; may be anything where the weight is 0.
        weights: `[..., T]`.

    Returns:
        float64 `[...]`.
    """
    weights = np.asarray(weights, np.float64)
    kept = np.where(weights > 0, values, 0.0)
    with np.errstate(invalid="ignore"):
        return (kept * weights).sum(axis=-1) / weights.sum(axis=-1)


def angles_between(rotation: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the angle of the turn between two rotations, in degrees.

    Args:
        rotation, other: `[..., 3]` yaw, pitch, roll in radians.

    Returns:
        float64 `[...]`.
    """
    away = _matrices(rotation) - _matrices(other)
    # The distance of the matrices is exact where the arc cosine loses small angles.
    distance = np.sqrt((away**2).sum(axis=(-2, -1)))
    return np.degrees(2 * np.arcsin(np.clip(distance / np.sqrt(8), 0, 1)))


def turns_per_frame(rotation: np.ndarray) -> np.ndarray:
    """Return the angle of the turn from each frame to the next.

    Args:
        rotation: `[..., T, 3]` yaw, pitch, roll in radians.

    Returns:
        float64 `[..., T - 1]`, degrees.
    """
    return angles_between(rotation[..., 1:, :], rotation[..., :-1, :])


def direction_error(gaze: np.ndarray, aim: np.ndarray) -> np.ndarray:
    """Return the angle between directions.

    Args:
        gaze, aim: `[..., 2]` yaw and pitch, radians.

    Returns:
        float64 `[...]`, degrees.
    """
    a, b = _unit_directions(gaze), _unit_directions(aim)
    away = np.linalg.norm(a - b, axis=-1)
    return np.degrees(2 * np.arcsin(np.clip(away / 2, 0, 1)))


def _unit_directions(gaze: np.ndarray) -> np.ndarray:
    yaw, pitch = np.moveaxis(np.asarray(gaze, np.float64), -1, 0)
    parts = np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)
    return np.stack(parts, axis=-1)


def delta_pose(rotation: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """Return the mean angle between head poses of adjacent frames.

    Paper: VASA-1 section 4.1 (pose variation intensity, ΔP).

    Args:
        rotation: `[..., T, 3]` radians.
        mask: bool `[..., T]`; a pair counts where both its frames do; None counts all.

    Returns:
        float64 `[...]`, degrees.
    """
    mask = _mask_of(rotation, mask)
    return masked_mean(turns_per_frame(rotation), mask[..., 1:] & mask[..., :-1])


def spread(values: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """Return the standard deviation in time, over all channels.

    Args:
        values: `[..., T, C]`.
        mask: bool `[..., T]`; None counts all.

    Returns:
        float64 `[...]`, in the unit of the values.
    """
    mask = _mask_of(values, mask)
    values = np.moveaxis(np.asarray(values, np.float64), -1, 0)
    mean = masked_mean(values, np.broadcast_to(mask, values.shape))
    away = masked_mean((values - mean[..., None]) ** 2, mask)
    return np.sqrt(away.mean(axis=0))


def seam_ratio(rotation: np.ndarray, mask: np.ndarray, every: int) -> np.ndarray:
    """Return how far the head turns at window seams, over how far elsewhere.

    Ours: 1 where seams cannot be told from the rest; frame `every` begins the second
    window.

    Args:
        rotation: `[..., T, 3]` radians.
        mask: bool `[..., T]`.
        every: frames of a window.

    Returns:
        float64 `[...]`; not a number where there is no seam, infinite where nothing
        moves elsewhere.
    """
    turns = turns_per_frame(rotation)
    counts = mask[..., 1:] & mask[..., :-1]
    is_seam = np.arange(1, rotation.shape[-2]) % every == 0
    at_seams = masked_mean(turns, counts & is_seam)
    with np.errstate(divide="ignore", invalid="ignore"):
        return at_seams / masked_mean(turns, counts & ~is_seam)


def correlation(
    x: np.ndarray, y: np.ndarray, mask: np.ndarray | None = None, lag: int = 0
) -> np.ndarray:
    """Return Pearson's correlation of x with y as it was `lag` frames before.

    Ours: 0 where one of both does not vary: a face that stands still follows nothing.

    Args:
        x, y: `[..., T]`.
        mask: bool `[..., T]`, frames that count in both; None counts all.
        lag: frames; negative ones compare x with what y does later.

    Returns:
        float64 `[...]`.
    """
    mask = np.ones(x.shape, bool) if mask is None else mask
    num_frames = x.shape[-1]
    first, last = max(0, lag), num_frames + min(0, lag)
    counts = mask[..., first:last] & mask[..., first - lag : last - lag]
    x = np.asarray(x[..., first:last], np.float64)
    y = np.asarray(y[..., first - lag : last - lag], np.float64)
    x = np.where(counts, x - masked_mean(x, counts)[..., None], 0.0)
    y = np.where(counts, y - masked_mean(y, counts)[..., None], 0.0)
    scale = np.sqrt((x * x).sum(axis=-1) * (y * y).sum(axis=-1))
    is_moving = scale > 1e-12
    both = (x * y).sum(axis=-1) / np.where(is_moving, scale, 1)
    return np.where(is_moving, both, 0.0)[()]


def shifted_correlation(
    x: np.ndarray, y: np.ndarray, mask: np.ndarray | None = None
) -> np.ndarray:
    """Return the correlation of x `[T]` with y `[T]` turned round by a second."""
    return correlation(x, np.roll(y, SHIFT_FRAMES), mask)


def best_lag(x: np.ndarray, y: np.ndarray, mask: np.ndarray | None = None) -> int:
    """Return by how many frames x `[T]` comes after y `[T]` where they agree best."""
    return max(LAGS, key=lambda lag: (correlation(x, y, mask, lag), -abs(lag)))


def fast_movement(
    values: np.ndarray, mask: np.ndarray | None = None, above_hz: float = JITTER_HZ
) -> np.ndarray:
    """Return the root mean square of what moves fast, jitter.

    Ours: taken from a Hann-weighted spectrum, so that slow movement does not leak in;
    frames that do not count between others are passed in a straight line, so that a
    gap is no jerk.

    Args:
        values: `[..., T, C]`, 25 a second.
        mask: bool `[..., T]`; None counts all.
        above_hz: what is fast.

    Returns:
        float64 `[...]`, in the unit of the values; not a number below three frames.
    """

    def one(curve):
        if len(curve) < 3:
            return np.nan
        weights = np.hanning(len(curve) + 2)[1:-1]
        away = curve - curve.mean(axis=0)
        spectrum = np.fft.fft(away * weights[:, None], axis=0)
        frequency = np.abs(np.fft.fftfreq(len(curve), 1 / types.FRAME_RATE_HZ))
        power = (np.abs(spectrum[frequency > above_hz]) ** 2).sum(axis=0) / len(curve)
        return np.sqrt((power / (weights**2).sum()).mean())

    return _for_each_clip(one, values, _mask_of(values, mask))[()]


def mean_offset(rotation: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return by what turn of the head's own frame rotations differ from the truth.

    Follows: Moakher 2002 (the mean rotation, nearest to the matrices' mean).

    Args:
        rotation, truth: `[T, 3]` yaw, pitch, roll in radians.

    Returns:
        float64 `[3, 3]`; the truth turned by it first is the rotation, in the mean.
    """
    a, b = _matrices(rotation), _matrices(truth)
    left, _, right = np.linalg.svd(np.einsum("tji,tjk->ik", b, a))
    sign = np.array([1.0, 1.0, np.linalg.det(left @ right)])
    return (left * sign) @ right


def without_offset(rotation: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Take a turn of the head's own frame out of rotations `[T, 3]`.

    Args:
        rotation: yaw, pitch, roll in radians.
        offset: as from `mean_offset`.
    """
    matrix = _matrices(rotation) @ offset.T
    return np.asarray(geometry.rotation_angles(matrix), np.float64)


def are_closed(eye_aperture: np.ndarray) -> np.ndarray:
    """Tell in which frames of a clip the eyes are closed, or nearly so.

    Ours: levels relative to the person's own open eyes, since widths of eyes differ.

    Args:
        eye_aperture: `[T]`, T at least 1, as of `gaze.eye_aperture`.

    Returns:
        bool `[T]`.
    """
    level = np.quantile(eye_aperture, OPEN_QUANTILE)
    closed = np.empty(len(eye_aperture), bool)
    is_closed = False
    for frame, value in enumerate(eye_aperture):
        bound = BLINK_OPEN if is_closed else BLINK_CLOSED
        closed[frame] = is_closed = value < bound * level
    return closed


def count_blinks(eye_aperture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Count how often the eyes close.

    Ours: a blink counts where it begins, so that the end of a short clip loses none.

    Args:
        eye_aperture: `[..., T]` as of `gaze.eye_aperture`.
        mask: bool `[..., T]`.

    Returns:
        float64 `[...]`; not a number where no frame counts.
    """

    def one(curve):
        if not len(curve):
            return np.nan
        closed = are_closed(curve[:, 0])
        return (closed[1:] & ~closed[:-1]).sum()

    return _for_each_clip(one, np.asarray(eye_aperture)[..., None], mask)


def minutes(mask: np.ndarray) -> np.ndarray:
    """Return how long the frames that count last, `[...]` minutes."""
    return mask.sum(axis=-1) / (60 * types.FRAME_RATE_HZ)


def bridge_gaps(values: np.ndarray, mask: np.ndarray, most: int) -> np.ndarray:
    """Pass short gaps in a straight line, and mark what is not known.

    Args:
        values: `[T, C]`.
        mask: bool `[T]`, frames that count.
        most: frames of a gap that is passed.

    Returns:
        float64 `[T, C]`; not a number in longer gaps, and before and after all frames
        that count.
    """
    known = np.asarray(mask, bool)
    bridged = np.where(known[:, None], values, np.nan).astype(np.float64)
    seen = np.flatnonzero(known)
    for before, after in zip(seen[:-1], seen[1:], strict=True):
        if 1 < after - before <= most + 1:
            share = np.arange(1, after - before)[:, None] / (after - before)
            step = bridged[after] - bridged[before]
            bridged[before + 1 : after] = bridged[before] + share * step
    return bridged


def _for_each_clip(
    measure: Callable[[np.ndarray], float], values: np.ndarray, mask: np.ndarray
) -> np.ndarray:
    """Measure each clip `[T', C]` of `[..., T, C]`, cut to what counts, gaps filled."""
    results = np.empty(mask.shape[:-1])
    for index in np.ndindex(*results.shape):
        results[index] = measure(_filled(values[index], mask[index]))
    return results


def _filled(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    seen = np.flatnonzero(mask)
    if not len(seen):
        return np.zeros((0, values.shape[-1]))
    frames = np.arange(seen[0], seen[-1] + 1)
    columns = [np.interp(frames, seen, column[seen]) for column in values.T]
    return np.stack(columns, axis=-1)


def _matrices(rotation: np.ndarray) -> np.ndarray:
    """Return rotations `[..., 3]` as float64 `[..., 3, 3]`."""
    zeros = np.zeros(rotation.shape[:-1])
    return pose.HeadFit(rotation=rotation, centre=zeros, unit=zeros).matrix()


def _mask_of(values: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """Return which frames of `[..., T, C]` count; None counts all."""
    return np.ones(values.shape[:-1], bool) if mask is None else mask
