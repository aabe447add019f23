"""Metrics of the mouth: with the reference's, and at rest where the voice rests."""

import dataclasses

import einops
import numpy as np

from vasa_jax import types
from vasa_jax.evaluation.benchmark import video_clip
from vasa_jax.evaluation.metrics import curves, definition
from vasa_jax.evaluation.metrics.definition import (
    HIGHER,
    LOWER,
    Measured,
    Needs,
    Row,
    Score,
    VideoMetric,
)

PAUSE_MARGIN_FRAMES = 2
"""Frames about speech that are no pause. Ours: lips part before a sound."""

PAUSE_DECIBELS = 30.0
"""Below the loudest frame, where a recorded voice pauses. Ours: breath lies there."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LipCorrelation(VideoMetric):
    """Whether the mouth opens when the reference's does.

    Ours: correlation does not mind how far a mouth opens; the best of some lags tells
    lips that are late from lips that are wrong.
    """

    name = "lips"
    rows = {
        "lips": Row(
            title="Mouth opening against the reference's",
            aim=HIGHER,
            floor="the reference shifted by 1 s",
            ceiling="by definition",
        ),
        "lips/best": Row(
            title="The same at the best lag within 0.2 s",
            aim=HIGHER,
            floor="the reference shifted by 1 s",
            ceiling="by definition",
        ),
        "lips/lag": Row(
            title="Lag of the best correlation",
            unit="frames",
            floor="",
            ceiling="by definition",
            digits=1,
        ),
    }
    needs = Needs(face=True, reference=True, num_frames=2 * curves.SHIFT_FRAMES)

    def measure(
        self, clip: video_clip.Clip, reference: video_clip.Clip | None
    ) -> Measured:
        """Measure one clip."""
        num_frames = definition.shared_length(clip, reference)
        own, other = clip.face.first(num_frames), reference.face.first(num_frames)

        def at(lag, shift=0):
            truth = np.roll(other.mouth_opening, shift)
            mask = own.present & np.roll(other.present, shift)
            return float(curves.correlation(own.mouth_opening, truth, mask, lag))

        best = curves.best_lag(
            own.mouth_opening, other.mouth_opening, own.present & other.present
        )
        apart = curves.SHIFT_FRAMES
        return Measured(
            scores={
                "lips": Score(at(0), at(0, apart), 1.0),
                "lips/best": Score(
                    at(best), max(at(lag, apart) for lag in curves.LAGS), 1.0
                ),
                "lips/lag": Score(float(best), np.nan, 0.0),
            }
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class SilentLips(VideoMetric):
    """Whether the mouth rests where the voice does.

    Ours: silence is 30 dB below the loudest frame, two frames away from speech.
    """

    name = "silence"
    rows = {
        "silence": Row(
            title="Mouth opening in silence",
            unit="eye distances",
            aim=LOWER,
            floor="silence of the sound shifted by half",
            digits=3,
        ),
        "silence/share": Row(
            title="The same over the opening in speech",
            aim=LOWER,
            floor="silence of the sound shifted by half",
        ),
    }
    needs = Needs(face=True, sound=True, num_frames=types.FRAME_RATE_HZ)

    def measure(
        self, clip: video_clip.Clip, reference: video_clip.Clip | None
    ) -> Measured:
        """Measure one clip."""
        is_silent = silent_frames(clip.waveform)[: clip.facts.num_frames]
        if reference is not None:
            is_silent = is_silent[: reference.facts.num_frames]
        num_frames = len(is_silent)

        def opening(one, meant):
            face = one.face.first(num_frames)
            return float(curves.masked_mean(face.mouth_opening, face.present & meant))

        def share(one, meant):
            with np.errstate(divide="ignore", invalid="ignore"):
                return float(np.float64(opening(one, meant)) / opening(one, ~meant))

        if np.isnan(opening(clip, is_silent)):
            return Measured(left_out="its sound holds no silence")
        shifted = np.roll(is_silent, num_frames // 2)
        scores = {}
        for key, find in (("silence", opening), ("silence/share", share)):
            of_real = np.nan if reference is None else find(reference, is_silent)
            score = Score(find(clip, is_silent), find(clip, shifted), of_real)
            if np.isfinite(score.value):
                scores[key] = score
        return Measured(scores=scores)


def silent_frames(waveform: np.ndarray) -> np.ndarray:
    """Tell which whole frames of a sound `[S]` are silent, bool `[S // 640]`."""
    num_samples = len(waveform) - len(waveform) % types.SAMPLES_PER_FRAME
    waveform = waveform[:num_samples]
    if not waveform.any():
        return np.ones(num_samples // types.SAMPLES_PER_FRAME, bool)
    return pauses(quiet_frames(waveform))


def quiet_frames(waveform: np.ndarray, below: float = PAUSE_DECIBELS) -> np.ndarray:
    """Tell which frames of a voice `[640 T]` are far below the loudest, bool `[T]`."""
    frames = einops.rearrange(waveform, "(t s) -> t s", s=types.SAMPLES_PER_FRAME)
    power = (frames.astype(np.float64) ** 2).mean(axis=1)
    return power < power.max() * 10 ** (-below / 10)


def pauses(is_silent: np.ndarray, margin: int = PAUSE_MARGIN_FRAMES) -> np.ndarray:
    """Keep of silent frames, bool `[T]`, those with silence all about them."""
    padded = np.pad(is_silent, margin, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * margin + 1).all(axis=1)
