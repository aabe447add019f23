"""An identity's colours and painted skin."""

import dataclasses

import numpy as np

from datasets.synthetic_heads.person import eye_paint, geometry, head, skin
from datasets.synthetic_heads.rendering import backgrounds

SKIN_TONES = np.array(
    [
        [0.93, 0.79, 0.71],
        [0.87, 0.70, 0.60],
        [0.79, 0.62, 0.50],
        [0.69, 0.52, 0.40],
        [0.54, 0.39, 0.30],
        [0.40, 0.28, 0.21],
        [0.30, 0.205, 0.155],
    ],
    np.float32,
)
"""sRGB from light to dark. Ours: between the ends of the Fitzpatrick scale."""

HAIR_COLOURS = np.array(
    [
        [0.10, 0.085, 0.08],
        [0.18, 0.13, 0.10],
        [0.30, 0.20, 0.13],
        [0.45, 0.32, 0.19],
        [0.68, 0.54, 0.34],
        [0.45, 0.21, 0.11],
        [0.56, 0.55, 0.54],
    ],
    np.float32,
)
IRIS_COLOURS = np.array(
    [
        [0.26, 0.16, 0.09],
        [0.37, 0.24, 0.13],
        [0.35, 0.44, 0.52],
        [0.40, 0.52, 0.64],
        [0.37, 0.45, 0.31],
        [0.45, 0.47, 0.47],
    ],
    np.float32,
)

TEETH_COLOURS = np.array(
    [
        [0.98, 0.92, 0.89],
        [0.96, 0.88, 0.82],
        [0.93, 0.83, 0.74],
        [0.88, 0.76, 0.65],
    ],
    np.float32,
)
"""sRGB from bleached to yellow. Ours: as photographs show them, with the pink that lips
and gums lend."""

_LIPSTICKS = np.array(
    [
        [0.66, 0.38, 0.38],
        [0.60, 0.40, 0.33],
        [0.70, 0.16, 0.18],
        [0.42, 0.12, 0.18],
        [0.80, 0.40, 0.34],
        [0.78, 0.34, 0.46],
    ],
    np.float32,
)
"""sRGB. Ours: rose, brown, red, berry, coral, pink."""

_LIPSTICK_SHARE, _PALE_LIPS_SHARE, _STUBBLE_SHARE, _MASCARA_SHARE = 0.35, 0.2, 0.4, 0.4
"""Shares of women with lipstick, of others with pale lips, of men who are shaven with
stubble, of women with darker lashes. Ours: common enough to be learnt."""


@dataclasses.dataclass(frozen=True)
class Appearance:
    """How an identity looks; colours are sRGB in [0, 1], float64 `[3]`.

    Attributes:
        skin_texture: uint8 `[H, W, 3]` sRGB, azimuth across, height down.
        hair, iris, lips: colours.
        cloth, cloth_trim: the garment's two colours.
        cloth_pattern: 0 plain, 1 stripes, 2 checks, 3 speckles.
        cloth_frequency: stripes a mesh unit.
        neckline: height of the garment's edge, mesh units.
        neckline_depth: how much deeper it is in front.
        collar: width of the trim along the edge, mesh units.
        lashes: colour.
        frame, hat: colours of glasses and hat.
        teeth: colour.
        gloss: factor of the skin's shine.
        is_bald: whether the scalp is skin.
    """

    skin_texture: np.ndarray
    hair: np.ndarray
    iris: np.ndarray
    lips: np.ndarray
    cloth: np.ndarray
    cloth_trim: np.ndarray
    cloth_pattern: int
    cloth_frequency: float
    neckline: float
    neckline_depth: float
    collar: float
    lashes: np.ndarray
    frame: np.ndarray
    hat: np.ndarray
    teeth: np.ndarray
    gloss: float
    is_bald: bool


