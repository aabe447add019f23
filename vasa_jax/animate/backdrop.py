"""What stands behind the person: the portrait's own background, or another.

Ours: a decoder that paints the background along with the person leaves a ring around
every head that moves. Here the person is separated once a portrait, goes along with the
frame's own flow, and stands before a picture that keeps still.
"""

import dataclasses
import os
from typing import Literal

import jax.numpy as jnp
import numpy as np
import PIL.Image
import PIL.ImageFilter
from scipy import ndimage

from vasa_jax import config, media, types
from vasa_jax.errors import UserError
from vasa_jax.face import rendered_frame
from vasa_jax.portrait import background_fill, crop, person_mask

Kind = Literal["kept", "blurred", "picture", "transparent"]

NAMES: tuple[Kind, ...] = ("kept", "blurred", "transparent")
"""Of the backgrounds that need no picture."""

MARGIN = 0.012
"""How far around the person the background is filled anew, share of the side. Ours:
what is filled is blurred, so no more than edges of hair need."""

BLUR = 0.025
"""Standard deviation of the blur, share of the picture's side. Ours: things behind can
no longer be told, light and colours can."""

THINNEST_STILL = 0.04
"""Width from which what keeps still of a person stays, share of the side. Ours:
so that cut edges of hair do not, by eye on nine portraits."""

STILL_BEHIND = 0.05
"""How far it goes on behind what moves, share of the side. Ours: no
gap was left between shoulder and neck, by eye on three portraits that had one."""

REACH, SEAM = 1 / 8, 1 / 32
"""How far around the crop the person is cut out, and the width inside the crop's border
over which the person of the crop gives way to that of the wider view, shares of the
crop's side. Ours: heads seldom move further; hair that the crop had cut came as streaks
or flat, by eye on six portraits."""

