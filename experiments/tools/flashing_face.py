"""A face without models that is as bright as its sound is loud, to time a live page.

Ours: sound and picture that left together can be told apart by nothing else at the
other end; it hears and renders in steps as `TalkingFace` does.
"""

import copy
import time
from collections.abc import Iterable, Iterator

import numpy as np

from vasa_jax import types
from vasa_jax.animate import backdrop, talking_face
from vasa_jax.animate.controls import Controls
from vasa_jax.portrait import crop

LOOK_AHEAD_FRAMES = 10
"""Frames that must have been heard beyond those that are made, as with `demo`."""


class FlashingFace:
    """What `live.sessions.Sessions` uses of a `TalkingFace`."""

    def __init__(
        self,
        image_size: int = 64,
        render_seconds: float = 0.0,
        step_seconds: float = 0.0,
    ):
        """Prepare.

        Args:
            image_size: side of the frames, pixels.
            render_seconds: that each frame takes, as if it were dear.
            step_seconds: that each step takes.
        """
        self.image_size = image_size
        self._render_seconds, self._step_seconds = render_seconds, step_seconds

    def locate(self, image: np.ndarray) -> talking_face.Portrait:
        """Take any picture for a portrait, with the face in its middle."""
        black = np.zeros((self.image_size, self.image_size, 3), np.uint8)
        pose = types.HeadPose(
            rotation=np.zeros((1, 3), np.float32),
            translation=np.zeros((1, 2), np.float32),
            scale=np.ones((1, 1), np.float32),
        )
        height, width = image.shape[:2]
        quarter = min(height, width) / 4
        box = crop.CropBox(center_x=width / 2, center_y=height / 2, half_size=quarter)
        return talking_face.Portrait(image=black, head_pose=pose, box=box)

    def stream(
        self, portrait: talking_face.Portrait, controls: Controls
    ) -> "FlashingStream":
        """Begin at time 0."""
        motion = FlashingMotion(self._step_seconds)
        return FlashingStream(portrait, self._render_seconds, motion)


class FlashingMotion:
    """Loudness of each frame and its nod, `[n, 2]`, once what follows it was heard.

    Attributes:
        controls: what was asked for last.
    """

    def __init__(self, step_seconds: float):
        """Begin at time 0."""
        self.controls = Controls()
        self._heard = np.zeros(0, np.float32)
        self._step_seconds = step_seconds

    def push(self, samples: np.ndarray) -> Iterator[np.ndarray]:
        """Take samples, and give what was waited for."""
        time.sleep(self._step_seconds)
        self._heard = np.concatenate([self._heard, samples])
        frames = len(self._heard) // types.SAMPLES_PER_FRAME - LOOK_AHEAD_FRAMES
        count = max(frames, 0) * types.SAMPLES_PER_FRAME
        ready, self._heard = self._heard[:count], self._heard[count:]
        if count:
            frames = ready.reshape(-1, types.SAMPLES_PER_FRAME)
            loudness = np.abs(frames).max(axis=1)
            yield np.stack([loudness, np.zeros_like(loudness)], axis=1)

    def check(self, controls: Controls) -> None:
        """Refuse nothing."""

    def set_controls(self, controls: Controls) -> None:
        """Remember what was asked for."""
        self.controls = controls

    def copy(self) -> "FlashingMotion":
        """Return a stream that goes on from here by itself."""
        return copy.copy(self)

    def unhear(self, num_samples: int) -> None:
        """Take the latest samples for silence."""
        if num_samples < 0:
            raise ValueError(f"{num_samples} samples cannot be unheard")
        kept = max(0, len(self._heard) - num_samples)
        self._heard = np.where(np.arange(len(self._heard)) < kept, self._heard, 0)


class FlashingStream:
    """Frames as bright as they are loud; full scale is white."""

    def __init__(
        self,
        portrait: talking_face.Portrait,
        render_seconds: float,
        motion: FlashingMotion,
    ):
        """Begin at time 0."""
        self.motion = motion
        self._portrait, self._render_seconds = portrait, render_seconds

    def render(self, motion: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Render loudness, the first of `[n, 2]`, as flat frames before the scene."""
        image, scene = self._portrait.image, self._portrait.scene
        for piece in motion:
            time.sleep(self._render_seconds * len(piece))
            levels = np.clip(piece[:, 0] * 255, 0, 255).astype(np.uint8)
            flat = [np.full_like(image, level) for level in levels]
            yield np.stack([backdrop.shown(frame, scene) for frame in flat])
