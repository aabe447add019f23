"""What a video shows: a portrait's crop, or the whole picture around it."""

import dataclasses
from collections.abc import Callable

import numpy as np

from vasa_jax.animate import backdrop, talking_face, whole_picture


@dataclasses.dataclass(frozen=True, kw_only=True)
class Canvas:
    """A portrait, and the frames that are made of its own.

    Attributes:
        portrait: to animate.
        height, width: of the frames shown, pixels.
        show: turns the portrait's frames `[n, size, size, C]` into those shown,
            `[n, height, width, C]`.
    """

    portrait: talking_face.Portrait
    height: int
    width: int
    show: Callable[[np.ndarray], np.ndarray]


def prepare(
    face: talking_face.TalkingFace,
    picture: np.ndarray,
    background: backdrop.Background | None = None,
    shows_whole_picture: bool = False,
    warn: Callable[[str], None] = lambda sentence: None,
) -> Canvas:
    """Find the portrait of a picture, and what is shown of it.

    Args:
        face: that animates it.
        picture: uint8 `[H, W, 3]`.
        background: what is to stand behind the person; None is the picture's own.
        shows_whole_picture: whether the whole picture is shown, with the face laid back
            into it, rather than the face's crop.
        warn: called with a sentence where something is worth knowing.

    Raises:
        UserError: as of `TalkingFace.locate`.
    """
    portrait = face.locate(picture, background)
    if portrait.warning:
        warn(portrait.warning)
    if not shows_whole_picture:
        size = face.image_size
        return Canvas(portrait=portrait, height=size, width=size, show=lambda x: x)
    whole = whole_picture.fit(picture, portrait.box)
    if background is not None and background.kind != "kept":
        whole, scene = whole_picture.stand_before(whole, portrait.scene, background)
        portrait = dataclasses.replace(portrait, scene=scene)
    height, width = whole.image.shape[:2]
    return Canvas(portrait=portrait, height=height, width=width, show=whole.with_faces)


def is_composite(
    background: backdrop.Background | None, shows_whole_picture: bool
) -> bool:
    """Return whether a generated face is laid into a picture; see `manifest.Claim`."""
    other_picture = background is not None and background.kind == "picture"
    return shows_whole_picture or other_picture
