"""What an eye shows for any gaze: an iris laid over a white that lids shade.

Ours: at rest the sum of the layers is the photograph itself, because what they leave
over is kept. What lids or the iris hid is filled in: the white from the sclera on both
sides at the same height between the lids, the iris from what its ring shows elsewhere.
"""

import dataclasses

import numpy as np

from vasa_jax.portrait import eyelids, sampling

MARGIN = 0.06
"""How much of the picture around the rims belongs to an eye, head units."""

OWN_PIXELS = 1.4
"""How far outside the lids a pixel is still the eye's. Ours: corners lie half way
between two rows of pixels, so that with 1.5 rounding would decide, by each NumPy
another way."""

SOFTNESS_RADII, SOFTNESS_PIXELS = 0.10, 0.9
"""Half the width of an iris's edge: at least the one, in radii, and the other. Ours: an
iris ends within a millimetre, and within what a photograph resolves."""

NEAR_IRIS = 1.35
"""Radius within which the iris may darken what the picture shows. Ours: beyond its edge
lie that one's blur and a sharpening's."""

LEFT_BEHIND = 0.012
"""How far a lid must be lifted for its edge not to be left behind, head units."""

REST_WAY = 0.5
"""Way of the iris, in radii, over which what the layers leave over fades out. Ours: it
is mostly the blur of the iris's edge, of use only where that was photographed."""

LASHES, LOWER_EDGE = (0.006, 0.018), (0.003, 0.012)
"""Between these distances from the upper and the lower rim, head units, the picture
goes from the lid to the eye. Ours: lashes, and the wet edge, are that near."""

SHADE_REACH, SHADE_BLUR, DEEPEST_SHADE = 0.06, 0.006, 0.35
"""How far below the upper lid its shade is measured, head units, how smoothly, and what
it leaves of the light at least."""

LID_KERNEL, WHITE_KERNEL = (0.06, 0.02), (0.25, 0.015)
"""Kernels of the fillings: across, in apertures of the eye, and along, head units."""

RING_BLUR, ANGLE_BLUR = 0.08, 0.5
"""Kernel of the iris's filling: radii, and radians."""

REDNESS = 0.1
"""Excess of red over the palest white at which a pixel is trusted less. Ours: corners
of eyes are red."""

BRIGHT_PERCENT = 20
"""The filled white is no brighter than the brightest percent of the white seen; what
is darker is trusted less. Ours: wet corners shine, and lashes are dark."""

DARKEST = 0.55
"""The filled white is at least so many times as bright as the skin around. Ours: in
narrow eyes only what lashes darken is seen of it."""

HIGHLIGHT = 1.6
"""Ours: what is so many times brighter than the median iris is a reflection, which is
not spread under the lids."""

MOST_SOURCES = 400
"""Pixels that fillings are made of at most. Ours: more change nothing to be seen."""

FEWEST_PIXELS = 8
"""Ours: with less of the white to be seen, its colour is the brightest around."""


@dataclasses.dataclass(frozen=True)
class EyeTexture:
    """One eye's layers without the lid's shade; h, w pixels of the box around it.

    Attributes:
        corner: `[2]` column and row of the box in the texture.
        unit: texture pixels of a head unit.
        to_disc: float64 `[2, 3]` from box pixels to points of the resting disc, radii.
        white: float32 `[h, w, 3]`; iris: float32 `[h, w, 3]` times its opacity.
        opacity: float32 `[h, w]` of the iris.
        rest: float32 `[h, w, 3]` what the layers leave over of the photograph.
        photograph: float32 `[h, w, 3]`; lid: the same without an iris behind lashes.
        upper, lower: float32 `[h, w]` how much of a pixel is a lid's edge, which lies
            before both layers.
        below: float32 `[h, w]` distance below the upper rim at rest, head units.
        shade: float32 `[K]` light at K distances up to `SHADE_REACH` below the lid.
        sclera: float64 `[3]` colour of the white where it is lit.
    """

    corner: np.ndarray
    unit: float
    to_disc: np.ndarray
    white: np.ndarray
    iris: np.ndarray
    opacity: np.ndarray
    rest: np.ndarray
    photograph: np.ndarray
    lid: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    below: np.ndarray
    shade: np.ndarray
    sclera: np.ndarray

    def compose(
        self, centre: np.ndarray, axes: np.ndarray, lids: eyelids.Lids
    ) -> np.ndarray:
        """Show the eye, float32 `[h, w, 3]` in 0 to 255.

        Args:
            centre: `[2]` of the iris, texture pixels.
            axes: `[2, 2]` from points on the disc, in its radii, to texture pixels.
            lids: as they are now.
        """
        rows, columns = self.opacity.shape
        y, x = np.mgrid[0:rows, 0:columns].astype(np.float64)
        here = np.stack([x, y], axis=-1)
        turned = self._disc_at_rest(centre - self.corner, axes)
        below = lids.below_upper(here + self.corner) / self.unit
        there = 1 - _rise(0.0, LEFT_BEHIND, below - self.below)
        way = self.to_disc[:, :2] @ (centre - self.corner) + self.to_disc[:, 2]
        kept = 1 - _rise(0.0, REST_WAY, np.linalg.norm(way))
        light = self.layered(here @ turned[:, :2].T + turned[:, 2], there, kept)
        light = light + (kept * there)[..., None] * self.rest
        shade = _shade_at(self.shade, below)
        return np.clip(light * shade[..., None], 0, 255).astype(np.float32)

    def light(self) -> np.ndarray:
        """Return the light below the upper lid at rest, `[h, w]`."""
        return _shade_at(self.shade, self.below)

    def layered(self, seen: np.ndarray, there: np.ndarray, kept: float) -> np.ndarray:
        """Lay iris and lids over the white, float64 `[h, w, 3]`.

        Args:
            seen: `[h, w, 2]` box pixels where each piece of the disc was at rest.
            there: `[h, w]` how much of the upper lid has not been lifted off a pixel.
            kept: how much of the photographed iris is still to be seen at lids' edges.
        """
        moving = [self.iris, self.opacity[..., None]]
        moved = sampling.bilinear(np.concatenate(moving, axis=-1), seen)
        iris, opacity = np.split(moved, [3], axis=-1)
        light = iris + (1 - opacity) * self.white
        lid = self.lid + kept * (self.photograph - self.lid)
        free = (1 - self.upper * there) * (1 - self.lower)
        return lid + free[..., None] * (light - lid)

    def _disc_at_rest(self, centre, axes):
        """Return `[2, 3]` from box pixels to those of the same points at rest."""
        inverse = np.linalg.inv(axes)
        now = np.concatenate([inverse, (-inverse @ centre)[:, None]], axis=1)
        back = np.linalg.inv(self.to_disc[:, :2])
        return np.concatenate(
            [back @ now[:, :2], (back @ (now[:, 2] - self.to_disc[:, 2]))[:, None]],
            axis=1,
        )


