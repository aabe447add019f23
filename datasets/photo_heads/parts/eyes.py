"""Eyes that move behind a photograph's lids: two layers, and where they lie for a gaze.

The rear layer is the white of the eye and stays with the head; the front layer is the
iris, a flat disc that turns about the eyeball's centre. Both lie on one surface behind
the lids, which shows what `eye_texture` composes for a gaze, so that the layers differ
only in where a point of theirs was before. Screen coordinates are head units (10 cm).
"""

import dataclasses

import numpy as np

from vasa_jax.portrait import eyelids, pose

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

LID_FOLLOWS = 0.7
"""By how much the upper lid closes for a radian that the eye turns down, in apertures
of the eye. Ours: at 15 degrees the lid has moved by most of the iris's way."""

LARGEST_LIFT = 0.12
"""How far beyond the photograph a lid opens when the eye turns up, in apertures of the
eye. Ours: beyond, the lid's lashes are stretched."""


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
        plane: float64 `[3]`: the depth at a screen point (x, y) is plane @ (1, x, y).
        white: float64 `[W, 2]` screen points.
        white_triangles: int32 `[T, 3]`, wound like the screen's x, y.
        is_white_photographed: bool `[T]`.
        disc: float64 `[D, 2]` points on the disc, in its radii.
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
        """Lift screen points `[N, 2]` onto the eye's surface `[N, 3]`."""
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
