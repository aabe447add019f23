"""Metrics of how head, eyes and mouth move, re-estimated on the frames."""

import dataclasses

import einops
import numpy as np

from vasa_jax import types
from vasa_jax.animate import controls
from vasa_jax.audio import voice_activity
from vasa_jax.encode import clip_conditions
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
    of_reference,
)

NUM_CHANCE = 256
"""Directions and distances whose mean error is that of chance. Ours."""

STILL = "a static face"


@dataclasses.dataclass(frozen=True, kw_only=True)
class PoseChange(VideoMetric):
    """How much the head moves from frame to frame, and in all.

    Paper: VASA-1 section 4.1, ΔP. Ours: the spread beside it, since a head that jitters
    in one place has a high ΔP too.
    """

    name = "delta_pose"
    rows = {
        "delta_pose": Row(
            title="ΔP: head turn per frame", unit="degrees", floor=STILL, digits=3
        ),
        "delta_pose/spread": Row(
            title="Standard deviation of head pose in time", unit="degrees", floor=STILL
        ),
    }
    needs = Needs(face=True, num_frames=2)

    def measure(
        self, clip: video_clip.Clip, reference: video_clip.Clip | None
    ) -> Measured:
        """Measure one clip."""

        def change(one):
            return curves.delta_pose(one.face.rotation, one.face.present)

        def spread(one):
            return np.degrees(curves.spread(one.face.rotation, one.face.present))

        return Measured(
            scores={
                "delta_pose": Score(
                    float(change(clip)), 0.0, of_reference(reference, change)
                ),
                "delta_pose/spread": Score(
                    float(spread(clip)), 0.0, of_reference(reference, spread)
                ),
            }
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Jitter(VideoMetric):
    """How much of the head's movement is faster than heads of speakers move.

    Attributes:
        above_hz: what is fast.
    """

    above_hz: float = curves.JITTER_HZ

    name = "jitter"
    rows = {
        "jitter": Row(
            title="Jitter: head movement above 6 Hz",
            unit="degrees",
            floor="its frames in random order",
            digits=3,
        )
    }
    needs = Needs(face=True, num_frames=types.FRAME_RATE_HZ)

    def measure(
        self, clip: video_clip.Clip, reference: video_clip.Clip | None
    ) -> Measured:
        """Measure one clip."""

        def jitter(one, order=slice(None)):
            rotation = np.degrees(one.face.rotation[order])
            return curves.fast_movement(
                rotation, one.face.present[order], self.above_hz
            )

        order = np.random.default_rng(0).permutation(len(clip.face.present))
        score = Score(
            float(jitter(clip)),
            float(jitter(clip, order)),
            of_reference(reference, jitter),
        )
        return Measured(scores={"jitter": score})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Seams(VideoMetric):
    """Whether windows that were made one after another can be told by their seams.

    Attributes:
        every: frames of a window; 0 if unknown.
    """

    every: int = 0

    name = "seams"
    rows = {
        "seams": Row(
            title="Head turn at window seams over elsewhere",
            aim=LOWER,
            floor="its windows in reverse order",
        )
    }

    @property
    def needs(self) -> Needs:
        """Two windows."""
        missing = None if self.every else "--seam_frames=N, the frames of a window"
        return Needs(face=True, num_frames=2 * max(1, self.every), missing=missing)

    def measure(
        self, clip: video_clip.Clip, reference: video_clip.Clip | None
    ) -> Measured:
        """Measure one clip."""

        def ratio(one, order=slice(None)):
            face = one.face
            return curves.seam_ratio(
                face.rotation[order], face.present[order], self.every
            )

        num_whole = len(clip.face.present) // self.every
        frames = np.arange(num_whole * self.every)
        windows = einops.rearrange(frames, "(w n) -> w n", n=self.every)
        value = float(ratio(clip))
        if not np.isfinite(value):
            return Measured(left_out="the head does not move between seams")
        score = Score(
            value,
            float(ratio(clip, einops.rearrange(windows[::-1], "w n -> (w n)"))),
            of_reference(reference, ratio),
        )
        return Measured(scores={"seams": score})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gaze(VideoMetric):
    """How far the main gaze is from the one asked for, or from the reference's.

    Paper: VASA-1 section 4.2, E_g (error of the main gaze). Ours: the estimator's own
    error, several degrees, is in it; the ceiling shows how much.

    Attributes:
        asked_degrees: yaw and pitch; None takes the reference's.
    """

    asked_degrees: tuple[float, float] | None = None

    name = "gaze"
    rows = {
        "gaze": Row(
            title="E_g: error of the main gaze",
            unit="degrees",
            aim=LOWER,
            floor="random gazes",
        )
    }

    @property
    def needs(self) -> Needs:
        """The reference, where no gaze was asked for."""
        return Needs(face=True, reference=self.asked_degrees is None)

    def measure(
        self, clip: video_clip.Clip, reference: video_clip.Clip | None
    ) -> Measured:
        """Measure one clip."""
        asked = self.asked_degrees
        aim = _main_gaze(reference) if asked is None else np.radians(asked)
        limits = np.radians(controls.MAX_GAZE_DEGREES)
        generator = np.random.default_rng(0)
        chance = generator.uniform(-limits, limits, (NUM_CHANCE, 2))
        score = Score(
            float(curves.direction_error(_main_gaze(clip), aim)),
            float(curves.direction_error(chance, aim).mean()),
            of_reference(
                reference, lambda r: curves.direction_error(_main_gaze(r), aim)
            ),
        )
        return Measured(scores={"gaze": score})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Distance(VideoMetric):
    """How far the head's mean distance is from the one asked for, or the reference's.

    Paper: VASA-1 section 4.2, E_d. Ours: the distance is the inverse of the head's
    apparent size in the whole frame, 1 where 30 cm fill the frame's longer side.

    Attributes:
        asked: distance; None takes the reference's.
    """

    asked: float | None = None

    name = "distance"
    rows = {
        "distance": Row(
            title="E_d: error of the head's distance",
            aim=LOWER,
            floor="random distances",
            digits=3,
        )
    }

    @property
    def needs(self) -> Needs:
        """The reference, where no distance was asked for."""
        return Needs(face=True, reference=self.asked is None)

    def measure(
        self, clip: video_clip.Clip, reference: video_clip.Clip | None
    ) -> Measured:
        """Measure one clip."""

        def distance(one):
            return curves.masked_mean(1 / one.face.head_pose[:, 5], one.face.present)

        aim = distance(reference) if self.asked is None else self.asked
        generator = np.random.default_rng(0)
        limits = np.log(controls.HEAD_DISTANCE_RANGE)
        chance = np.exp(generator.uniform(*limits, NUM_CHANCE))
        score = Score(
            float(abs(distance(clip) - aim)),
            float(np.abs(chance - aim).mean()),
            of_reference(reference, lambda r: abs(distance(r) - aim)),
        )
        return Measured(scores={"distance": score})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Blinks(VideoMetric):
    """How often the eyes close."""

    name = "blinks"
    rows = {
        "blinks": Row(title="Blinks", unit="per minute", floor=STILL, digits=1),
    }
    needs = Needs(face=True, num_frames=types.FRAME_RATE_HZ)

    def measure(
        self, clip: video_clip.Clip, reference: video_clip.Clip | None
    ) -> Measured:
        """Measure one clip."""

        def rate(one):
            count = curves.count_blinks(one.face.eye_aperture, one.face.present)
            return count / curves.minutes(one.face.present)

        score = Score(float(rate(clip)), 0.0, of_reference(reference, rate))
        return Measured(scores={"blinks": score})


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
            truth = np.roll(other.mouth_aperture, shift)
            mask = own.present & np.roll(other.present, shift)
            return float(curves.correlation(own.mouth_aperture, truth, mask, lag))

        best = curves.best_lag(
            own.mouth_aperture, other.mouth_aperture, own.present & other.present
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
        is_silent = voice_activity.silent_frames(clip.waveform)[: clip.facts.num_frames]
        if reference is not None:
            is_silent = is_silent[: reference.facts.num_frames]
        num_frames = len(is_silent)

        def aperture(one, meant):
            face = one.face.first(num_frames)
            return float(curves.masked_mean(face.mouth_aperture, face.present & meant))

        def share(one, meant):
            with np.errstate(divide="ignore", invalid="ignore"):
                return float(np.float64(aperture(one, meant)) / aperture(one, ~meant))

        if np.isnan(aperture(clip, is_silent)):
            return Measured(left_out="its sound holds no silence")
        shifted = np.roll(is_silent, num_frames // 2)
        scores = {}
        for key, find in (("silence", aperture), ("silence/share", share)):
            of_real = np.nan if reference is None else find(reference, is_silent)
            score = Score(find(clip, is_silent), find(clip, shifted), of_real)
            if np.isfinite(score.value):
                scores[key] = score
        return Measured(scores=scores)


def _main_gaze(clip: video_clip.Clip) -> np.ndarray:
    return clip_conditions.main_direction(clip.face.gaze[clip.face.present])