def fit_eye(
    picture: np.ndarray,
    lids: eyelids.Lids,
    centre: np.ndarray,
    axes: np.ndarray,
    unit: float,
) -> EyeTexture:
    """Take a photographed eye apart.

    Args:
        picture: `[H, W, 3]` in 0 to 255.
        lids: as photographed.
        centre, axes: of the iris, see `EyeTexture.compose`.
        unit: texture pixels of a head unit.
    """
    rim = np.concatenate([lids.upper, lids.lower])
    corner = np.floor(rim.min(axis=0) - MARGIN * unit).astype(int)
    end = np.ceil(rim.max(axis=0) + MARGIN * unit).astype(int) + 1
    corner, end = np.maximum(corner, 0), np.minimum(end, picture.shape[1::-1])
    photograph = picture[corner[1] : end[1], corner[0] : end[0]].astype(np.float64)
    y, x = np.mgrid[0 : photograph.shape[0], 0 : photograph.shape[1]]
    pixels = np.stack([x, y], axis=-1) + corner
    disc = (pixels - centre) @ np.linalg.inv(axes).T
    radius = np.linalg.norm(disc, axis=-1)
    below, above = lids.below_upper(pixels), lids.above_lower(pixels)
    half_edge = max(SOFTNESS_RADII, SOFTNESS_PIXELS / np.sqrt(np.linalg.det(axes)))
    opacity = _ease((1 + half_edge - radius) / (2 * half_edge))
    is_own = (below > -OWN_PIXELS) & (above > -OWN_PIXELS)
    is_clear = (below > LASHES[1] * unit) & (above > LOWER_EDGE[1] * unit)
    is_white = is_own & (radius > max(NEAR_IRIS, 1 + 2 * half_edge))

    brightness = photograph.mean(axis=-1)
    shade = _measure_shade(below / unit, brightness, is_white)
    light = _shade_at(shade, below / unit)
    flat = photograph / light[..., None]
    along, height = _between_lids(pixels, lids, below, above)
    across = along / unit, height
    lid = _spread(flat, *across, is_white, np.ones_like(light), LID_KERNEL)
    lid = np.where((is_white | ~is_own)[..., None], flat, lid)
    white = _fill_white(flat, light, *across, is_white, is_clear, is_own)
    iris = _fill_iris(flat, disc, is_clear & (radius < 1 - half_edge / 2), opacity > 0)
    inverse = np.linalg.inv(axes)
    bare = EyeTexture(
        corner=corner,
        unit=unit,
        to_disc=np.concatenate(
            [inverse, (inverse @ (corner - centre))[:, None]], axis=1
        ),
        white=white.astype(np.float32),
        iris=(opacity[..., None] * iris).astype(np.float32),
        opacity=opacity.astype(np.float32),
        rest=np.zeros_like(flat, np.float32),
        photograph=flat.astype(np.float32),
        lid=lid.astype(np.float32),
        upper=(1 - _rise(*LASHES, below / unit)).astype(np.float32),
        lower=(1 - _rise(*LOWER_EDGE, above / unit)).astype(np.float32),
        below=(below / unit).astype(np.float32),
        shade=shade.astype(np.float32),
        sclera=_lit_colour(photograph, is_white & is_clear, white),
    )
    left_over = flat - bare.layered(pixels - corner, np.ones_like(light), 1.0)
    left_over = np.where(is_own[..., None], left_over, 0).astype(np.float32)
    return dataclasses.replace(bare, rest=left_over)


