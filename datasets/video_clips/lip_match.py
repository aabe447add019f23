"""Whether the lips of a clip and its voice belong together."""

import functools

import numpy as np

from datasets.video_clips import settings
from vasa_jax import compilation_cache, types
from vasa_jax.evaluation.metrics import lip_synchrony
from vasa_jax.evaluation.networks import contrastive, lip_sync
from vasa_jax.portrait import face_cuts


@functools.cache
def _network():
    compilation_cache.enable()
    return contrastive.read(lip_sync.KIND)


def score(frames: np.ndarray, head_pose: np.ndarray, waveform: np.ndarray) -> float:
    """Tell how surely lips and voice belong together.

    Ours: by the lip-sync network that ships; see `lip_synchrony.belonging`. What is
    refused by it is up to `settings.Settings.min_lip_match`.

    Args:
        frames: uint8 `[T, S, S, 3]` of a clip.
        head_pose: `[T, 6]` vectors of `types.HeadPose` in them.
        waveform: float32 `[640 T]` its sound.

    Returns:
        The larger, the surer; not a number for clips shorter than
        `settings.LEAST_MATCH_SECONDS`.
    """
    if len(frames) < settings.LEAST_MATCH_SECONDS * types.FRAME_RATE_HZ:
        return float("nan")
    lips = face_cuts.cut_lips(frames, head_pose)
    network = _network()
    both = network.embed_all(lips, network.hear(waveform))
    return lip_synchrony.belonging(lip_synchrony.offset_distances(*both))
