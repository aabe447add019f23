"""What tests of performances share: a request, and how far lips part."""

import numpy as np

from datasets.synthetic_heads.performance import (
    performance,
    voices,
)
from datasets.synthetic_heads.person import geometry
from datasets.synthetic_heads.rendering import ground_truth


def request(seed=1, emotion="neutral", strength=0.0, num_frames=75):
    return performance.Request(
        seed=seed,
        num_frames=num_frames,
        emotion=emotion,
        emotion_strength=strength,
        voice=voices.Voice(variant="m3"),
        head_distance=1.0,
    )


def lip_gaps(arkit, identity_seed=3):
    """Return the signed gap of the inner lips of each frame, in eye distances."""
    shape = geometry.build_geometry(identity_seed)
    rest = np.zeros(3)
    gaps = []
    for weights in arkit:
        state = geometry.FrameState(weights, np.zeros(2), rest, rest)
        gaps.append(ground_truth.mouth_aperture(geometry.pose_head(shape, state)))
    return np.array(gaps)
