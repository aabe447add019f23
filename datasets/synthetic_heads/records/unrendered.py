"""The truth of a planned clip that nobody renders.

Ours: stage two learns from motion and voices alone; without pictures a minute of
conversation costs seconds, so that turns of phrases and heads that come home, which
last longer than rendered clips, can be learnt from thousands of minutes.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np

from datasets.synthetic_heads.performance import performance
from datasets.synthetic_heads.person import geometry, randomization
from datasets.synthetic_heads.records import plan
from datasets.synthetic_heads.rendering import ground_truth
from vasa_jax import arkit as arkit_lib
from vasa_jax import types

_CALM_STREAM = 96
_PLAINLY_SAID = 0.5
"""Share of acted emotions that are not heard. Ours: what is asked of a face must come
whatever the voice, since people ask it of voices that do not sound so."""

_FULLY_SHOWN = 0.5
"""Share of acted emotions that are shown in full. Ours: strength 1 is what people ask
for; where strengths were drawn evenly, happiness at 1 came out as a mean of weaker
ones (docs/log run 27)."""

_BARED_FROM = 0.6
"""Strength of happiness from which smiles may bare the teeth. Ours: such a smile is 0.8
of a full one; at less, the strength would not tell what the face shows."""


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
    poses, gazes, apertures, arkit = [], [], [], []
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
        apertures.append(ground_truth.mouth_aperture(posed))
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
        "mouth_opening": np.array(apertures, np.float32),
        "emotion": types.EMOTIONS.index(clip.request.emotion),
        "emotion_strength": clip.request.emotion_strength,
    }


def wanted_clips(
    settings: plan.Settings, num_clips: int, calm_share: float
) -> Iterator[plan.Clip]:
    """Yield the first clips with performances of their own.

    Args:
        settings: of the plan.
        num_clips: how many.
        calm_share: of clips, whatever their emotion by the plan, that show none.

    Yields:
        Clips of which no two share a performance, as `converse` makes them.
    """
    found: set[str] = set()
    identity = 0
    while True:
        for clip in plan.clips_of(settings, identity):
            if len(found) == num_clips:
                return
            if clip.performance not in found:
                found.add(clip.performance)
                yield converse(clip, calm_share)
        identity += 1


def converse(clip: plan.Clip, calm_share: float) -> plan.Clip:
    """Let a planned clip be conversation, in which emotions are the exception.

    Ours: plans show all emotions alike often, so that appearance cannot hold them; a
    denoiser would take their mean for a face at rest.

    Args:
        clip: of a plan.
        calm_share: chance that it shows no emotion, 0 to 1.

    Returns:
        The clip, calm, or acted: as its strength says or in full, heard in the voice
        or not.
    """
    request = clip.request
    generator = np.random.default_rng([request.seed, _CALM_STREAM])
    chances = (calm_share, _PLAINLY_SAID, _FULLY_SHOWN)
    is_calm, is_plain, is_full = generator.random(3) < chances
    if is_calm:
        change = {"emotion": "neutral", "emotion_strength": 0.0, "bares_teeth": False}
    else:
        is_neutral = request.emotion == "neutral"
        strength = 1.0 if is_full and not is_neutral else request.emotion_strength
        change = {
            "emotion_strength": strength,
            "bares_teeth": request.bares_teeth and strength >= _BARED_FROM,
            "colours_voice": not is_plain,
        }
    changed = dataclasses.replace(request, **change)
    return dataclasses.replace(clip, request=changed)
