"""Eyes that move behind a photograph's lids: two layers, and where they lie for a gaze.

The rear layer is the white of the eye and stays with the head; the front layer is the
iris, a flat disc that turns about the eyeball's centre. Both lie on one surface behind
the lids, which shows what `eye_texture` composes for a gaze, so that the layers differ
only in where a place of theirs was before. Screen coordinates are head units (10 cm).
"""

import dataclasses
import itertools

import numpy as np

from datasets.photo_heads.parts import eyelids
from datasets.photo_heads.rendering import sampling
from vasa_jax.portrait import gaze, pose

SPACING = 0.015
"""Side of the rear layer's cells, head units. Ours: a pixel and a half of a crop of
256."""

TOLERANCE = 0.007
"""How far behind a lid or an iris the middle of a triangle may be that the photograph
showed, head units. Ours: half a cell, as its other half was seen."""

MARGIN = 0.05
"""How far the rear layer goes on behind the lids, head units. Ours: eyes opened wide
show no more."""

SET_BACK = 0.03
"""How far behind the rims of the lids the eye's surface lies, head units. Ours: as
thick is a lid."""

RINGS = (0.0, 0.3, 0.6, 0.85, 1.04)
"""Rings of the front layer, iris radii. Ours: beyond the edge a pixel is as much white
as iris."""

SPOKES = 20

