"""Eye sockets, bags, lids and make-up in a skin texture.

Ours: on portraits with deep-set, dark or made-up eyes a renderer taught with even eye
regions painted closed lids grey. What is painted here lies on the skin's own
coordinates, so that a closing lid carries it along.
"""

import dataclasses

import numpy as np

from datasets.synthetic_heads.person import hair, head, skin_canvas

UPPER_RIM = np.array(
    [
        [0.186, 0.212, 0.240, 0.272, 0.305, 0.335, 0.360, 0.380, 0.394],
        [7.300, 7.310, 7.322, 7.331, 7.331, 7.325, 7.317, 7.304, 7.291],
    ]
)
"""Azimuth and height of the upper lid's edge from the inner corner outward. Follows:
MakeHuman's base mesh."""

LOWER_RIM = np.array(
    [
        [0.186, 0.200, 0.215, 0.245, 0.275, 0.310, 0.340, 0.360, 0.380, 0.394],
        [7.280, 7.258, 7.250, 7.243, 7.240, 7.241, 7.248, 7.257, 7.268, 7.287],
    ]
)
"""Like `UPPER_RIM`, of the lower lid. Follows: MakeHuman's base mesh."""

LID_HEIGHT = 0.055
"""From the rim to above the fold. Ours: the texels that a blink stretches over the eye,
measured on the base mesh, with a margin."""

_REACH = (6.8, 7.8)
"""Heights between which all of this lies. Ours: beyond, sockets change nothing that
eight bits would show, and whole textures would take three times as long."""

_SOCKET_TINTS = np.array(
    [[0.72, 0.95, 1.10], [1.02, 0.98, 0.84], [0.70, 1.08, 1.00], [1.0, 1.0, 1.0]]
)
"""What sockets absorb of red, green and blue: brownish, bluish, reddish, grey. Ours:
pigment, veins, thin skin and plain shade."""

_MUTED_SHADOWS = np.array(
    [
        [0.45, 0.32, 0.25],
        [0.58, 0.44, 0.38],
        [0.36, 0.33, 0.34],
        [0.55, 0.36, 0.38],
        [0.42, 0.33, 0.42],
        [0.78, 0.66, 0.58],
        [0.22, 0.19, 0.19],
    ]
)
"""sRGB of eyeshadow. Ours: browns, taupe, greys, rose, plum, champagne, smoke."""

_STRONG_SOCKETS, _CLEAR_SOCKETS = 0.20, 0.25
"""Shares of people with dark sockets and with none. Ours: dark ones are common enough
to be learnt, and most people stay mild."""

_STRONG_LIDS = 0.2
"""Share of lids much lighter or darker than the skin. Ours: as for sockets."""

_SHINY_LIDS = 0.25
"""Share of lids with a pale streak. Ours: oily or powdered lids, guessed."""

_SHADOW_SHARE, _VIVID_SHARE, _LINER_SHARE = 0.40, 0.22, 0.45
"""Shares of women with eyeshadow, of vivid shades among it, and of women with
eyeliner. Ours: more than on a street, since portraits are made up more often."""


@dataclasses.dataclass(frozen=True)
class EyePaint:
    """What surrounds the eyes; amounts in [0, 1] where not said otherwise.

    Attributes:
        socket_depth: how much light the darkest point of a socket takes away.
        socket_extent: factor of the sockets' size.
        socket_tint: float64 `[3]` share of the depth by channel.
        bags: darkness below the eyes.
        lid_change: how much lighter (above 0) or darker the lids are than the skin.
        lid_shine: strength of a pale streak along the lids.
        shadow_colour: sRGB `[3]` of eyeshadow.
        shadow: its opacity; shadow_reach: how far it fades above the fold, mesh units.
        liner: opacity of eyeliner; liner_width: mesh units; liner_below: opacity along
            the lower lid.
    """

    socket_depth: float
    socket_extent: float
    socket_tint: np.ndarray
    bags: float
    lid_change: float
    lid_shine: float
    shadow_colour: np.ndarray
    shadow: float
    shadow_reach: float
    liner: float
    liner_width: float
    liner_below: float


def random_eye_paint(generator: np.random.Generator, traits: head.Traits) -> EyePaint:
    """Draw what surrounds the eyes. Ours: see the shares above."""
    tint = _SOCKET_TINTS[generator.choice(4, p=[0.4, 0.2, 0.2, 0.2])]
    bags = generator.beta(1.2, 3.5) * (0.35 + 0.45 * traits.age)
    shine = generator.uniform(0.1, 0.45) if generator.random() < _SHINY_LIDS else 0.0
    colour, shadow = _random_shadow(generator, traits)
    liner, below = _random_liner(generator, traits)
    return EyePaint(
        socket_depth=_random_depth(generator),
        socket_extent=float(generator.uniform(0.75, 1.3)),
        socket_tint=tint * (1 + generator.normal(0.0, 0.06, 3)),
        bags=min(0.4, float(bags)),
        lid_change=_random_lid_change(generator),
        lid_shine=float(shine),
        shadow_colour=colour,
        shadow=shadow,
        shadow_reach=float(generator.uniform(0.015, 0.09)),
        liner=liner,
        liner_width=float(generator.uniform(0.008, 0.022)),
        liner_below=below,
    )


def _random_depth(generator):
    kind = generator.random()
    if kind < _CLEAR_SOCKETS:
        return 0.0
    if kind > 1 - _STRONG_SOCKETS:
        return float(generator.uniform(0.25, 0.48))
    return float(generator.uniform(0.04, 0.22))


