"""The CAPP score of a clip, and how it answers to shifted and scaled movement.

Paper: VASA-1 section 4.1, and the two sanity tables of its appendix: the score falls
where the movement is shifted against the voice, and where it is scaled.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from vasa_jax import config, errors, types
from vasa_jax.evaluation.networks import contrastive_scorer

STEP_FRAMES = 12
"""Frames from one window of a clip to the next. Ours: about half a second."""

SHIFTS = (0, 1, 2, 3, 4, 8, 12, 25)
"""Frames of the first table. Paper: 0 to 4. Ours: the wider ones, because synthetic
movement is smoother than life."""

SCALES = (0.2, 0.5, 1.0, 1.5, 3.0)
"""Factors of the second table. Paper: the same."""


def score(
    scorer: contrastive_scorer.Scorer,
    features: np.ndarray,
    rotation: np.ndarray,
    late: int = 0,
) -> float:
    """Return the mean cosine over the windows of a clip.

    Args:
        scorer: the CAPP network.
        features: `[T, A]` of the voice, as from `Scorer.hear`.
        rotation: `[T, 3]` yaw, pitch and roll of the head, radians; not a number
            where the head is not seen; what is longer of both is cut.
        late: frames by which the sound is taken later than the movement; negative:
            earlier.

    Returns:
        Of the windows that show the head all along; not a number if there are none.

    Raises:
        UserError: the clip is shorter than a window and the shift.
    """
    window = scorer.sizes.window_frames
    num_frames = min(len(features), len(rotation))
    last = num_frames - window - max(0, late)
    starts = np.arange(max(0, -late), last + 1, STEP_FRAMES)
    if not len(starts):
        raise errors.UserError(
            f"CAPP takes clips of at least {window} frames, and {abs(late)} more to "
            f"shift them; this one has {num_frames}."
        )
    starts = starts[_is_whole(rotation, starts, window)]
    if not len(starts):
        return np.nan
    seen, heard = scorer.embed(rotation, features, starts, late)
    return float((seen * heard).sum(axis=-1).mean())


def has_window(features: np.ndarray, rotation: np.ndarray, num_frames: int) -> bool:
    """Tell whether a window that is scored shows the head all along.

    Args:
        features, rotation: as of `score`.
        num_frames: of a window.
    """
    num_both = min(len(features), len(rotation))
    starts = np.arange(0, num_both - num_frames + 1, STEP_FRAMES)
    return bool(_is_whole(rotation, starts, num_frames).any())


def _is_whole(rotation: np.ndarray, starts: np.ndarray, num_frames: int) -> np.ndarray:
    """Tell which windows show the head all along, bool `[n]`."""
    frames = starts[:, None] + np.arange(num_frames)[None]
    return np.isfinite(rotation)[frames].all(axis=(1, 2))


@dataclasses.dataclass(frozen=True, kw_only=True)
class SanityTables:
    """Both tables, means over clips.

    Attributes:
        shifts: score by frames of shift to either side.
        scales: score by factor of the movement.
        num_clips: that were measured.
        num_clips_of_shift: clips long enough, by shift.
    """

    shifts: Mapping[int, float]
    scales: Mapping[float, float]
    num_clips: int
    num_clips_of_shift: Mapping[int, int]


def sanity_tables(
    scorer: contrastive_scorer.Scorer,
    clips: Sequence[tuple[np.ndarray, np.ndarray]],
    shifts: Sequence[int] = SHIFTS,
    scales: Sequence[float] = SCALES,
) -> SanityTables:
    """Measure how the score answers to shifts and to stronger and weaker movement.

    Args:
        scorer: the network.
        clips: features `[T, A]` and rotation `[T, 3]` of each, as of `score`; those
            too short for a shift are left out of its mean.
        shifts, scales: columns of the tables.

    Raises:
        UserError: no clip is as long as a window.
    """
    window = scorer.sizes.window_frames
    long_enough = [both for both in clips if has_window(*both, window)]
    config.require(
        len(long_enough) > 0,
        f"No clip has the {window} frames of a window; give longer ones "
        f"({window / types.FRAME_RATE_HZ:g} s).",
    )
    by_shift: dict[int, list[float]] = {shift: [] for shift in shifts}
    by_scale: dict[float, list[float]] = {scale: [] for scale in scales}
    for features, rotation in long_enough:
        spare = min(len(features), len(rotation)) - window
        for shift in shifts:
            if shift <= spare:
                both = [score(scorer, features, rotation, s) for s in (shift, -shift)]
                if np.isfinite(both).all():
                    by_shift[shift].append(float(np.mean(both)))
        for scale in scales:
            # About which mean makes no difference, as windows are centred again.
            turned = scale * np.asarray(rotation, np.float64)
            by_scale[scale].append(score(scorer, features, turned))
    return SanityTables(
        shifts={k: float(np.mean(v)) for k, v in by_shift.items() if v},
        scales={k: float(np.mean(v)) for k, v in by_scale.items()},
        num_clips=len(long_enough),
        num_clips_of_shift={k: len(v) for k, v in by_shift.items()},
    )
