"""The truth of a planned clip that nobody renders.

Ours: stage two learns from motion and voices alone; without pictures a minute of
conversation costs seconds, so that turns of phrases and heads that come home, which
last longer than rendered clips, can be learnt from thousands of minutes.
"""

from collections.abc import Iterator

import numpy as np

from datasets.synthetic_heads.performance import performance
from datasets.synthetic_heads.person import geometry, randomization
from datasets.synthetic_heads.records import plan
from datasets.synthetic_heads.rendering import ground_truth
from vasa_jax import arkit as arkit_lib
from vasa_jax import types


def build_shape(clip: plan.Clip, settings: plan.Settings) -> geometry.HeadGeometry:
    """Build the shape of a clip's identity, as its avatar has it."""
    domain = randomization.Randomization(strength=settings.randomization_strength)
    exaggeration = randomization.shape_exaggeration(domain, clip.identity_seed)
    return geometry.build_geometry(clip.identity_seed, exaggeration)


def make(clip: plan.Clip, shape: geometry.HeadGeometry) -> dict:
    """Perform a planned clip and measure it on a shape.

    Args:
        clip: what to perform.
        shape: of the clip's identity.

    Returns:
        The fields of `record.make` that need no picture, with equal values.
    """
    done = performance.perform(clip.request)
    poses, gazes, openings, arkit = [], [], [], []
    for index in range(clip.request.num_frames):
        state = geometry.FrameState(
            arkit=done.arkit[index],
            gaze_in_head=done.gaze_in_head[index],
            rotation=done.rotation[index],
            translation=done.translation[index],
        )
        posed = geometry.pose_head(shape, state)
        poses.append(ground_truth.head_pose(posed, done.camera))
        gazes.append(ground_truth.gaze(posed, done.camera))
        openings.append(ground_truth.mouth_opening(posed))
        arkit.append(arkit_lib.with_gaze(state.arkit, state.gaze_in_head))
    return {
        "clip_id": clip.clip_id,
        "identity": clip.identity,
        "performance": clip.performance,
        "num_frames": clip.request.num_frames,
        "audio": done.audio,
        "voice": done.voice,
        "text": done.text,
        "head_pose": np.stack(poses),
        "gaze": np.stack(gazes),
        "gaze_in_head": done.gaze_in_head,
        "main_gaze": done.main_gaze,
        "arkit": np.stack(arkit).astype(np.float32),
        "blink": done.blink,
        "mouth_opening": np.array(openings, np.float32),
        "emotion": types.EMOTIONS.index(clip.request.emotion),
        "emotion_strength": clip.request.emotion_strength,
    }


def wanted_clips(settings: plan.Settings, num_clips: int) -> Iterator[plan.Clip]:
    """Yield the first clips with performances of their own.

    Args:
        settings: of the plan.
        num_clips: how many.

    Yields:
        Clips of which no two share a performance.
    """
    found: set[str] = set()
    identity = 0
    while True:
        for clip in plan.clips_of(settings, identity):
            if len(found) == num_clips:
                return
            if clip.performance not in found:
                found.add(clip.performance)
                yield clip
        identity += 1
