"""Cut training windows out of encoded records, in plain NumPy for data pipelines."""

from collections.abc import Mapping

import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.motion.shaping import liveliness

FIRST_WINDOW_RATE = 0.15
"""Chance that a window is its clip's beginning, with no previous frames. Ours: speech
onsets and the rest before them are seen only there; the paper's dropout of the previous
window (0.5) comes on top."""


def cut(
    record: Mapping[str, np.ndarray],
    generator: np.random.Generator,
    *,
    window_frames: int,
    previous_frames: int,
    first_window_rate: float = FIRST_WINDOW_RATE,
) -> dict[str, np.ndarray]:
    """Cut one window and the frames before it from a clip of any length.

    The window begins at the clip's start, without previous frames, or anywhere that
    leaves K frames before it. A clip too short for that gives a window whose end
    repeats the last frame, with a mask that is false there.

    Paper: VASA-1 section 3.2 (windows of W with the last K frames of the one before).

    Args:
        record: encoded record: `motion` `[T, M]`, `audio_features` `[T, A]`, `gaze`
            `[2]`, `head_distance` `[1]`, `emotion` `[8]`; gaze and emotion are not a
            number where they are unknown.
        generator: source of chance, owned by the data pipeline.
        window_frames: W.
        previous_frames: K.
        first_window_rate: chance of the clip's start, where both are possible.

    Returns:
        float32 arrays `motion` `[W, M]`, `audio` `[W, A]`, `previous_motion` `[K, M]`,
        `previous_audio` `[K, A]`, `gaze` `[2]`, `head_distance` `[1]`, `emotion` `[8]`,
        `liveliness` `[1]` of the window's own frames, bool `mask` `[W]` and bool
        `has_previous` `[]`. Nothing is normalised; previous frames are zeros where
        `has_previous` is false.

    Raises:
        UserError: the record is empty, or motion and audio differ in length.
    """
    motion = np.asarray(record["motion"], np.float32)
    audio = np.asarray(record["audio_features"], np.float32)
    num_frames = len(motion)
    if num_frames == 0 or len(audio) != num_frames:
        raise UserError(
            f"an encoded record has {num_frames} frames of motion and {len(audio)} of "
            "audio; both must be equal and above 0, so encode the clips again "
            "(python -m experiments.encode)."
        )
    can_continue = num_frames >= min(window_frames, 2) + previous_frames
    has_previous = can_continue and generator.random() >= first_window_rate
    start = 0
    if has_previous:
        latest = max(previous_frames, num_frames - window_frames)
        start = int(generator.integers(previous_frames, latest + 1))
    frames = np.arange(start, start + window_frames)
    is_known = frames < num_frames
    inside = np.minimum(frames, num_frames - 1)
    before = slice(start - previous_frames, start) if has_previous else slice(0, 0)
    return {
        "motion": motion[inside],
        "audio": audio[inside],
        "previous_motion": _fill(motion[before], previous_frames),
        "previous_audio": _fill(audio[before], previous_frames),
        "gaze": np.asarray(record["gaze"], np.float32),
        "head_distance": np.asarray(record["head_distance"], np.float32),
        "emotion": np.asarray(record["emotion"], np.float32),
        "liveliness": liveliness.of_rotation(motion[frames[is_known], :3]),
        "mask": is_known,
        "has_previous": np.asarray(has_previous),
    }


def _fill(frames: np.ndarray, num_frames: int) -> np.ndarray:
    """Return the frames, or zeros where there are none."""
    if len(frames):
        return frames
    return np.zeros((num_frames, frames.shape[1]), np.float32)
