"""The CAPP score of a clip, and how it answers to shifted and scaled movement.

Paper: VASA-1 section 4.1, and the two sanity tables of its appendix: the score falls
where the movement is shifted against the voice, and where it is scaled.
"""

import dataclasses
import functools
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from vasa_jax import config, errors, export, types
from vasa_jax.evaluation.networks import capp, capp_training, voice_features

SHIPPED = pathlib.Path(__file__).parents[2] / "weights" / "capp"
"""Folder of the network that ships, trained on performances of synthetic heads."""

STEP_FRAMES = 12
"""Frames from one window of a clip to the next. Ours: about half a second."""

BATCH_WINDOWS = 4
"""Windows embedded at once. Ours: one shape is one compilation, and a clip of four
seconds has three windows."""

SHIFTS = (0, 1, 2, 3, 4, 8, 12, 25)
"""Frames of the first table. Paper: 0 to 4. Ours: the wider ones, because synthetic
movement is smoother than life."""

SCALES = (0.2, 0.5, 1.0, 1.5, 3.0)
"""Factors of the second table. Paper: the same."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scorer:
    """A trained network.

    Attributes:
        sizes: of it.
        params: of it.
    """

    sizes: capp.CappConfig
    params: Mapping[str, Any]

    def hear(self, waveform: np.ndarray) -> np.ndarray:
        """Return the features float32 `[T, A]` of a voice `[S]` at 16 kHz."""
        return voice_features.features(self.sizes.audio_encoder, waveform)

    def score(self, features: np.ndarray, rotation: np.ndarray) -> float:
        """Return the mean cosine over the windows of a clip.

        Args:
            features: `[T, A]` of the voice, as from `hear`.
            rotation: `[T, 3]` yaw, pitch and roll of the head, radians; not a number
                where the head is not seen; what is longer of both is cut.

        Returns:
            Of the windows that show the head all along; not a number if there are none.

        Raises:
            UserError: fewer frames than a window.
        """
        return self.shifted(features, rotation, 0)

    def shifted(self, features: np.ndarray, rotation: np.ndarray, frames: int) -> float:
        """Return the score where movement is seen beside sound of another time.

        Args:
            features, rotation: as of `score`.
            frames: by which the sound is taken later; negative: earlier.

        Returns:
            As `score`.

        Raises:
            UserError: the clip is shorter than a window and the shift.
        """
        num_frames = min(len(features), len(rotation))
        last = num_frames - self.sizes.window_frames - max(0, frames)
        places = np.arange(max(0, -frames), last + 1, STEP_FRAMES)
        if not len(places):
            raise errors.UserError(
                f"CAPP takes clips of at least {self.sizes.window_frames} frames, and "
                f"{abs(frames)} more to shift them; this one has {num_frames}."
            )
        window = np.arange(self.sizes.window_frames)[None]
        seen = np.asarray(rotation, np.float32)[places[:, None] + window]
        is_whole = np.isfinite(seen).all(axis=(1, 2))
        if not is_whole.any():
            return np.nan
        places, seen = places[is_whole], seen[is_whole]
        heard = np.asarray(features, np.float32)[places[:, None] + frames + window]
        return float(self._cosines(heard, seen).mean())

    def _cosines(self, heard: np.ndarray, seen: np.ndarray) -> np.ndarray:
        found = []
        for first in range(0, len(seen), BATCH_WINDOWS):
            # Windows beyond the last repeat it, so that every batch has one shape.
            rows = np.arange(first, first + BATCH_WINDOWS).clip(max=len(seen) - 1)
            found.append(_cosines(self.sizes, self.params, heard[rows], seen[rows]))
        return np.concatenate([np.asarray(part) for part in found])[: len(seen)]


def has_window(features: np.ndarray, rotation: np.ndarray, num_frames: int) -> bool:
    """Tell whether a window that is scored shows the head all along.

    Args:
        features, rotation: as of `Scorer.score`.
        num_frames: of a window.
    """
    num_both = min(len(features), len(rotation))
    is_seen = np.isfinite(rotation).all(axis=1)
    firsts = range(0, num_both - num_frames + 1, STEP_FRAMES)
    return any(is_seen[first : first + num_frames].all() for first in firsts)


@functools.partial(jax.jit, static_argnums=0)
def _cosines(sizes: capp.CappConfig, params: Any, heard, seen):
    voice, movement, _ = capp.Capp(sizes).apply({"params": params}, heard, seen)
    return (voice * movement).sum(axis=-1)


def read(folder: str | os.PathLike[str] | None = None) -> Scorer:
    """Read a network that `experiments.export` wrote.

    Args:
        folder: of the export; None is the one that ships.

    Raises:
        UserError: there is none, or it holds something else.
    """
    folder = SHIPPED if folder is None else folder
    params, configs, _ = export.load_export(folder)
    if "capp" not in configs or capp_training.GROUP not in params:
        raise errors.UserError(
            f"The export {os.fspath(folder)!r} holds no CAPP network; give one that "
            "experiments/configs/capp.py has trained."
        )
    sizes = config.from_json(capp.CappConfig, configs["capp"])
    return Scorer(sizes=sizes, params=jax.device_put(params[capp_training.GROUP]))


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
    scorer: Scorer,
    clips: Sequence[tuple[np.ndarray, np.ndarray]],
    shifts: Sequence[int] = SHIFTS,
    scales: Sequence[float] = SCALES,
) -> SanityTables:
    """Measure how the score answers to shifts and to stronger and weaker movement.

    Args:
        scorer: the network.
        clips: features `[T, A]` and rotation `[T, 3]` of each, as of `Scorer.score`;
            those too short for a shift are left out of its mean.
        shifts, scales: columns of the tables.

    Raises:
        UserError: no clip is as long as a window.
    """
    long_enough = [
        (features, rotation)
        for features, rotation in clips
        if has_window(features, rotation, scorer.sizes.window_frames)
    ]
    config.require(
        len(long_enough) > 0,
        f"No clip has the {scorer.sizes.window_frames} frames of a window; give "
        f"longer ones ({scorer.sizes.window_frames / types.FRAME_RATE_HZ:g} s).",
    )
    by_shift: dict[int, list[float]] = {shift: [] for shift in shifts}
    by_scale: dict[float, list[float]] = {scale: [] for scale in scales}
    for features, rotation in long_enough:
        spare = min(len(features), len(rotation)) - scorer.sizes.window_frames
        for shift in shifts:
            if shift <= spare:
                both = [scorer.shifted(features, rotation, s) for s in (shift, -shift)]
                if np.isfinite(both).all():
                    by_shift[shift].append(float(np.mean(both)))
        for scale in scales:
            # About which mean makes no difference, as windows are centred again.
            turned = scale * np.asarray(rotation, np.float64)
            by_scale[scale].append(scorer.score(features, turned))
    return SanityTables(
        shifts={k: float(np.mean(v)) for k, v in by_shift.items() if v},
        scales={k: float(np.mean(v)) for k, v in by_scale.items()},
        num_clips=len(long_enough),
        num_clips_of_shift={k: len(v) for k, v in by_shift.items()},
    )
