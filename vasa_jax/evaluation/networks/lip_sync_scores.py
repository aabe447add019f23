"""`S_C (own)` and `S_D (own)`: scores of a clip by the light lip-sync network."""

import dataclasses
import functools
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from vasa_jax import config, errors, export
from vasa_jax.evaluation.networks import (
    lip_crops,
    lip_sync,
    lip_sync_training,
    syncnet_scores,
    voice_features,
)

SHIPPED = pathlib.Path(__file__).parents[2] / "weights" / "sync"
"""Folder of the network that ships, trained on rendered heads."""

BATCH_WINDOWS = 32
"""Windows embedded at once. Ours: one shape is one compilation."""

MIN_FRAMES = 2 * syncnet_scores.MAX_OFFSET_FRAMES + lip_sync.LipSyncConfig.window_frames
"""Frames from which every offset has windows of its own. Ours."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LipScores:
    """What the network says of a clip.

    Attributes:
        confidence: the median over offsets of the mean distance, minus its least;
            higher is better.
        distance: the least over offsets of the mean distance, 0 to 2; lower is better.
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
    max_offset: int = syncnet_scores.MAX_OFFSET_FRAMES,
    is_seen: np.ndarray | None = None,
) -> np.ndarray:
    """Return how far each window of lips is from the sound around it.

    Follows: `syncnet_scores.distances`. Ours: beyond the clip's ends nothing is
    compared, where the published rule puts zeros, which lie nearer to vectors of length
    1 than other vectors do.

    Args:
        lips, sound: `[n, E]`, embeddings of the same times.
        max_offset: frames to either side.
        is_seen: bool `[n]`, windows that show a face all along; None is all.

    Returns:
        float32 `[n, 2 * max_offset + 1]`, the sound from early to late; not a number
        beyond the ends, nor in windows that are not seen.
    """
    ends = (max_offset, max_offset), (0, 0)
    padded = np.pad(sound.astype(np.float32), ends, constant_values=np.nan)
    columns = [
        np.linalg.norm(lips - padded[k : k + len(lips)], axis=1)
        for k in range(2 * max_offset + 1)
    ]
    table = np.stack(columns, axis=1)
    return table if is_seen is None else np.where(is_seen[:, None], table, np.nan)


def can_score(distances: np.ndarray) -> bool:
    """Tell whether every offset has a window that is seen and heard."""
    return bool(np.isfinite(distances).any(axis=0).all())


def score(distances: np.ndarray) -> LipScores:
    """Summarise distances `[n, 2 * max_offset + 1]` of a clip for which `can_score`.

    Follows: syncnet_python, as `syncnet_scores.score`.
    """
    mean = np.nanmean(distances, axis=0)
    best = int(mean.argmin())
    return LipScores(
        confidence=float(np.median(mean) - mean[best]),
        distance=float(mean[best]),
        offset_frames=distances.shape[1] // 2 - best,
        distances=mean,
    )


def told_apart(
    distances: np.ndarray,
    num_windows: int = 1,
    apart: int = lip_sync_training.APART_FRAMES,
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


@dataclasses.dataclass(frozen=True, kw_only=True)
class LipScorer:
    """A trained network.

    Attributes:
        sizes: of it.
        params: of it.
    """

    sizes: lip_sync.LipSyncConfig
    params: Mapping[str, Any]

    def hear(self, waveform: np.ndarray) -> np.ndarray:
        """Return the features float32 `[T, A]` of a voice `[S]` at 16 kHz."""
        return voice_features.features(self.sizes.audio_encoder, waveform)

    def embed(
        self, lips: np.ndarray, features: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Embed every window of a clip.

        Args:
            lips: uint8 `[T, 56, 56]`, as from `lip_crops.cut_lips`.
            features: `[T, A]` of the voice; what is longer of both is cut.

        Returns:
            float32 `[n, E]` of lips and of sound, n = T - 4.

        Raises:
            UserError: fewer frames than a window.
        """
        window = self.sizes.window_frames
        count = min(len(lips), len(features)) - window + 1
        if count < 1:
            raise errors.UserError(
                f"The lip-sync network takes at least {window} frames with sound; this "
                f"clip has {len(lips)} frames and sound of {len(features)}."
            )
        margin = (lip_crops.SIZE - self.sizes.image_size) // 2
        middle = slice(margin, margin + self.sizes.image_size)
        seen, heard = lips[:, middle, middle], np.asarray(features, np.float32)
        found = []
        for first in range(0, count, BATCH_WINDOWS):
            # Windows beyond the last repeat it, so that every batch has one shape.
            places = np.arange(first, first + BATCH_WINDOWS).clip(max=count - 1)
            frames = places[:, None] + np.arange(window)[None]
            rows = _embed(self.sizes, self.params, seen[frames], heard[frames])
            found.append(jax.device_get(rows))
        lip_rows, sound_rows = zip(*found, strict=True)
        return np.concatenate(lip_rows)[:count], np.concatenate(sound_rows)[:count]


@functools.partial(jax.jit, static_argnums=0)
def _embed(sizes: lip_sync.LipSyncConfig, params: Any, lips, features):
    seen, heard, _ = lip_sync.LipSync(sizes).apply({"params": params}, lips, features)
    return seen, heard


def read(folder: str | os.PathLike[str] | None = None) -> LipScorer:
    """Read a network that `experiments.export` wrote.

    Args:
        folder: of the export; None is the one that ships.

    Raises:
        UserError: there is none, or it holds something else.
    """
    folder = SHIPPED if folder is None else folder
    params, configs, _ = export.load_export(folder)
    if "sync" not in configs or lip_sync_training.GROUP not in params:
        raise errors.UserError(
            f"The export {os.fspath(folder)!r} holds no lip-sync network; give one "
            "that experiments/configs/sync.py has trained."
        )
    sizes = config.from_json(lip_sync.LipSyncConfig, configs["sync"])
    return LipScorer(
        sizes=sizes, params=jax.device_put(params[lip_sync_training.GROUP])
    )
