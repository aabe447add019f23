"""Which offset of the sound lips are nearest to: S_C, S_D, and how sure that is.

Paper: VASA-1 section 4.1 (S_C and S_D by SyncNet). Follows: syncnet_python
(`SyncNetInstance.evaluate`): distances of the windows of a clip at every offset up to
15 frames, averaged over the clip.
"""

import dataclasses

import numpy as np

from vasa_jax.evaluation.networks import lip_sync

MAX_OFFSET_FRAMES = 15
"""Follows: `vshift` of syncnet_python's demonstration."""

NEAR_FRAMES, APART_FRAMES = 1, 4
"""Offsets up to which a sound may belong to lips, and from which it does not. Ours: a
frame is not noticed, and neighbours of a true offset are nearly as near."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class OffsetScores:
    """What a network says of a clip.

    Attributes:
        confidence: S_C, the median over offsets of the mean distance, minus its least;
            higher is better.
        distance: S_D, the least over offsets of the mean distance; lower is better.
        offset_frames: where it is least; positive where the sound comes too early.
        distances: float32 `[31]`, the mean distance at sound -15 to 15 frames later.
    """

    confidence: float
    distance: float
    offset_frames: int
    distances: np.ndarray


def distances(
    lips: np.ndarray,
    sound: np.ndarray,
    max_offset: int = MAX_OFFSET_FRAMES,
    is_seen: np.ndarray | None = None,
    beyond: float = np.nan,
    added: float = 0.0,
) -> np.ndarray:
    """Return how far each window of lips is from the sound around it.

    Ours: beyond the clip's ends nothing is compared, where the published rule puts
    zeros, which lie nearer to vectors of length 1 than other vectors do.

    Args:
        lips, sound: `[n, E]`, embeddings of the same times.
        max_offset: frames to either side.
        is_seen: bool `[n]`, windows that show a face all along; None is all.
        beyond: what stands for the sound beyond the clip's ends; not a number compares
            nothing there.
        added: to every difference, see `syncnet.DISTANCE_EPSILON`.

    Returns:
        float32 `[n, 2 * max_offset + 1]`, the sound from early to late; not a number
        where nothing is compared, and in windows that are not seen.
    """
    ends = (max_offset, max_offset), (0, 0)
    padded = np.pad(sound.astype(np.float32), ends, constant_values=beyond)
    columns = [
        np.linalg.norm(lips - padded[k : k + len(lips)] + np.float32(added), axis=1)
        for k in range(2 * max_offset + 1)
    ]
    table = np.stack(columns, axis=1).astype(np.float32)
    return table if is_seen is None else np.where(is_seen[:, None], table, np.nan)


def can_score(distances: np.ndarray) -> bool:
    """Tell whether every offset has a window that is seen and heard."""
    return bool(np.isfinite(distances).any(axis=0).all())


def score(distances: np.ndarray) -> OffsetScores:
    """Summarise distances `[n, 2 * max_offset + 1]` of a clip for which `can_score`."""
    mean = np.nanmean(distances, axis=0)
    best = int(mean.argmin())
    return OffsetScores(
        confidence=float(np.median(mean) - mean[best]),
        distance=float(mean[best]),
        offset_frames=distances.shape[1] // 2 - best,
        distances=mean,
    )


def share_found(
    distances: np.ndarray,
    num_windows: int = 1,
    apart: int = lip_sync.APART_FRAMES,
) -> float:
    """Return how often offset 0 is nearer than all offsets that are clearly wrong.

    Args:
        distances: as from `distances`.
        num_windows: over how many windows in a row distances are averaged first.
        apart: frames from which an offset is wrong.

    Returns:
        A share of the places in a clip, not a number where the clip is too short.
    """
    half = distances.shape[1] // 2
    if len(distances) < num_windows:
        return float("nan")
    stretches = np.lib.stride_tricks.sliding_window_view(distances, num_windows, axis=0)
    mean = stretches.mean(axis=-1)
    # Where every offset is known, or chance would differ from place to place.
    mean = mean[np.isfinite(mean).all(axis=1)]
    if not len(mean):
        return float("nan")
    wrong = np.abs(np.arange(distances.shape[1]) - half) >= apart
    return float(np.mean(mean[:, half] < mean[:, wrong].min(axis=1)))


def belonging(distances: np.ndarray) -> float:
    """Tell how surely sound and lips belong together.

    Ours: by how much the sound in its place is nearer than the sound elsewhere in the
    same clip, the nearest of it and its mean weighing alike: the first alone lets
    chance decide, and against the second any voice that fits a little stands out.
    Neither how clearly someone speaks nor who it is matters so.

    Args:
        distances: as from `distances`, for which `can_score`.

    Returns:
        The larger, the surer; below 0 where another offset fits better.
    """
    mean = np.nanmean(distances, axis=0)
    offset = np.abs(np.arange(len(mean)) - len(mean) // 2)
    apart = mean[offset >= APART_FRAMES]
    return float((apart.min() + apart.mean()) / 2 - mean[offset <= NEAR_FRAMES].min())
