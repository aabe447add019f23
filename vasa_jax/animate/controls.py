"""What a user may ask of a talking face, checked before anything is computed."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from vasa_jax import types
from vasa_jax.animate import curves
from vasa_jax.animate.curves import Control
from vasa_jax.errors import UserError

MAX_GAZE_DEGREES = (25.0, 15.0)
"""Ours: yaw and pitch to each side, as far as the main gazes of the synthetic heads go
that checkpoints are trained on."""

HEAD_DISTANCE_RANGE = (0.85, 1.3)
"""Ours: the distances of the synthetic heads that checkpoints are trained on; beyond
them heads stay near the ends of this range (measured: 0.81 for 0.5, 1.35 for 2)."""

MAX_POSE_SCALE = 2.0
"""Ours: twice the natural movement is already a caricature."""

LIVELINESS_RANGE = (0.3, 3.0)
"""Ours: the liveliness of nine in ten training heads, over what goes with their
voice."""

MAX_POSE_OFFSET_DEGREES = (20.0, 15.0, 15.0)
"""Ours: yaw, pitch and roll to each side, about as far as the training heads move from
where they face; movement comes on top."""

MAX_MOUTH_SCALE = 2.0
"""Ours: twice as far as a voice opens a mouth is a caricature."""

MAX_BLINK_RATE = 60.0
"""Blinks a minute. Ours: one a second is more than people do."""

MAX_GUIDANCE = 10.0
"""Ours: the paper goes to 2; far beyond it motion leaves what training has seen."""


STEERING = (
    *("gaze", "head_distance", "emotion", "liveliness"),
    *("audio_guidance", "gaze_guidance", "num_steps", "step_frames"),
)
"""Fields of `Controls` that steer motion as it is generated; the others edit it."""

BEGINNING = np.zeros(1)
"""The time of the first frame, seconds."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Controls:
    """The settings of one animation.

    What is said of a number below holds for every value of a `curves.Curve`, too, which
    may take its place. Gaze, distance, emotion, liveliness and guidance steer a window
    as it is generated, each by its mean over the window's time.

    Attributes:
        seed: of all randomness; the same seed gives the same frames on a machine.
        num_steps: of the diffusion sampler, 1 to the model's S; None takes the
            checkpoint's own default. Paper: 50.
        audio_guidance: 0 to 10. Paper: 0.5.
        gaze_guidance: 0 to 10. Paper: 1.0.
        gaze: (yaw, pitch) in degrees, camera frame: yaw > 0 to the right side of the
            image, pitch > 0 down; within 25 and 15. Paper: forward. Ours: where motion
            is shaped, from where the portrait looks.
        head_distance: 1 is the portrait's framing, 1.2 a fifth farther; 0.85 to 1.3.
            Paper: the mean distance.
        emotion: strength 0 to 1 by name of `types.EMOTIONS`; `neutral`, of any
            strength, asks for a face without emotion. Paper: empty, so that the voice
            alone decides.
        liveliness: how far the head moves within seconds, over what goes with the
            voice; 0.3 to 3. # ours: people who say the same differ as much.
        pose_scale: strength of the head's movement, 0 still, 1 as generated, up to 2.
            # ours, and all below: users ask for it; see `motion_edits`.
        pose_offset: (yaw, pitch, roll) in degrees by which the head is turned further,
            signs of `types`; within 20, 15 and 15. The eyes turn along.
        mouth_scale: how far jaw and lips move, 0 still, 1 as generated, up to 2.
        brow_offset: -1 lowers the brows, 1 raises them as far as people do.
        smile_offset: -1 draws the mouth's corners down, 1 up.
        blink_rate: blinks a minute, 0 to 60; None leaves them as generated.
        step_frames: frames that each window of the denoiser contributes, K to W of the
            checkpoint, all of which training has met (`motion.conditions`); None is W,
            whole windows, or 25 where a curve steers windows. # ours: with fewer, a
            stream answers sooner, follows curves faster, knows less ahead and computes
            more.
    """

    seed: int = 0
    num_steps: int | None = None
    audio_guidance: Control = 0.5
    gaze_guidance: Control = 1.0
    gaze: tuple[Control, Control] = (0.0, 0.0)
    head_distance: Control = 1.0
    emotion: Mapping[str, Control] = dataclasses.field(default_factory=dict)
    liveliness: Control = 1.0
    pose_scale: Control = 1.0
    pose_offset: tuple[Control, Control, Control] = (0.0, 0.0, 0.0)
    mouth_scale: Control = 1.0
    brow_offset: Control = 0.0
    smile_offset: Control = 0.0
    blink_rate: Control | None = None
    step_frames: int | None = None

    def __post_init__(self):
        """Refuse what is out of range, with the range."""
        if not 0 <= self.seed < 2**32:
            raise UserError(f"seed is {self.seed}; give a whole number, 0 to 2^32 - 1.")
        if self.num_steps is not None and self.num_steps < 1:
            raise UserError(f"num_steps is {self.num_steps}; give at least 1.")
        _check_range("audio_guidance", self.audio_guidance, 0.0, MAX_GUIDANCE)
        _check_range("gaze_guidance", self.gaze_guidance, 0.0, MAX_GUIDANCE)
        _check_angles("gaze", self.gaze, ("yaw", "pitch"), MAX_GAZE_DEGREES)
        _check_angles(
            "pose_offset",
            self.pose_offset,
            ("yaw", "pitch", "roll"),
            MAX_POSE_OFFSET_DEGREES,
        )
        _check_range(
            "head_distance (--distance)", self.head_distance, *HEAD_DISTANCE_RANGE
        )
        _check_range("liveliness", self.liveliness, *LIVELINESS_RANGE)
        _check_range("pose_scale", self.pose_scale, 0.0, MAX_POSE_SCALE)
        _check_range("mouth_scale", self.mouth_scale, 0.0, MAX_MOUTH_SCALE)
        _check_range("brow_offset", self.brow_offset, -1.0, 1.0)
        _check_range("smile_offset", self.smile_offset, -1.0, 1.0)
        if self.blink_rate is not None:
            _check_range("blink_rate", self.blink_rate, 0.0, MAX_BLINK_RATE)
        for name, strength in self.emotion.items():
            if name not in types.EMOTIONS:
                raise UserError(
                    f"There is no emotion '{name}'; choose among "
                    f"{', '.join(types.EMOTIONS)}."
                )
            _check_range(f"the strength of {name}", strength, 0.0, 1.0)

    @property
    def steering(self) -> tuple[str, ...]:
        """Fields that are asked for and count only while motion is generated."""
        usual = Controls()
        return tuple(
            name for name in STEERING if getattr(self, name) != getattr(usual, name)
        )

    @property
    def has_steering_curve(self) -> bool:
        """Whether what steers windows as they are generated changes over time."""
        steering = (
            *(self.audio_guidance, self.gaze_guidance, self.head_distance),
            *(self.liveliness, *self.gaze, *self.emotion.values()),
        )
        return any(isinstance(one, curves.Curve) for one in steering)

    @property
    def edits_face(self) -> bool:
        """Whether what the face shows is edited after it was generated."""
        offsets = self.brow_offset, self.smile_offset
        return (
            self.mouth_scale != 1
            or any(one != 0 for one in offsets)
            or self.blink_rate is not None
        )

    def gaze_vector(self, seconds: np.ndarray = BEGINNING) -> np.ndarray:
        """Return the gaze as the denoiser takes it, `[1, 2]` radians.

        Args:
            seconds: of the window's frames, as in all of these.
        """
        gaze = [curves.mean_over(one, seconds) for one in self.gaze]
        return np.radians(np.array([gaze], np.float32))

    def distance_vector(self, seconds: np.ndarray = BEGINNING) -> np.ndarray:
        """Return the head's distance as the denoiser takes it, `[1, 1]`."""
        return np.array([[curves.mean_over(self.head_distance, seconds)]], np.float32)

    def emotion_vector(self, seconds: np.ndarray = BEGINNING) -> np.ndarray:
        """Return a score for each class of `types.EMOTIONS`, `[1, 8]`."""
        shown = {**self.emotion, "neutral": 0.0}
        scores = [
            curves.mean_over(shown.get(name, 0.0), seconds) for name in types.EMOTIONS
        ]
        return np.array([scores], np.float32)