def _random_lid_change(generator):
    if generator.random() < _STRONG_LIDS:
        return float(generator.uniform(0.12, 0.30) * generator.choice([-1.0, 1.0]))
    return float(np.clip(generator.normal(0.0, 0.05), -0.1, 0.1))


def _random_shadow(generator, traits):
    """Return a colour and an opacity, 0 for men and most women."""
    colour = _MUTED_SHADOWS[generator.choice(len(_MUTED_SHADOWS))]
    colour = colour * generator.uniform(0.8, 1.2)
    vivid = generator.uniform(0.05, 0.9, 3)
    if generator.random() < _VIVID_SHARE:
        colour = vivid
    opacity = generator.uniform(0.2, 0.8)
    is_worn = generator.random() < _SHADOW_SHARE and not traits.is_male
    return np.clip(colour, 0.0, 1.0), float(opacity) if is_worn else 0.0


def _random_liner(generator, traits):
    """Return the opacities above and below, 0 for men and most women."""
    above, below = generator.uniform(0.4, 0.95), generator.uniform(0.2, 0.8)
    is_worn = generator.random() < _LINER_SHARE and not traits.is_male
    is_below = is_worn and generator.random() < 0.4
    return float(above) if is_worn else 0.0, float(below) if is_below else 0.0


def paint_eyes(
    texture: np.ndarray, canvas: skin_canvas.Canvas, paint: EyePaint
) -> np.ndarray:
    """Return a float32 texture `[H, W, 3]` with the eyes' surroundings painted.

    Ours: sockets first, then lids, then make-up, as they lie over each other.
    """
    painted = texture.copy()
    rows, near = canvas.between(*_REACH)
    _paint_around(painted[rows], near, paint)
    return painted


def _paint_around(texture, canvas, paint):
    rims = (np.interp(canvas.side, *rim) for rim in (UPPER_RIM, LOWER_RIM))
    upper, lower = (rim.astype(np.float32) for rim in rims)
    above, below = canvas.height - upper, lower - canvas.height
    depth = paint.socket_depth * _socket(canvas, paint.socket_extent)
    texture *= 1 - depth[..., None] * paint.socket_tint.astype(np.float32)
    bags = paint.bags * _bags(canvas, below)
    texture *= 1 - bags[..., None] * np.array([0.75, 1.0, 0.95], np.float32)
    _paint_lids(texture, canvas, above, paint)
    _paint_shadow(texture, canvas, above, paint)
    line = paint.liner * _line(canvas, above, paint.liner_width)
    line = np.maximum(line, paint.liner_below * _line(canvas, below, 0.010))
    _cover(texture, np.array([0.05, 0.04, 0.04]), line)


def _cover(texture, colour, opacity):
    texture += (colour.astype(np.float32) - texture) * opacity[..., None]


def _socket(canvas, extent):
    """Return how dark a socket is: most at the inner corner and under the brow."""
    corner = canvas.blob(0.135, 7.33, 0.075 * extent, 0.11 * extent)
    under_brow = canvas.blob(0.25, 7.42, 0.17 * extent, 0.075 * extent)
    whole = canvas.blob(0.28, 7.31, 0.19 * extent, 0.15 * extent)
    return 1 - (1 - 0.75 * corner) * (1 - 0.75 * under_brow) * (1 - 0.55 * whole)


def _bags(canvas, below):
    """Return a trough along the lower lid, deepest towards the nose."""
    trough = np.exp(-(((below - 0.085) / 0.030) ** 2))
    fill = 0.5 * np.exp(-(((below - 0.045) / 0.040) ** 2))
    reach = np.exp(-(((canvas.side - 0.255) / 0.105) ** 4))
    return (trough + fill) * reach


def _between_corners(canvas):
    """Return 1 along the eye, fading past its corners."""
    inner = hair.smooth_step(0.165, 0.20, canvas.side)
    return inner * (1 - hair.smooth_step(0.39, 0.44, canvas.side))


def _paint_lids(texture, canvas, above, paint):
    lid = hair.smooth_step(-0.022, -0.010, above) * _between_corners(canvas)
    lid *= 1 - hair.smooth_step(LID_HEIGHT, LID_HEIGHT + 0.035, above)
    if paint.lid_change < 0:
        texture *= 1 + paint.lid_change * lid[..., None]
    else:
        # A power keeps the hue of dark skin, where white paint would turn it grey.
        texture[:] = texture ** (1 - paint.lid_change * lid[..., None])
    middle = np.exp(-(((canvas.side - 0.29) / 0.07) ** 2))
    streak = np.exp(-(((above - 0.04) / 0.014) ** 2)) * middle
    texture[:] = texture ** (1 - paint.lid_shine * streak[..., None])


def _paint_shadow(texture, canvas, above, paint):
    top = LID_HEIGHT + paint.shadow_reach
    opacity = hair.smooth_step(-0.022, -0.010, above)
    opacity *= hair.smooth_step(0.16, 0.25, canvas.side)
    opacity *= 1 - hair.smooth_step(0.35, 0.46, canvas.side)
    opacity *= 1 - hair.smooth_step(0.4 * LID_HEIGHT, top, above)
    _cover(texture, paint.shadow_colour, paint.shadow * opacity)


def _line(canvas, beyond, width):
    """Return a line of a width on the skin's side of a rim."""
    edge = hair.smooth_step(-0.022, -0.010, beyond)
    edge *= 1 - hair.smooth_step(0.6 * width, 1.4 * width, beyond)
    return edge * _between_corners(canvas)