def random_appearance(
    generator: np.random.Generator, shape: geometry.HeadGeometry
) -> Appearance:
    """Draw colours that suit the identity's traits, and paint its skin.

    Ours: tones follow ancestry and age with enough spread that no trait decides.
    """
    traits = shape.traits
    # A child of its own, so that what was drawn before it existed stays the same.
    extras = generator.spawn(1)[0]
    african, asian, _ = traits.ancestry
    darkness = 0.85 * african + 0.22 * asian + generator.normal(0.04, 0.08)
    tone = _blend(SKIN_TONES, darkness)
    tone = np.clip(tone * (1 + generator.normal(0.0, 0.02, 3)), 0.0, 1.0)
    hair = _hair_colour(generator, traits)
    irises = [0.5, 0.35, 0.05, 0.03, 0.04, 0.03]
    if darkness < 0.3:
        irises = [0.15, 0.25, 0.2, 0.2, 0.12, 0.08]
    iris = IRIS_COLOURS[generator.choice(6, p=irises)]
    redness = generator.uniform(0.2, 1.0)
    lips = tone * (1 - redness * np.array([0.06, 0.30, 0.24]))
    if not traits.is_male and generator.random() < 0.3:
        stick = np.array([0.62, 0.20, 0.22]) * generator.uniform(0.7, 1.1)
        lips = lips + (stick - lips) * generator.uniform(0.2, 0.7)
    cloth = backgrounds.muted_colour(generator, 0.05, 0.75)
    trim = np.clip(cloth * generator.uniform(0.55, 1.35) + 0.03, 0.0, 1.0)
    beard = 0.0
    if traits.is_male and generator.random() < 0.7:
        beard = float(np.clip(generator.normal(0.25, 0.3), 0.0, 0.85))
    paint = skin.SkinPaint(
        tone=tone,
        hair=hair,
        beard=beard,
        stubble=_random_stubble(extras, traits, beard),
        eyes=eye_paint.random_eye_paint(extras, traits),
        traits=traits,
    )
    lips = _vary_lips(extras, lips, tone, traits)
    darkening = _random_mascara(extras, traits)
    return Appearance(
        skin_texture=skin.paint_skin(generator, paint),
        hair=np.asarray(hair, np.float64),
        iris=np.asarray(iris, np.float64),
        lips=np.clip(lips, 0.02, 1.0).astype(np.float64),
        cloth=cloth,
        cloth_trim=trim,
        cloth_pattern=int(generator.choice(4, p=[0.55, 0.2, 0.1, 0.15])),
        cloth_frequency=float(generator.uniform(2.0, 9.0)),
        neckline=float(5.66 + generator.uniform(-0.15, 0.15)),
        neckline_depth=float(generator.choice([0.05, 0.28, 0.45])),
        collar=float(generator.choice([0.0, 0.05, 0.12])),
        lashes=tone
        * (0.30 if traits.is_male else generator.uniform(0.08, 0.3))
        * darkening,
        frame=backgrounds.muted_colour(generator, 0.03, 0.35),
        hat=backgrounds.muted_colour(generator, 0.06, 0.6),
        teeth=teeth_colour(extras, traits),
        gloss=float(generator.uniform(0.4, 1.6)),
        is_bald=shape.style.name == "bald",
    )


def _random_stubble(generator, traits, beard):
    """Return how dark the shaven beard shows, 0 for women and the bearded."""
    has_stubble = generator.random() < _STUBBLE_SHARE
    strength = generator.uniform(0.25, 1.0)
    is_shaven = traits.is_male and beard < 0.2
    return float(strength) if has_stubble and is_shaven else 0.0


def _random_mascara(generator, traits):
    """Return a factor of the lashes' lightness."""
    factor = generator.uniform(0.2, 0.6)
    is_worn = generator.random() < _MASCARA_SHARE and not traits.is_male
    return float(factor) if is_worn else 1.0


def _vary_lips(generator, lips, tone, traits):
    """Return lips `[3]` of another tint, pale, or under lipstick."""
    lips = lips * (1 + generator.normal(0.0, 0.035, 3))
    kind, amount = generator.random(), generator.uniform(0.25, 0.85)
    stick = _LIPSTICKS[generator.choice(len(_LIPSTICKS))] * generator.uniform(0.8, 1.15)
    if not traits.is_male and kind < _LIPSTICK_SHARE:
        return lips + (stick - lips) * amount
    if kind > 1 - _PALE_LIPS_SHARE:
        return lips + (tone * [0.97, 0.86, 0.87] - lips) * amount
    return lips


def teeth_colour(generator, traits: head.Traits):
    """Return a colour, yellower with age."""
    yellow = 0.8 * generator.beta(1.5, 2.0) + 0.3 * traits.age
    colour = _blend(TEETH_COLOURS, yellow) * generator.uniform(0.9, 1.0)
    return np.asarray(colour, np.float64)


def _blend(colours, position):
    point = float(np.clip(position, 0.0, 1.0)) * (len(colours) - 1.001)
    low = int(point)
    return colours[low] + (colours[low + 1] - colours[low]) * (point - low)


def _hair_colour(generator, traits: head.Traits):
    odds = [0.55, 0.3, 0.08, 0.04, 0.01, 0.01, 0.01]
    if traits.ancestry[2] > 0.5:
        odds = [0.12, 0.22, 0.26, 0.16, 0.12, 0.08, 0.04]
    colour = HAIR_COLOURS[generator.choice(7, p=odds)]
    if traits.age > 0.4:
        grey = np.clip((traits.age - 0.4) * 2 + generator.normal(0.0, 0.3), 0.0, 1.0)
        colour = colour + (HAIR_COLOURS[6] - colour) * grey
    return np.clip(colour * (1 + generator.normal(0.0, 0.1)), 0.0, 1.0)
