"""Made-up batches of stage one at the tests' scale."""

import jax
import numpy as np

from vasa_jax.face import scene

BATCH = 2


def batch(seed=0):
    """A batch of pairs of noise, with all that records may know."""
    rng = np.random.default_rng(seed)
    rows = {}
    for who in scene.PEOPLE:
        rows[who] = rng.integers(0, 256, (BATCH, 32, 32, 3), dtype=np.uint8)
        pose = rng.normal(0, 0.1, (BATCH, 6)).astype(np.float32)
        pose[:, 5] = 1.0
        rows[f"{who}_pose"] = pose
        rows[f"{who}_arkit"] = rng.random((BATCH, 52), np.float32)
        rows[f"{who}_gaze"] = rng.normal(0, 0.2, (BATCH, 2)).astype(np.float32)
    rows["driver_regions"] = rng.uniform(-0.4, 0.4, (BATCH, 3, 2)).astype(np.float32)
    for name in ("flow", "mirrored_flow"):
        rows[name] = rng.uniform(-1, 1, (BATCH, 16, 16, 2)).astype(np.float32)
    for name in (
        "visible",
        "learnable",
        "mirrored_visible",
        "source_surroundings",
        "driver_surroundings",
        "driver_torso",
    ):
        rows[name] = (rng.random((BATCH, 16, 16)) > 0.3).astype(np.float32)
    # Torsos are a part of what lies around the head.
    rows["driver_torso"] *= rows["driver_surroundings"]
    rows["other_is_same_performance"] = np.array([1.0, 0.0], np.float32)
    rows["example_key"] = jax.random.split(jax.random.key(seed), BATCH)
    return rows


def only(cls, **given):
    """Make a record of named arrays of which a test needs a few; the rest is None."""
    return cls(**dict.fromkeys(cls.__dataclass_fields__) | given)