def parse_gaze(text: str) -> tuple[float, float]:
    """Read "yaw,pitch" in degrees.

    Raises:
        UserError: not two numbers with a comma between.
    """
    return _parse_angles(
        "gaze", text, 2, "give yaw and pitch in degrees, such as 10,-5."
    )


def parse_pose_offset(text: str) -> tuple[float, float, float]:
    """Read "yaw,pitch,roll" in degrees.

    Raises:
        UserError: not three numbers with commas between.
    """
    return _parse_angles(
        "pose_offset", text, 3, "give yaw, pitch and roll in degrees, such as 10,-5,0."
    )


def _parse_angles(name: str, text: str, count: int, cure: str) -> tuple[float, ...]:
    numbers = _numbers(text.split(","))
    if numbers is None or len(numbers) != count:
        raise UserError(f"{name} is '{text}'; {cure}")
    return tuple(numbers)


def parse_emotion(text: str) -> dict[str, float]:
    """Read "happiness" or "happiness:0.7,surprise:0.3"; "" is no emotion.

    Raises:
        UserError: a strength is no number, or a name comes twice.
    """
    emotion: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, colon, strength = part.partition(":")
        numbers = _numbers([strength if colon else "1"])
        if numbers is None:
            raise UserError(
                f"emotion has '{part}'; give a name and a strength from 0 to 1, such "
                "as happiness:0.7."
            )
        if name in emotion:
            raise UserError(f"emotion names {name} twice; give each name once.")
        emotion[name] = numbers[0]
    return emotion


def _numbers(texts: Sequence[str]) -> list[float] | None:
    try:
        return [float(text) for text in texts]
    except ValueError:
        return None


def _check_angles(
    name: str,
    angles: Sequence[Control],
    parts: Sequence[str],
    limits: Sequence[float],
) -> None:
    if len(angles) != len(parts):
        *first, last = parts
        raise UserError(
            f"{name} has {len(angles)} numbers; give {len(parts)}, "
            f"{', '.join(first)} and {last} in degrees."
        )
    for part, control, limit in zip(parts, angles, limits, strict=True):
        _check_range(f"{name} {part} (degrees)", control, -limit, limit)


def _check_range(name: str, control: Control, low: float, high: float) -> None:
    points = [("", control)]
    if isinstance(control, curves.Curve):
        points = [
            (f" at {seconds:g} s", value)
            for seconds, value in zip(control.seconds, control.values, strict=True)
        ]
    for where, value in points:
        if not (math.isfinite(value) and low <= value <= high):
            raise UserError(
                f"{name}{where} is {value:g}; give a number from {low:g} to {high:g}."
            )