FACE, LEAST_FACE = 0.25, 0.9
"""Side of a square about the crop's centre, share of the crop's, and the least share of
it that must be person. Ours: cheeks and forehead lie around it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Background:
    """What is asked to stand behind the person.

    Attributes:
        kind: `kept` is the portrait's own, which then keeps still; `blurred` the same,
            blurred; `picture` another; `transparent` nothing, in frames with alpha.
        picture: uint8 `[H, W, 3]`, for `picture` alone; cut to the frame's shape.
    """

    kind: Kind = "kept"
    picture: np.ndarray | None = None

    @property
    def is_transparent(self) -> bool:
        """Whether frames have an alpha channel."""
        return self.kind == "transparent"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scene:
    """A person separated from the background, and what stands behind instead.

    Attributes:
        person: float32 `[H, W]`, share of each pixel that shows the person.
        backdrop: uint8 `[H, W, 3]`, what stands behind; None is nothing, frames then
            have alpha.
        cutout: of `cut_out`; None ends the person with the portrait.
    """

    person: np.ndarray
    backdrop: np.ndarray | None
    cutout: np.ndarray | None = None


def parse_background(text: str) -> Background:
    """Read a background that was asked for in words.

    Args:
        text: one of `NAMES`, or the file of a picture.

    Raises:
        UserError: neither, or a picture that cannot be read.
    """
    if text in NAMES:
        return Background(kind=text)
    if not os.path.exists(text):
        raise UserError(
            f"The background is {text!r}; give {', '.join(NAMES)}, or the file of a "
            "picture."
        )
    return Background(kind="picture", picture=media.read_image(text))


def around(picture: np.ndarray, box: crop.CropBox, size: int) -> np.ndarray:
    """Cut a portrait out of a picture with what lies around it.

    Args:
        picture: uint8 `[H, W, 3]`.
        box: the portrait's.
        size: its side, pixels.

    Returns:
        uint8 `[P, P, 3]`, P by twice `REACH` greater than the size; pixels are as large
        as the portrait's, and those in the middle are its own.
    """
    margin = round(REACH * size)
    wider = box.half_size * (1 + 2 * margin / size)
    wider = dataclasses.replace(box, half_size=wider)
    return crop.extract(picture, wider, size + 2 * margin)


def set_scene(
    image: np.ndarray,
    background: Background,
    is_possible: bool = True,
    seen_around: np.ndarray | None = None,
) -> Scene | None:
    """Tell the person of a portrait from the background, and choose what is behind.

    Ours: where the face itself is not found to be the person, as in some paintings, the
    portrait's own background is left to the model.

    Args:
        image: uint8 `[size, size, 3]`, cut by the one crop definition.
        background: what is asked for.
        is_possible: whether the model can use it.
        seen_around: of `around`; None ends the person with the portrait.

    Returns:
        The scene; None leaves the background to the model.

    Raises:
        UserError: another background is asked for than the portrait's own, and there
            can be none.
    """
    if not is_possible:
        config.require(
            background.kind == "kept",
            "This checkpoint paints the background along with the person; leave "
            "--background out, or take another checkpoint.",
        )
        return None
    person = person_mask.person_mask(image)
    if not _holds_face(person):
        return None if background.kind == "kept" else change(image, None, background)
    cutout = None if seen_around is None else cut_out(image, person, seen_around)
    return Scene(
        person=person, backdrop=behind(image, person, background), cutout=cutout
    )


def cut_out(image: np.ndarray, person: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Cut out a person that goes on beyond the portrait.

    Ours: a head that moves shows hair that the crop had cut.

    Args:
        image: uint8 `[size, size, 3]`, the portrait.
        person: float32 `[size, size]`, share of each of its pixels.
        seen: uint8 `[P, P, 3]` of `around`.

    Returns:
        uint8 `[P, P, 4]`: the person's colours, which go on beyond it, and its share.
    """
    size = len(image)
    margin = (len(seen) - size) // 2
    inner = slice(margin, margin + size)
    pixels, share = seen.copy(), person_mask.person_mask(seen)
    pixels[inner, inner] = image
    inwards = np.minimum(np.arange(size), np.arange(size)[::-1])
    weight = np.clip(inwards / (SEAM * size), 0, 1)
    weight = np.minimum(weight, weight[:, None])
    share[inner, inner] += weight * (person - share[inner, inner])
    return _with_share(pixels, share)


def _with_share(image, share):
    """Return a person's colours, which go on beyond it, with its share `[H, W, 4]`."""
    colours = background_fill.spread_person(image, share)
    share = np.rint(255 * share).astype(np.uint8)
    return np.concatenate([colours, share[..., None]], axis=-1)


def change(image: np.ndarray, scene: Scene | None, background: Background) -> Scene:
    """Return a portrait's scene with another background.

    Args:
        image: uint8 `[H, W, 3]`, the portrait.
        scene: as it was; None where there is none.
        background: what is asked for.

    Raises:
        UserError: there is no scene.
    """
    if scene is None:
        raise UserError(
            "The person cannot be told from the background of this picture; leave the "
            "background as it is, or give a clearer picture."
        )
    return dataclasses.replace(scene, backdrop=behind(image, scene.person, background))


def shown(image: np.ndarray, scene: Scene | None) -> np.ndarray:
    """Return a portrait as its frames show it: uint8 `[H, W, 3]`, or 4 with alpha.

    Args:
        image: uint8 `[H, W, 3]`, the portrait.
        scene: what stands behind; None is the portrait's own.
    """
    if scene is None:
        return image
    share = scene.person[..., None]
    if scene.backdrop is None:
        alpha = np.rint(255 * share).astype(np.uint8)
        return np.concatenate([image, alpha], axis=-1)
    behind_it = scene.backdrop.astype(np.float32)
    return np.rint(behind_it + share * (image - behind_it)).astype(np.uint8)


