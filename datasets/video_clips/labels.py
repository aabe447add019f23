"""What a clip's record says of gaze, lids, expression, emotion, quality and voice."""

from collections.abc import Sequence

import numpy as np

from datasets.published_sets import clips
from datasets.synthetic_heads import names
from vasa_jax import types
from vasa_jax.encode import clip_conditions
from vasa_jax.portrait import crop, face_labels, occlusion

QUALITY_EVERY_FRAMES = 10
"""Ours: neighbouring frames are about as sharp, and as covered."""

_COVERED = ("mouth", "right_eye", "left_eye")
"""Key points by which parts are looked at; the image's left eye is the right one."""

UNKNOWN_LANGUAGE = "unknown"

_LUMA = np.float32(types.LUMA)


def fields(found: face_labels.FaceLabels, head_pose: np.ndarray) -> dict:
    """Return the fields of a record that an estimator and the head's pose give.

    Paper: VASA-1 section 3.2: per clip, main gaze by clustering, and means of distance
    and emotion. Ours: what is not known is not a number, and training drops it.

    Args:
        found: of the clip's T frames.
        head_pose: `[T, 6]` vectors of `types.HeadPose`.

    Returns:
        `gaze` `[T, 2]`, `blink` `[T]`, `units` `[T, 52]`, `units_known` bool `[52]`,
        `frame_emotion` `[T, 8]`, `main_gaze` `[2]`, `mean_distance` `[1]`, `emotion`
        `[8]`.
    """
    return {
        "gaze": found.gaze,
        "blink": found.blink,
        "units": found.units,
        "units_known": np.isfinite(found.units).all(axis=0),
        "frame_emotion": found.emotion,
        "main_gaze": clip_conditions.main_direction(found.gaze),
        "mean_distance": np.mean(1 / head_pose[:, 5:6], axis=0, dtype=np.float32),
        "emotion": found.emotion.mean(axis=0),
    }


def heard(voiced: np.ndarray, num_frames: int) -> dict:
    """Return the fields of a record that its sound gives.

    Ours: no language is given, since nothing here knows one from another.

    Args:
        voiced: bool, of `voice_activity.voiced_frames` from the record's start on; what
            is missing at its end is silence.
        num_frames: of the record.

    Returns:
        `is_voiced` bool `[T]`, `voiced_share` of the clip, `language`.
    """
    voice = voiced[:num_frames]
    voice = np.pad(voice, (0, num_frames - len(voice)))
    return {
        "is_voiced": voice,
        "voiced_share": np.mean(voice, dtype=np.float32),
        "language": UNKNOWN_LANGUAGE,
    }


def given_emotion(
    emotions: Sequence[clips.Emotion], start_seconds: float, num_frames: int
) -> dict:
    """Return the fields of emotion of a record whose set gives them.

    Ours: probabilities as an estimator would give them, the rest of a weak emotion
    being neutral; frames without a label are not a number, and so is a clip without
    any.

    Args:
        emotions: of the segment that the record is cut from.
        start_seconds: of the record, from the segment's start.
        num_frames: of the record.

    Returns:
        `frame_emotion` `[T, 8]`, `emotion` `[8]`.
    """
    frames = np.full((num_frames, len(types.EMOTIONS)), np.nan, np.float32)
    times = start_seconds + (np.arange(num_frames) + 0.5) / types.FRAME_RATE_HZ
    for emotion in emotions:
        end = np.inf if emotion.end_seconds is None else emotion.end_seconds
        scores = np.zeros(len(types.EMOTIONS), np.float32)
        scores[types.EMOTIONS.index("neutral")] = 1 - emotion.strength
        scores[types.EMOTIONS.index(emotion.name)] += emotion.strength
        frames[(times >= emotion.start_seconds) & (times < end)] = scores
    known = frames[np.isfinite(frames).all(axis=1)]
    nothing = np.full(len(types.EMOTIONS), np.nan, np.float32)
    return {
        "frame_emotion": frames,
        "emotion": known.mean(axis=0) if len(known) else nothing,
    }


def sharpness(frames: np.ndarray) -> float:
    """Measure how much of a clip's contrast is between neighbouring pixels.

    Ours: standard deviation of the Laplacian over that of the brightness, so that
    neither light nor contrast matters; the median over frames.

    Args:
        frames: uint8 `[T, S, S, 3]`.

    Returns:
        0 for a plain picture; the larger, the sharper.
    """
    shares = []
    for frame in frames[::QUALITY_EVERY_FRAMES]:
        luma = frame @ _LUMA
        middle = luma[1:-1, 1:-1]
        around = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:]
        shares.append((around - 4 * middle).std() / max(float(luma.std()), 1e-3))
    return float(np.median(shares))


def covered(
    frames: np.ndarray, keypoints: np.ndarray, head_scale: np.ndarray
) -> np.ndarray:
    """Tell how surely mouth and eyes are covered, the median over frames.

    Args:
        frames: uint8 `[T, S, S, 3]` of a clip.
        keypoints: `[T, 10, 2]` of `names.KEYPOINT_NAMES` in them, in [-1, 1].
        head_scale: `[T]` of `types.HeadPose`.

    Returns:
        float32 `[2]` in [0, 1], in the order of `occlusion.PARTS`.
    """
    half = frames.shape[1] / 2
    indices = [names.KEYPOINT_NAMES.index(name) for name in _COVERED]
    found = []
    for frame in range(0, len(frames), QUALITY_EVERY_FRAMES):
        mouth, *eyes = half * (1 + keypoints[frame, indices])
        unit = half * head_scale[frame] / crop.HALF_IMAGE_HEAD_UNITS
        found.append(occlusion.covered(frames[frame], mouth, np.stack(eyes), unit))
    return np.median(found, axis=0).astype(np.float32)
