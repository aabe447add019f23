"""What a fitted portrait is, and the states and views in which it is seen.

Camera frame: x right, y down, z away, units of 10 cm, origin at the head's centre, seen
from 16 units in front of it. "Screen" is what the camera sees there, in the same units:
the project's own crop spans 1.5 of them to each side, the texture `REACH`.
"""

import dataclasses

import numpy as np

from vasa_jax import arkit
from vasa_jax.portrait import crop, eye_texture, pose

REACH = 1.95
"""Half the texture's side, head units. Ours: crops may be 1.3 times as wide as the
normal one."""


@dataclasses.dataclass(frozen=True)
class State:
    """One frame's departure from the photograph; zeros are as photographed.

    Attributes:
        arkit: float32 `[52]` added weights, by `arkit.NAMES`;
            those of `landmark_units.REPLACED` and the eyeLook ones move nothing.
        close_eyes: float32 `[2]` 0 as photographed, 1 shut; the image's left eye first.
        close_lips: 0 as photographed, 1 shut.
        gaze: float32 `[2]` added yaw, pitch of both eyes in the head, radians.
        turn: float64 `[3]` added yaw, pitch, roll of the head, radians.
        shift: float64 `[3]` of the head, head units, camera frame.
    """

    arkit: np.ndarray = dataclasses.field(
        default_factory=lambda: np.zeros(arkit.NUM_UNITS, np.float32)
    )
    close_eyes: np.ndarray = dataclasses.field(
        default_factory=lambda: np.zeros(2, np.float32)
    )
    close_lips: float = 0.0
    gaze: np.ndarray = dataclasses.field(
        default_factory=lambda: np.zeros(2, np.float32)
    )
    turn: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(3))
    shift: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(3))


@dataclasses.dataclass(frozen=True)
class View:
    """How a frame shows the person; `View()` is `portrait.pose.crop_of_fit`.

    Ours: the background keeps its place whatever the view, as the synthetic heads'
    does, or a renderer could not tell a head that comes nearer from a closer crop.

    Attributes:
        distance: of the person; the frame spans 1.5 * distance head units to each side.
        x, y: the frame's middle, head units from the head's centre as photographed.
    """

    distance: float = 1.0
    x: float = 0.0
    y: float = 0.0

    @property
    def half_size(self) -> float:
        """Half the crop's side, head units."""
        return crop.HALF_IMAGE_HEAD_UNITS * self.distance

    def to_image(self, screen: np.ndarray) -> np.ndarray:
        """Take screen points `[..., 2]` to image units in [-1, 1]."""
        return (screen - np.array([self.x, self.y], np.float32)) / self.half_size


@dataclasses.dataclass(frozen=True)
class HeadShape:
    """All that decides positions; N points of the face, G of the sheet.

    Attributes:
        landmarks: float32 `[468, 3]` at rest, camera frame.
        face: float32 `[N, 3]` points of `face_mesh.face_mesh` at rest.
        sheet: float32 `[G, 3]` points of hair, ears, neck and torso at rest.
        turning: float32 `[G]` how much of the head's turn each of them follows.
        sheet_triangles: int32 `[T, 3]` over the face's points and then the sheet's.
        opacity: uint8 `[C, C]` of the person over the texture's reach, 255 is opaque.
        background: uint8 `[C, C]`, 1 where the background is the picture's own.
        picture: float32 `[4]` left, top, right, bottom of the picture on the screen.
        rotation: float32 `[3]` yaw, pitch, roll as photographed, `vasa_jax.types`.
        irises: float32 `[2, 3]` x, y on the screen and radius, head units; the image's
            left eye first.
        gaze: float32 `[2]` yaw, pitch of both eyes in the head as photographed.
        mouth: float32 `[3]`, the numbers of a `mouth_interior.MouthShape`.
    """

    landmarks: np.ndarray
    face: np.ndarray
    sheet: np.ndarray
    turning: np.ndarray
    sheet_triangles: np.ndarray
    opacity: np.ndarray
    background: np.ndarray
    picture: np.ndarray
    rotation: np.ndarray
    irises: np.ndarray
    gaze: np.ndarray
    mouth: np.ndarray


@dataclasses.dataclass(frozen=True)
class PhotoHead:
    """A fitted portrait.

    Attributes:
        shape: all that decides positions.
        texture: float32 `[S + B, S, 4]` colour and opacity of the picture about the
            head, and below it a band of B rows that hold what is painted.
        tiles: int64 `[K, 4]` left, top, width and height of what is painted there, see
            `patch.EYE_TILES` and `patch.MOUTH_TILES`.
        eyes: what both eyes are composed of, the image's left one first.
        ground: float32 `[S, S, 4]` background, also behind the person, and 1 where it
            is the picture's own.
        photograph: uint8 `[size, size, 3]` the untouched crop.
        pixels: side of that crop in the picture.
        mouth_gap: between the lips at rest, head units.
        cut: how long the picture's edge cuts through the head, in sides of the crop.
    """

    shape: HeadShape
    texture: np.ndarray
    tiles: np.ndarray
    eyes: tuple[eye_texture.EyeTexture, eye_texture.EyeTexture]
    ground: np.ndarray
    photograph: np.ndarray
    pixels: float
    mouth_gap: float
    cut: float


def project(points: np.ndarray) -> np.ndarray:
    """See points `[..., 3]` on the screen `[..., 2]`."""
    return points[..., :2] / (1 + points[..., 2:] / pose.CAMERA_DISTANCE)


def lift(screen: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Place screen points `[..., 2]` at a depth `[...]`; returns `[..., 3]`."""
    depth = np.broadcast_to(depth, screen.shape[:-1])[..., None]
    return np.concatenate([screen * (1 + depth / pose.CAMERA_DISTANCE), depth], axis=-1)


def on_texture(screen: np.ndarray, side: int) -> np.ndarray:
    """Take screen points `[..., 2]` to pixels of a texture, centres at integers."""
    return (screen / REACH + 1) / 2 * side - 0.5
