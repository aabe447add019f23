"""A fitted portrait, a movement away from it, and how it is framed.

Camera frame: x right, y down, z away from the viewer, head units of 10 cm, origin at
the head's centre, seen from `portrait.pose.CAMERA_DISTANCE` in front of it. "Screen" is
what the camera sees, in the same units: the project's crop spans 1.5 of them to each
side of the head's centre, and the texture `REACH`.
"""

import dataclasses
from typing import Any

import numpy as np

from vasa_jax.portrait import pose

REACH = 1.95
"""Half the texture's side, head units. Ours: 1.3 times the crop's, so that a head that
is seen from 1.3 times as far still has a body."""


MAP_SIZE = 128
"""C, cells of a side of the maps that flow is computed with. Ours: two a cell."""


@dataclasses.dataclass(frozen=True)
class HeadShape:
    """All that decides where a portrait shows what; F points of the face, G beside it.

    Attributes:
        landmarks: float32 `[468, 3]` at rest, camera frame.
        face: float32 `[F, 3]` the dense face.
        sheet: float32 `[G, 3]` hair, ears, neck and torso.
        sheet_triangles: int32 `[T, 3]` indices of face and sheet, the face's first.
        sheet_clear: uint8 `[T]` 0 opaque, 1 partly, 2 wholly transparent.
        sheet_turning: float32 `[G]` how much of the head's turn a point follows.
        opacity: uint8 `[C, C]` of the person over the texture's square.
        own_ground: bool `[C, C]` where the background is the picture's own.
        picture: float32 `[4]` left, top, right and bottom of the picture, screen.
        rotation: float32 `[3]` yaw, pitch, roll of the portrait, see `vasa_jax.types`.
        mouth_scale: size of movements over the canonical face's.
        mouth_gap: between the lips at rest, head units.
    """

    landmarks: np.ndarray
    face: np.ndarray
    sheet: np.ndarray
    sheet_triangles: np.ndarray
    sheet_clear: np.ndarray
    sheet_turning: np.ndarray
    opacity: np.ndarray
    own_ground: np.ndarray
    picture: np.ndarray
    rotation: np.ndarray
    mouth_scale: float
    mouth_gap: float


@dataclasses.dataclass(frozen=True)
class PhotoHead:
    """A fitted portrait with what it looks like.

    Attributes:
        shape: where it shows what.
        parts: its `mesh.Mesh` for this texture.
        photograph: uint8 `[S, S, 3]` the untouched crop.
        texture: float32 `[H, W, 4]` colour in 0 to 255 and opacity: the picture's
            square of half side `REACH`, with the tiles of `mouth_interior` below.
        ground: float32 `[H, H, 4]` the filled background, and 1 where it is the
            picture's own.
        rest_gaze: float32 `[2]` yaw, pitch of the eyes in the head.
        pixels: side of the crop in the picture.
        cut: how long the picture's edge cuts through the head, in sides of the crop.
    """

    shape: HeadShape
    parts: Any
    photograph: np.ndarray
    texture: np.ndarray
    ground: np.ndarray
    rest_gaze: np.ndarray
    pixels: float
    cut: float


@dataclasses.dataclass(frozen=True)
class State:
    """A movement away from the photograph; the default is as photographed.

    Attributes:
        arkit: `[52]` weights that are added. Lids, shut lips, tongue and gaze do not
            follow them; see `landmark_units.REPLACED`.
        close_eyes: `[2]` of the image's left and right eye, 1 is shut.
        close_lips: 1 is shut.
        gaze: `[2]` yaw, pitch added to the eyes' in the head, radians.
        turn: `[3]` yaw, pitch, roll added to the head's, radians.
        shift: `[3]` of head and body, head units, camera frame.
    """

    arkit: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(52))
    close_eyes: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(2))
    close_lips: float = 0.0
    gaze: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(2))
    turn: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(3))
    shift: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(3))

    def to_vector(self) -> np.ndarray:
        """Return float32 `[63]`: the attributes in order."""
        lips = [self.close_lips]
        parts = (self.arkit, self.close_eyes, lips, self.gaze, self.turn, self.shift)
        return np.concatenate(parts).astype(np.float32)

    @classmethod
    def from_vector(cls, vector: np.ndarray) -> "State":
        """Read what `to_vector` wrote."""
        arkit, eyes, lips, gaze, turn, shift = np.split(vector, [52, 54, 55, 57, 60])
        return cls(arkit, eyes, float(lips[0]), gaze, turn, shift)


@dataclasses.dataclass(frozen=True)
class View:
    """How a clip frames the person; the background keeps its place, as in all sets.

    Attributes:
        distance: of the camera; the person appears 1 / distance times as large.
        x, y: where the head's centre appears, half images.
    """

    distance: float = 1.0
    x: float = 0.0
    y: float = 0.0


def rotation_matrix(rotation: np.ndarray) -> np.ndarray:
    """Build the matrix `[3, 3]` of yaw, pitch, roll `[3]`, as `vasa_jax` defines it."""
    return pose.HeadFit(rotation=rotation, centre=np.zeros(2), unit=1.0).matrix()


def project(points: np.ndarray) -> np.ndarray:
    """See points `[..., 3]` on the screen `[..., 2]`."""
    return points[..., :2] / (1 + points[..., 2:] / pose.CAMERA_DISTANCE)


def lift(screen: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Place screen points `[..., 2]` at a depth `[...]`; the inverse of `project`."""
    depth = np.broadcast_to(depth, screen.shape[:-1])[..., None]
    return np.concatenate([screen * (1 + depth / pose.CAMERA_DISTANCE), depth], axis=-1)
