"""How a portrait's light falls into its mouth, and what it shows of teeth already."""

import dataclasses

import numpy as np

from vasa_jax import types
from vasa_jax.portrait import sampling

CHEEKS = ((205, 187, 207, 216, 212), (425, 411, 427, 436, 432))
"""Landmarks beside the mouth, to the image's left and right."""

AROUND = (
    *(14, 15, 16, 17, 84, 85, 86, 314, 315, 316),
    *(0, 11, 12, 37, 72, 267, 302),
    *(164, 165, 167, 391, 393),
    *(18, 83, 199, 200, 201, 313, 421),
)
"""Landmarks of the lips and of the skin above and below them."""

LIT_SHARE = 0.8
"""Share of them that is darker than the light on the mouth. Ours: what is brightest is
lit, and neither beard nor lipstick; of 0.5 to 0.9 this told teeth best."""

UPPER_LIP, LOWER_LIP = 13, 14
"""Landmarks in the middle of the lips' inner edges."""

FLESH = np.array([1.10, 0.64, 0.63])
"""Ours: colour of gums and tongues beside white."""

SKIN = np.array([1.29, 0.92, 0.73])
"""Ours: colour of skin in white light, over its brightness."""

FULL_COLOUR = 0.3
"""Range of the skin's channels over its brightness in a picture of full colour. Ours:
below, teeth and tongue are as much paler, and grey in a greyscale picture."""

HALF_IMAGES = 0.667
"""Half images at scale 1 in a head unit. Follows: `mouths.PIXELS`."""

MOST_LIGHT = 245.0
"""Brightest channel of a tooth. Ours: the brighter one would be flat."""

LEAST_BRIGHTNESS, MOST_RED, BRIGHT_SHARE = 0.85, 1.02, 0.2
"""The brightest share of a mouth's inside is teeth where it is at least so many times
as bright as the skin, and at most so many times as red. Ours: tongues and lips are
redder; greyscale photographs keep a trace of colour from their files' coding."""

LIGHT, BRIGHTENING = 0.61, 12.5
"""How bright teeth are in a mouth that hardly opens, over those in a broad smile, and
how much brighter for each unit of the aperture's area, half images at scale 1, squared.
Ours: the least squares of 135 portraits that show teeth, together with the next two."""

TEETH, TEETH_OVER_LIT = 36.0, 1.06
"""Brightness of teeth in a broad smile: a part of its own, and one of the light on the
mouth. Ours: see `LIGHT`. They err by 32 levels of 255, and by 41 where cheeks tell the
light in place of what lies around the mouth (cross-validated)."""

MOST_OVER_SKIN = 2.0
"""How many times as bright as skin, or as the white of eyes, teeth are at most. Ours:
dark pictures have dark teeth."""

DIM = 0.9
"""Brightness of the white of eyes that are not seen over the skin's. Ours."""

TOOTH_DROP = 0.7
"""Teeth end where the picture is darker than so many times the teeth. Ours: by eye."""


@dataclasses.dataclass(frozen=True)
class MouthLight:
    """How the portrait's light falls into the mouth.

    Attributes:
        tooth: float64 `[3]` colour of a tooth in full light, 0 to 255.
        flesh: float64 `[3]` of gums and tongue in full light, 0 to 255.
        sideways: how much brighter the image's right side is, -0.5 to 0.5.
        colourful: 1 in a picture of full colour, 0 in a grey one.
        teeth_end: how far below the upper lip's edge the photographed upper teeth end,
            head units; None where the picture shows none.
    """

    tooth: np.ndarray
    flesh: np.ndarray
    sideways: float
    colourful: float
    teeth_end: float | None


