"""S_C and S_D: how surely, and how closely, lips and sound belong together.

Paper: VASA-1 §4.1 (S_C and S_D by SyncNet). Follows: syncnet_python
(`SyncNetInstance.evaluate`): windows of five frames and 0.2 s of sound, their distances
at every offset up to 15 frames, averaged over the clip.
"""

import dataclasses
import functools
from typing import Any

import einops
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax import errors, types
from vasa_jax.evaluation.networks import mfcc, syncnet

MAX_OFFSET_FRAMES = 15
"""Follows: `vshift` of syncnet_python's demonstration."""

BATCH_WINDOWS = 16
"""Ours: windows embedded at once; about 0.3 GB on a CPU."""

SMOOTHED_FRAMES = 9
"""Follows: the median that syncnet_python takes of its confidence in time."""

MIN_FRAMES = syncnet.WINDOW_FRAMES + 1
"""Follows: syncnet_python, which leaves out a clip's last window."""

_STEPS_PER_FRAME = types.SAMPLES_PER_FRAME // mfcc.STEP_SAMPLES
_DISTANCE_EPSILON = 1e-6
_FULL_SCALE = 32768


@dataclasses.dataclass(frozen=True, kw_only=True)
class SyncScores:
    """What SyncNet says of a clip with n windows.

    Attributes:
        confidence: S_C, the median over offsets of the mean distance, minus its least;
            higher is better.
        distance: S_D, the least over offsets of the mean distance; lower is better.
        offset_frames: where it is least; positive where the sound comes too early.
        distances: float32 `[31]`, the mean distance at sound -15 to 15 frames later.
        frame_confidence: float32 `[n]`, of every window at that offset, smoothed.
    """

    confidence: float
    distance: float
    offset_frames: int
    distances: np.ndarray
    frame_confidence: np.ndarray


def measure(
    params: Any,
    frames: np.ndarray,
    waveform: np.ndarray,
    network: syncnet.SyncNet | None = None,
    batch_windows: int = BATCH_WINDOWS,
) -> SyncScores:
    """Score how well a face speaks what is heard.

    Args:
        params: of the network, as from `syncnet_weights.read`.
        frames: uint8 `[T, 224, 224, 3]`, a face cut out of a video, 25 a second.
        waveform: float `[S]`, 16 kHz, full scale at 1; what is longer, frames or sound,
            is cut.
        network: None is the published one.
        batch_windows: windows embedded at once.

    Returns:
        The scores.

    Raises:
        UserError: fewer frames or less sound than six frames, or frames of another
            size.
    """
    lips, sound = embed(params, frames, waveform, network, batch_windows)
    return score(distances(lips, sound))


def embed(
    params: Any,
    frames: np.ndarray,
    waveform: np.ndarray,
    network: syncnet.SyncNet | None = None,
    batch_windows: int = BATCH_WINDOWS,
) -> tuple[np.ndarray, np.ndarray]:
    """Embed every window of a clip; arguments and errors as of `measure`.

    Returns:
        float32 `[n, C]` of lips and `[n, C]` of sound, n = frames - 5.
    """
    side = syncnet.IMAGE_SIZE
    if frames.shape[1:] != (side, side, 3):
        raise errors.UserError(
            f"SyncNet takes frames [T, {side}, {side}, 3] of a face that is cut out; "
            f"got {list(frames.shape)}."
        )
    num_frames = min(len(frames), len(waveform) // types.SAMPLES_PER_FRAME)
    if num_frames < MIN_FRAMES:
        raise errors.UserError(
            f"SyncNet takes at least {MIN_FRAMES} frames with sound; this clip has "
            f"{len(frames)} frames and sound of "
            f"{len(waveform) // types.SAMPLES_PER_FRAME}."
        )
    network = syncnet.SyncNet() if network is None else network
    count = num_frames - syncnet.WINDOW_FRAMES
    cepstra = _cepstra(waveform)
    pieces = []
    for first in range(0, count, batch_windows):
        # Windows beyond the last repeat it, so that every batch has one shape.
        places = np.minimum(np.arange(first, first + batch_windows), count - 1)
        seen = places[:, None] + np.arange(syncnet.WINDOW_FRAMES)[None]
        heard = _cut_cepstra(cepstra, places)
        pieces.append(jax.device_get(_embed(network, params, frames[seen], heard)))
    lips, sound = (np.concatenate(part)[:count] for part in zip(*pieces, strict=True))
    return lips, sound


@functools.partial(jax.jit, static_argnums=0)
def _embed(network: syncnet.SyncNet, params: Any, frames, cepstra):
    # The published network was taught on OpenCV's order of colours.
    turned = jnp.flip(frames, axis=-1).astype(jnp.float32)
    return network.apply({"params": params}, turned, cepstra)


def _cepstra(waveform: np.ndarray) -> np.ndarray:
    """Return the cepstra of a waveform as 16-bit samples have them."""
    samples = np.rint(np.asarray(waveform, np.float32) * _FULL_SCALE)
    return mfcc.mfcc(np.clip(samples, -_FULL_SCALE, _FULL_SCALE - 1))


def _cut_cepstra(cepstra: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Cut windows of cepstra beside the frames at `places`, float32 `[N, 13, 20]`."""
    steps = _STEPS_PER_FRAME * places[:, None] + np.arange(syncnet.WINDOW_STEPS)[None]
    return einops.rearrange(cepstra[steps], "n l k -> n k l").astype(np.float32)


def distances(
    lips: np.ndarray, sound: np.ndarray, max_offset: int = MAX_OFFSET_FRAMES
) -> np.ndarray:
    """Return how far each window of lips is from the sound around it.

    Follows: syncnet_python (`calc_pdist`): beyond the clip's ends stand zeros, and
    PyTorch's pairwise distance adds 1e-6 to every difference.

    Args:
        lips, sound: `[n, C]`, embeddings of the same times.
        max_offset: frames to either side.

    Returns:
        float32 `[n, 2 * max_offset + 1]`, the sound from early to late.
    """
    padded = np.pad(sound, ((max_offset, max_offset), (0, 0)))
    columns = [
        np.linalg.norm(lips - padded[k : k + len(lips)] + _DISTANCE_EPSILON, axis=1)
        for k in range(2 * max_offset + 1)
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def score(distances: np.ndarray) -> SyncScores:
    """Summarise distances `[n, 2 * max_offset + 1]` of a clip, as published."""
    mean = distances.mean(axis=0)
    best = int(mean.argmin())
    median = np.median(mean)
    return SyncScores(
        confidence=float(median - mean[best]),
        distance=float(mean[best]),
        offset_frames=distances.shape[1] // 2 - best,
        distances=mean,
        frame_confidence=_smooth(median - distances[:, best]),
    )


def _smooth(values: np.ndarray) -> np.ndarray:
    """Return the running median; beyond the ends stand zeros."""
    half = SMOOTHED_FRAMES // 2
    padded = np.pad(values, (half, half))
    windows = np.lib.stride_tricks.sliding_window_view(padded, SMOOTHED_FRAMES)
    return np.median(windows, axis=1)