def _lit_colour(photograph, is_sclera, white):
    """Average the brighter half of the white that is seen, `[3]`."""
    seen = photograph[is_sclera] if is_sclera.any() else white.reshape(-1, 3)
    brightness = seen.mean(axis=-1)
    return seen[brightness >= np.median(brightness)].mean(axis=0)


def _ease(value):
    value = np.clip(value, 0, 1)
    return value * value * (3 - 2 * value)


def _rise(low, high, value):
    return _ease((value - low) / (high - low))


def _between_lids(pixels, lids, below, above):
    """Return positions along the eye, pixels, and from 0 at the upper lid to 1.

    Ours: what no lid will ever leave is as the middle of the eye, not as lashes.
    """
    along, _ = lids.axes()
    height = below / np.maximum(below + above, 1.0)
    is_between = (height > -0.1) & (height < 1.1)
    return pixels @ along, np.where(is_between, np.clip(height, 0, 1), 0.4)


def _measure_shade(below, brightness, is_used):
    """Measure the light below the upper lid, rising to 1, `[K]`."""
    distances = np.linspace(0, SHADE_REACH, 25)
    near = np.exp(-(((distances[:, None] - below[is_used]) / SHADE_BLUR) ** 2) / 2)
    total = near.sum(axis=1)
    seen = near @ brightness[is_used] / np.maximum(total, 1e-6)
    is_known = total > 1.0
    if is_known.sum() < 2:
        return np.ones_like(distances)
    level = np.interp(distances, distances[is_known], seen[is_known])
    level = np.maximum.accumulate(level)
    return np.clip(level / level[-1], DEEPEST_SHADE, 1)


def _shade_at(shade, below):
    return np.interp(below, np.linspace(0, SHADE_REACH, len(shade)), shade)


def _fill_white(flat, light, along, height, is_white, is_clear, is_own):
    """Spread the white of the eye from both sides, `[h, w, 3]`."""
    is_sclera = is_white & is_clear
    if is_sclera.sum() < FEWEST_PIXELS:
        is_sclera = is_white
    trust, limit = light, np.inf
    if is_sclera.any():
        level = flat.mean(axis=-1)
        limit = np.percentile(level[is_sclera], 100 - BRIGHT_PERCENT)
        redness = flat[..., 0] / np.maximum(level, 1.0)
        palest = np.percentile(redness[is_sclera], 20)
        trust = light * np.exp(-np.maximum(redness - palest, 0) / REDNESS)
        trust = trust * np.clip(level / limit, 0.1, 1) ** 2
    middle = _spread(flat, along, height, is_sclera, trust, WHITE_KERNEL)
    middle = middle * np.minimum(1, limit / middle.mean(axis=-1, keepdims=True))
    least = DARKEST * np.median(flat.mean(axis=-1)[~is_own])
    middle = middle * np.maximum(1, least / middle.mean(axis=-1, keepdims=True))
    return np.where((is_white & is_clear)[..., None], flat, middle)


def _spread(flat, along, height, is_source, trust, kernel):
    """Average the sources around every pixel; where there are few, the brightest."""
    if is_source.sum() < FEWEST_PIXELS:
        level = flat.mean(axis=-1)
        return np.broadcast_to(
            flat[level >= np.percentile(level, 90)].mean(axis=0), flat.shape
        )
    source = _some(is_source)
    across = (height[..., None] - height[source]) / kernel[0]
    weight = trust[source] * (np.exp(-(across**2) / 2) + 1e-4)
    weight /= (along[..., None] - along[source]) ** 2 + kernel[1] ** 2
    weight /= weight.sum(axis=-1, keepdims=True)
    return weight @ flat[source]


def _fill_iris(flat, disc, is_seen, is_wanted):
    """Complete the iris along its rings, `[h, w, 3]`."""
    radius = np.linalg.norm(disc, axis=-1)
    angle = np.arctan2(disc[..., 1], disc[..., 0])
    brightness = flat.mean(axis=-1)
    is_source = is_seen
    if is_seen.any():
        is_source = is_seen & (brightness < HIGHLIGHT * np.median(brightness[is_seen]))
    if is_source.sum() < FEWEST_PIXELS:
        is_source = radius < 0.8
    source, hidden = _some(is_source), is_wanted & ~is_seen
    ring = np.minimum(radius, 0.9)[hidden][:, None] - radius[source]
    turn = (angle[hidden][:, None] - angle[source] + np.pi) % (2 * np.pi) - np.pi
    weight = np.exp(-((ring / RING_BLUR) ** 2) / 2) + 1e-6
    weight /= ANGLE_BLUR**2 + turn**2
    weight /= weight.sum(axis=-1, keepdims=True)
    filled = flat.copy()
    filled[hidden] = weight @ flat[source]
    return filled


def _some(mask):
    """Return rows and columns of at most `MOST_SOURCES` pixels of a mask."""
    rows, columns = np.nonzero(mask)
    step = -(-len(rows) // MOST_SOURCES)
    return rows[::step], columns[::step]