MIRRORED_DISC = np.concatenate(
    [
        [0],
        *(
            1 + ring * SPOKES + (SPOKES // 2 - np.arange(SPOKES)) % SPOKES
            for ring in range(len(RINGS) - 1)
        ),
    ]
)
"""Which point of a disc is the mirror image of each, in the other eye's disc."""

LARGEST_PLAUSIBLE, SMALLEST_PLAUSIBLE = 0.095, 0.045
"""Radii of irises, head units. Ours: all are about 0.0585 (11.7 mm), but the head unit
of a child is smaller than 10 cm."""

SEARCH = (np.linspace(0.9, 1.3, 9), np.linspace(-0.15, 0.15, 7), (-0.05, 0.0, 0.05))
"""Radii and shifts of circles tried, in radii of the network's. Ours: it finds centres
to a pixel, and irises of children too small."""

FEWEST_ANGLES, FAR_COST = 6, 2.0
"""Directions in which an edge must be free, and what leaving the network's circle
costs. Ours: by eye on a dozen portraits."""

IRIS_DISTANCE = 0.105
"""From the centre about which an eye turns to its iris, head units. Follows: anatomy
(10.5 mm; 13.5 mm to the cornea). `vasa_jax.portrait.gaze` reckons with less, because
its network follows a part only of an iris's way."""

LID_FOLLOWS = 0.7
"""By how much the upper lid closes for a radian that the eye turns down, in openings of
the eye. Ours: at 15 degrees the lid has moved by most of the iris's way."""

LARGEST_LIFT = 0.12
"""How far beyond the photograph a lid opens when the eye turns up, in openings of the
eye. Ours: beyond, the lid's lashes are stretched."""


@dataclasses.dataclass(frozen=True)
class Irises:
    """Where the irises were photographed, the image's left eye first.

    Attributes:
        centres: float64 `[2, 2]` screen.
        radii: float64 `[2]` head units.
        rest_gaze: float64 `[2]` yaw, pitch of both eyes in the head, radians.
        turn: float64 `[3, 3]` the photographed head's rotation.
    """

    centres: np.ndarray
    radii: np.ndarray
    rest_gaze: np.ndarray
    turn: np.ndarray


def measure_irises(
    outlines: np.ndarray, points: np.ndarray, head_fit: pose.HeadFit
) -> Irises:
    """Measure the irises of a portrait.

    Ours: both eyes share one direction, as they do when they look at the same thing.

    Args:
        outlines: `[2, 5, 2]`, `vasa_jax.portrait.gaze.find_iris_outlines`.
        points: `[468, 3]` landmarks of the same image.
        head_fit: the head's fit in the same image.
    """
    outlines = outlines.astype(np.float64)
    from_centre = np.linalg.norm(outlines[:, 1:] - outlines[:, :1], axis=-1)
    radii = from_centre.mean(axis=1) / head_fit.unit
    looking = gaze.estimate_gaze(outlines[:, 0], points, head_fit)
    turn = head_fit.matrix()
    return Irises(
        centres=(outlines[:, 0] - head_fit.centre) / head_fit.unit,
        radii=np.clip(radii, SMALLEST_PLAUSIBLE, LARGEST_PLAUSIBLE),
        rest_gaze=angles_in_head(looking, turn),
        turn=turn,
    )


def sharpened(
    irises: Irises,
    brightness: np.ndarray,
    unit: float,
    lids: tuple[eyelids.Lids, eyelids.Lids],
) -> Irises:
    """Fit the irises' circles to their edges in the picture.

    Ours: of circles near the network's, take the one across which the picture brightens
    most, to the left and to the right, where lids leave the edge free.

    Args:
        irises: as measured.
        brightness: `[H, W]` of the texture.
        unit: texture pixels of a head unit.
        lids: of both eyes, on the screen.
    """
    _, axes = discs(irises, np.zeros(2))
    angle = np.deg2rad(
        np.concatenate([np.arange(-50, 51, 10), np.arange(130, 231, 10)])
    )
    around = np.stack([np.cos(angle), np.sin(angle)], axis=1) @ axes.T
    middle = (np.array(brightness.shape[::-1]) - 1) / 2
    centres, radii = irises.centres.copy(), irises.radii.copy()
    for eye in range(2):
        best = -np.inf
        for factor, x, y in itertools.product(*SEARCH):
            centre = irises.centres[eye] + irises.radii[eye] * np.array([x, y])
            radius = irises.radii[eye] * factor
            rings = [centre + radius * edge * around for edge in (0.9, 1.1)]
            is_seen = lids[eye].contain(rings[0]) & lids[eye].contain(rings[1])
            if is_seen.sum() < FEWEST_ANGLES:
                continue
            inner, outer = (
                sampling.bilinear(brightness, (middle + unit * ring)[is_seen])
                for ring in rings
            )
            away = np.log(factor) ** 2 + x * x + y * y
            score = np.median(outer / np.maximum(inner, 1)) - FAR_COST * away
            if score > best:
                best, centres[eye], radii[eye] = score, centre, radius
    radii = np.clip(radii, SMALLEST_PLAUSIBLE, LARGEST_PLAUSIBLE)
    return dataclasses.replace(irises, centres=centres, radii=radii)


def angles_in_head(looking: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Turn a direction of gaze `[2]` of the camera frame into the head's frame.

    Args:
        looking: `[2]` yaw, pitch, radians.
        turn: `[3, 3]` the head's rotation.
    """
    x, y, z = turn.T @ _turn_of_eyes(looking)[:, 2]
    return np.array([np.arctan2(-x, z), np.arcsin(np.clip(-y, -1, 1))])


def _turn_of_eyes(looking):
    """Build the turn by yaw and pitch, `[3, 3]`; its last column looks backwards."""
    (cos_yaw, cos_pitch), (sin_yaw, sin_pitch) = np.cos(looking), np.sin(looking)
    return np.array(
        [
            [cos_yaw, -sin_yaw * sin_pitch, -sin_yaw * cos_pitch],
            [0.0, cos_pitch, -sin_pitch],
            [sin_yaw, cos_yaw * sin_pitch, cos_yaw * cos_pitch],
        ]
    )


def discs(irises: Irises, added_gaze: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place the irises for a gaze, the head as photographed.

    Ours: a flat disc that turns about the eyeball's centre.

    Args:
        irises: as photographed.
        added_gaze: `[2]` yaw and pitch added to the photographed ones, radians.

    Returns:
        Centres `[2, 2]` on the screen, and `[2, 2]`: a point (x, y) of a disc, in its
        radii, is seen at centre + radius * matrix @ (x, y).
    """
    rest = irises.turn @ _turn_of_eyes(irises.rest_gaze)
    looking = irises.turn @ _turn_of_eyes(irises.rest_gaze + added_gaze)
    moved = IRIS_DISTANCE * (rest[:2, 2] - looking[:2, 2])
    return irises.centres + moved, looking[:2, :2]


def lid_closing(close_eyes: np.ndarray, added_gaze: np.ndarray) -> np.ndarray:
    """Return how far lids close that also follow a vertical gaze.

    Args:
        close_eyes: `[2]` 0 as photographed, 1 shut.
        added_gaze: `[2]` yaw and pitch, radians.

    Returns:
        `[2]` like `close_eyes`; below 0 where the eyes open more than photographed.
    """
    follow = max(LID_FOLLOWS * float(added_gaze[1]), -LARGEST_LIFT)
    return close_eyes + (1 - np.clip(close_eyes, 0, 1)) * follow


@dataclasses.dataclass(frozen=True)
class EyeLayers:
    """Both layers of one eye; W points of the white, D of the disc.

    Attributes:
        plane: float64 `[3]`: the depth at a screen place (x, y) is plane @ (1, x, y).
        white: float64 `[W, 2]` screen places.
        white_triangles: int32 `[T, 3]`, wound like the screen's x, y.
        is_white_photographed: bool `[T]`.
        disc: float64 `[D, 2]` places on the disc, in its radii.
        disc_triangles, is_disc_photographed: the same for the disc.
    """

    plane: np.ndarray
    white: np.ndarray
    white_triangles: np.ndarray
    is_white_photographed: np.ndarray
    disc: np.ndarray
    disc_triangles: np.ndarray
    is_disc_photographed: np.ndarray

    def on_surface(self, screen: np.ndarray) -> np.ndarray:
        """Lift screen places `[N, 2]` onto the eye's surface `[N, 3]`."""
        depth = self.plane[0] + screen @ self.plane[1:]
        nearness = 1 + depth / pose.CAMERA_DISTANCE
        return np.concatenate([screen * nearness[:, None], depth[:, None]], axis=1)


def eye_layers(
    rim: np.ndarray,
    rim_depth: np.ndarray,
    centre: np.ndarray,
    axes: np.ndarray,
) -> EyeLayers:
    """Build the layers of one eye.

    Ours: the photograph showed a triangle if it showed its middle.

    Args:
        rim: `[R, 2]` of the lids on the screen, see `eyelids.Lids.of_rim`.
        rim_depth: `[R]` depth of the same points.
        centre: `[2]` of the iris; axes: `[2, 2]` times its radius, see `discs`.
    """
    ones = np.ones((len(rim), 1))
    flat = np.concatenate([ones, rim], axis=1)
    plane = np.linalg.lstsq(flat, rim_depth, rcond=None)[0] + [SET_BACK, 0, 0]
    white, white_triangles = _grid(rim.min(axis=0) - MARGIN, rim.max(axis=0) + MARGIN)
    disc, disc_triangles = _disc()
    lids = eyelids.Lids.of_rim(rim)
    middle = white[white_triangles].mean(axis=1)
    from_iris = np.linalg.norm((middle - centre) @ np.linalg.inv(axes).T, axis=1)
    covered = RINGS[-1] - TOLERANCE / np.linalg.norm(axes[:, 1])
    on_disc = disc[disc_triangles].mean(axis=1) @ axes.T + centre
    return EyeLayers(
        plane=plane,
        white=white,
        white_triangles=white_triangles,
        is_white_photographed=lids.contain(middle, TOLERANCE) & (from_iris > covered),
        disc=disc,
        disc_triangles=disc_triangles,
        is_disc_photographed=lids.contain(on_disc, TOLERANCE),
    )


def _grid(low, high):
    columns, rows = np.ceil((high - low) / SPACING).astype(int) + 1
    x, y = np.meshgrid(
        np.linspace(low[0], high[0], columns), np.linspace(low[1], high[1], rows)
    )
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    upper = np.stack([corner, corner + 1, corner + columns], axis=1)
    lower = np.stack([corner + 1, corner + columns + 1, corner + columns], axis=1)
    return points, np.concatenate([upper, lower]).astype(np.int32)


def _disc():
    angle = np.arange(SPOKES) * (2 * np.pi / SPOKES)
    around = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points = np.concatenate([np.zeros((1, 2)), *(ring * around for ring in RINGS[1:])])
    spoke, following = np.arange(SPOKES), np.roll(np.arange(SPOKES), -1)
    triangles = [np.stack([np.zeros_like(spoke), 1 + spoke, 1 + following], axis=1)]
    for ring in range(len(RINGS) - 2):
        inner, outer = 1 + ring * SPOKES, 1 + (ring + 1) * SPOKES
        triangles += [
            np.stack([inner + spoke, outer + spoke, outer + following], axis=1),
            np.stack([inner + spoke, outer + following, inner + following], axis=1),
        ]
    return points, np.concatenate(triangles).astype(np.int32)
