"""Tiny batches of stage two for tests, whose mouth follows the voice."""

import jax
import numpy as np

from vasa_jax import types
from vasa_jax.motion import config, normalization

DELAY_FRAMES = 1


def record(generator, num_frames=40, sizes=None):
    """Return an encoded record: dynamics follow audio one frame later."""
    sizes = sizes or config.tiny()
    audio = generator.normal(size=(num_frames, sizes.num_audio_channels))
    motion = generator.normal(size=(num_frames, sizes.num_motion_channels)) * 0.1
    dynamics = motion[:, types.POSE_CHANNELS :]
    dynamics += np.roll(audio[:, : dynamics.shape[1]], DELAY_FRAMES, axis=0)
    motion[:, 0] += np.cumsum(generator.normal(size=num_frames)) * 0.2
    return {
        "motion": motion.astype(np.float32),
        "audio_features": audio.astype(np.float16),
        "gaze": generator.uniform(-0.3, 0.3, 2).astype(np.float32),
        "head_distance": generator.uniform(0.8, 1.2, 1).astype(np.float32),
        "emotion": np.eye(8, dtype=np.float32)[generator.integers(8)],
    }


def batch(cut, records, seed=0):
    """Cut one window from each record and stack them."""
    generator = np.random.default_rng(seed)
    rows = [cut(one, generator) for one in records]
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def some_statistics(sizes=None, seed=0):
    """Return statistics of a few records."""
    generator = np.random.default_rng(seed)
    sizes = sizes or config.tiny()
    return normalization.measure(
        (record(generator, sizes=sizes) for _ in range(8)), sizes.window_frames
    )


def filled(shapes, seed=1):
    """Fill shapes of parameters with numbers, without compiling the initialisers.

    Everything is away from its start, where some parameters do nothing.
    """
    generator = np.random.default_rng(seed)

    def fill(path, leaf):
        is_scale = jax.tree_util.keystr(path).endswith("['scale']")
        values = generator.normal(size=leaf.shape) / np.sqrt(
            leaf.shape[-2] if leaf.ndim > 1 else 9
        )
        return (values + is_scale).astype(np.float32)

    return jax.tree_util.tree_map_with_path(fill, shapes)