def behind(
    image: np.ndarray, person: np.ndarray, background: Background
) -> np.ndarray | None:
    """Return what stands behind a person: uint8 `[H, W, 3]`, or None for nothing.

    Args:
        image: uint8 `[H, W, 3]`.
        person: float32 `[H, W]`, share of each pixel that shows the person.
        background: what is asked for.
    """
    if background.is_transparent:
        return None
    if background.picture is not None:
        return _cover(background.picture, *person.shape)
    is_picture = np.ones(person.shape, bool)
    filled, _ = background_fill.fill_background(image, person, is_picture, MARGIN)
    filled = np.clip(np.rint(filled), 0, 255).astype(np.uint8)
    if background.kind == "blurred":
        blur = PIL.ImageFilter.GaussianBlur(BLUR * max(person.shape))
        filled = np.asarray(PIL.Image.fromarray(filled).filter(blur))
    return filled


def place(
    latents: types.FaceLatents, image: np.ndarray, scene: Scene
) -> types.FaceLatents:
    """Let an encoded portrait stand before its backdrop; see `types.PortraitPixels`.

    Args:
        latents: of the portrait, leading shape `[1]`.
        image: uint8 `[H, W, 3]`, the portrait.
        scene: of the same size.
    """
    cutout = scene.cutout
    if cutout is None:
        cutout = _with_share(image, scene.person)
    seen = np.square(np.float32(cutout) / 255)
    pixels = latents.pixels.replace(person=jnp.asarray(seen[None]))
    nothing = np.zeros(scene.person.shape, np.float32)
    return _stand_behind(latents.replace(pixels=pixels), image, nothing, scene)


def keep_still(
    latents: types.FaceLatents, image: np.ndarray, scene: Scene, still_share: np.ndarray
) -> types.FaceLatents:
    """Let what keeps still of the person stand in the backdrop.

    Ours: frames lay no person where the flow keeps still, since a head that has moved
    would stay there as well. Shoulders that the flow takes for background were gone
    with it. Edges of hair that it cuts are thinner, and stay with the person.

    Args:
        latents: of `place`.
        image: uint8 `[H, W, 3]`, the portrait.
        scene: of the same size.
        still_share: `[h, w]`, how far each place of the portrait itself keeps still.
    """
    height, width = scene.person.shape
    shares = PIL.Image.fromarray(np.float32(still_share))
    shares = shares.resize((width, height), PIL.Image.Resampling.BILINEAR)
    still = scene.person * (1 - rendered_frame.moving(np.asarray(shares)))
    reach = round(THINNEST_STILL * height)
    still = np.minimum(still, ndimage.grey_opening(still, (reach, reach)))
    colours = background_fill.spread_person(image, still)
    reach = 2 * round(STILL_BEHIND * height) + 1
    still = np.minimum(scene.person, ndimage.grey_dilation(still, (reach, reach)))
    return _stand_behind(latents, colours, still, scene)


def _stand_behind(latents, colours, share, scene):
    """Put the scene's backdrop behind the person, some colours over it by a share."""
    over = np.asarray(colours, np.float32)
    if scene.backdrop is None:
        behind_all = np.concatenate([over / 127.5 - 1, share[..., None]], axis=-1)
    else:
        under = scene.backdrop.astype(np.float32)
        behind_all = (under + share[..., None] * (over - under)) / 127.5 - 1
    pixels = latents.pixels.replace(backdrop=jnp.asarray(behind_all[None]))
    return latents.replace(pixels=pixels)


def _holds_face(person):
    """Return whether the middle of a face counts as person."""
    size = len(person)
    first, last = round(size * (1 - FACE) / 2), round(size * (1 + FACE) / 2)
    return person[first:last, first:last].mean() > LEAST_FACE


def _cover(picture, height, width):
    """Cut a picture to a shape, about its centre, as large as it fits."""
    rows, columns = picture.shape[:2]
    scale = min(rows / height, columns / width)
    box = (
        (columns - scale * width) / 2,
        (rows - scale * height) / 2,
        (columns + scale * width) / 2,
        (rows + scale * height) / 2,
    )
    resized = PIL.Image.fromarray(picture).resize(
        (width, height), PIL.Image.Resampling.LANCZOS, box
    )
    return np.asarray(resized)
