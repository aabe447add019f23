"""What decides the content of a set of moved portraits, and what each one does."""

import dataclasses

import numpy as np

from datasets.photo_heads.fit import photo_head
from datasets.photo_heads.records import portraits
from datasets.synthetic_heads.performance import performance, voices
from vasa_jax import config, errors, types

SPLITS = ("train", "validation")

NEAREST, FARTHEST = 0.85, 1.30
"""Distances of the camera. Ours: as the synthetic heads have them."""

LARGEST_OFFSET = 0.12
"""Of the head from the middle, half images. Ours: as the synthetic heads have it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Equal settings and equal pictures give equal records.

    Attributes:
        size: pixels of a side of the clips.
        seconds: length of a clip.
        seed: of all chance.
        num_takes: clips of a portrait. The first shows the untouched photograph, the
            second performs; the others exercise single expression weights in place of
            an emotion, with the photograph's own pose and framing. Ours: what turns of
            the head do is then no error beside which these weights count little.
        largest_cut: how long the picture's edge may cut through the head, in sides of
            the crop. Ours: cut hair ends in a straight line that moves.
        largest_yaw_degrees: of the portrait. Ours: beyond it the far side of the face
            is a few stretched pixels.
        min_pixels: least side of the crop in the picture. Ours: a picture that is
            enlarged more teaches blur.

    The last three hold for training people only: all kinds are to be measured.
    """

    size: int = 256
    seconds: float = 3.0
    seed: int = 0
    num_takes: int = 3
    largest_cut: float = 0.03
    largest_yaw_degrees: float = 30.0
    min_pixels: int = 192

    def __post_init__(self):
        config.require_within(
            self,
            seconds=(0.4, 60.0),
            size=(32, 1024),
            num_takes=(2, 64),
            largest_cut=(0.0, 2.0),
            largest_yaw_degrees=(0.0, 90.0),
            min_pixels=(16, 8192),
            seed=(0, 2**31 - 1),
        )
        if self.size % 16:
            raise errors.UserError(
                f"size is {self.size}; choose a multiple of 16, such as 256 or 512."
            )

    @property
    def num_frames(self) -> int:
        """Return the frames of a clip."""
        return round(self.seconds * types.FRAME_RATE_HZ)


@dataclasses.dataclass(frozen=True)
class Take:
    """One planned clip of a portrait.

    Attributes:
        clip_id, identity, split: names.
        number: of the take, 0 for the untouched photograph.
        view: how the camera frames the portrait.
        request: what is performed, None for the untouched photograph.
    """

    clip_id: str
    identity: str
    split: str
    number: int
    view: photo_head.View
    request: performance.Request | None = None


def takes_of(settings: Settings, portrait: portraits.Portrait) -> list[Take]:
    """Plan all takes of a portrait; they depend on its path and the settings alone."""
    seed = np.frombuffer(portrait.identity.encode("utf-8", "surrogateescape"), np.uint8)
    generator = np.random.default_rng([settings.seed, *seed.tolist()])
    emotions = generator.permutation(len(types.EMOTIONS))
    own = photo_head.View()
    takes = [Take(_name(portrait, 0), portrait.identity, portrait.split, 0, own)]
    for number in range(1, settings.num_takes):
        view = photo_head.View(
            float(np.exp(generator.uniform(np.log(NEAREST), np.log(FARTHEST)))),
            *np.clip(generator.normal(0, 0.05, 2), -LARGEST_OFFSET, LARGEST_OFFSET),
        )
        emotion = types.EMOTIONS[emotions[number % len(emotions)]]
        strength = 0.0 if emotion == "neutral" else generator.uniform(0.25, 1.0)
        exercises = number > 1
        request = performance.Request(
            seed=int(generator.integers(2**31)),
            num_frames=settings.num_frames,
            emotion="neutral" if exercises else emotion,
            emotion_strength=0.0 if exercises else float(strength),
            voice=voices.draw(generator, portrait.split),
            head_distance=1.0 if exercises else view.distance,
            exercises=exercises,
        )
        takes.append(
            Take(
                clip_id=_name(portrait, number),
                identity=portrait.identity,
                split=portrait.split,
                number=number,
                view=own if exercises else view,
                request=request,
            )
        )
    return takes


def _name(portrait: portraits.Portrait, take: int) -> str:
    return f"{portrait.identity}_take_{take:02d}"
