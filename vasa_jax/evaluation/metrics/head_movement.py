"""Metrics of how head and eyes move, from poses re-estimated on the frames."""

import dataclasses

import einops
import numpy as np

from vasa_jax import types
from vasa_jax.animate import controls
from vasa_jax.encode import clip_conditions
from vasa_jax.evaluation.benchmark import video_clip
from vasa_jax.evaluation.metrics import curves
from vasa_jax.evaluation.metrics.definition import (
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
            title="Deviation of head pose in time", unit="degrees", floor=STILL
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
            float(direction_error(_main_gaze(clip), aim)),
            float(direction_error(chance, aim).mean()),
            of_reference(reference, lambda r: direction_error(_main_gaze(r), aim)),
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
            count = curves.count_blinks(one.face.eye_opening, one.face.present)
            return count / curves.minutes(one.face.present)

        score = Score(float(rate(clip)), 0.0, of_reference(reference, rate))
        return Measured(scores={"blinks": score})


def direction_error(gaze: np.ndarray, aim: np.ndarray) -> np.ndarray:
    """Return the angle between directions.

    Args:
        gaze, aim: `[..., 2]` yaw and pitch, radians.

    Returns:
        float64 `[...]`, degrees.
    """
    a, b = _unit(gaze), _unit(aim)
    away = np.linalg.norm(a - b, axis=-1)
    return np.degrees(2 * np.arcsin(np.clip(away / 2, 0, 1)))


def _unit(gaze: np.ndarray) -> np.ndarray:
    yaw, pitch = np.moveaxis(np.asarray(gaze, np.float64), -1, 0)
    parts = np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)
    return np.stack(parts, axis=-1)


def _main_gaze(clip: video_clip.Clip) -> np.ndarray:
    return clip_conditions.main_direction(clip.face.gaze[clip.face.present])