def measure_light(
    picture: np.ndarray,
    landmarks: np.ndarray,
    inside: np.ndarray | None,
    unit: float,
    sclera: np.ndarray | None,
    own: np.ndarray,
) -> MouthLight:
    """Find how bright, and of what tint, teeth and tongue would be in this picture.

    Ours: of what lies in the full light of a broad smile; see `light_within`. Teeth
    that the picture shows are believed.

    Args:
        picture: `[H, W, 3]` in 0 to 255.
        landmarks: `[468, 2]` in its pixels, centres at integers.
        inside: bool `[H, W]` what lies between open lips; None where they are shut.
        unit: pixels of a head unit.
        sclera: `[3]` colour of the white of the eyes; None where none is seen.
        own: `[3]` colour of the person's teeth in white light, the largest 1.
    """
    sides = [_colours(picture, landmarks[list(side)]) for side in CHEEKS]
    skin = np.median(np.concatenate(sides), axis=0)
    left, right = (float(np.median(side @ types.LUMA)) for side in sides)
    if sclera is None:
        sclera = np.full(3, DIM * float(skin @ types.LUMA))
    colourful = min(np.ptp(skin) / max(skin @ types.LUMA, 1.0) / FULL_COLOUR, 1.0)
    around = _colours(picture, landmarks[list(AROUND)]) @ types.LUMA
    lit = float(np.quantile(around, LIT_SHARE))
    tooth, flesh = _expected_colours(skin, lit, sclera, own, colourful)
    photographed = (
        None if inside is None else _photographed_teeth(picture, inside, skin)
    )
    teeth_end = None
    if photographed is not None:
        tooth = photographed / light_within(_area(inside, unit))
        teeth_end = _teeth_end(picture, landmarks, inside, unit, photographed)
    tooth = tooth * min(1.0, MOST_LIGHT / tooth.max())
    sideways = np.clip((right - left) / max(left + right, 1.0), -0.5, 0.5)
    return MouthLight(tooth, flesh, float(sideways), float(colourful), teeth_end)


def light_within(area: float) -> float:
    """Return the light in a mouth whose aperture has an area; see `LIGHT`."""
    return min(1.0, LIGHT + BRIGHTENING * area)


def _area(inside, unit):
    """Return the area of pixels, half images at scale 1, squared."""
    return inside.sum() * (HALF_IMAGES / unit) ** 2


def _colours(picture, points):
    row, column = np.rint(points.T[::-1]).astype(int)
    row = row.clip(0, picture.shape[0] - 1)
    column = column.clip(0, picture.shape[1] - 1)
    return picture[row, column].astype(np.float64)


def _expected_colours(skin, lit, sclera, own, colourful):
    """Return the colours of teeth and flesh, `[3]` each; `lit` is the mouth's light."""
    brightness, white = (
        max(float(skin @ types.LUMA), 1.0),
        max(float(sclera @ types.LUMA), 1.0),
    )
    tint = np.clip(skin / brightness, 0.3, 1.8)
    cast = np.clip(sclera / white, 0.7, 1.3) ** 0.6 * (tint / SKIN) ** 0.3
    level = TEETH + TEETH_OVER_LIT * lit
    level = min(level, MOST_OVER_SKIN * max(brightness, lit, white))
    tooth = level * own**0.6 * cast
    flesh = np.clip(0.80 * brightness + 24, 25, 175) * FLESH * tint**0.4
    greys = [np.full(3, colour @ types.LUMA) for colour in (tooth, flesh)]
    return [
        grey + colourful * (colour - grey)
        for grey, colour in zip(greys, (tooth, flesh), strict=True)
    ]


def _photographed_teeth(picture, inside, skin):
    """Return the colour of teeth between the lips, `[3]`; None where there are none."""
    if not inside.any():
        return None
    seen = picture[inside].astype(np.float64)
    brightness = seen @ types.LUMA
    bright = seen[brightness >= np.quantile(brightness, 1 - BRIGHT_SHARE)]
    colour = np.median(bright, axis=0)
    is_bright = colour.mean() > LEAST_BRIGHTNESS * skin.mean()
    is_pale = colour[0] / colour.mean() <= MOST_RED * skin[0] / skin.mean()
    return colour if is_bright and is_pale else None


def _teeth_end(picture, landmarks, inside, unit, tooth):
    """Follow the teeth down from the upper lip's middle, head units."""
    start = landmarks[UPPER_LIP]
    down = landmarks[152] - landmarks[10]
    down = down / np.linalg.norm(down)
    across = np.array([down[1], -down[0]])
    depth = np.arange(0.0, 0.2, 0.004)
    brightness = picture.astype(np.float64) @ types.LUMA
    ends = []
    for aside in np.linspace(-0.06, 0.06, 9):
        line = start + unit * (aside * across + depth[:, None] * down)
        seen = sampling.bilinear(brightness, line)
        within = sampling.bilinear(inside.astype(np.float64), line)
        is_tooth = (seen > TOOTH_DROP * (tooth @ types.LUMA)) & (within > 0.5)
        if is_tooth.any():
            ends.append(depth[is_tooth].max())
    return float(np.median(ends)) if ends else None
