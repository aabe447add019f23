"""Camera, lights and background around an avatar."""

import dataclasses

import numpy as np

from datasets.synthetic_heads.person import geometry, head, randomization
from datasets.synthetic_heads.rendering import backgrounds

HALF_IMAGE_HEAD_UNITS = 1.5
"""Mesh units that half the image spans at scale 1. Ours: leaves room for hair, chin
and turns; the crop of real portraits is defined by the same number."""

NEAREST, FARTHEST = 14.0, 26.0
"""Camera distances, mesh units. Ours: 1.4 to 2.6 m, mild perspective as portraits."""


@dataclasses.dataclass(frozen=True)
class Camera:
    """A pinhole camera; the image spans [-1, 1] on both axes.

    Attributes:
        eye: float32 `[3]` place in mesh coordinates.
        axes: float32 `[3, 3]` rows: the image's right, up, and towards the viewer.
        focal: focal length in half images.
    """

    eye: np.ndarray
    axes: np.ndarray
    focal: float

    def project(self, points: np.ndarray) -> np.ndarray:
        """Project mesh coordinates `[..., 3]` to `[..., 3]`: x, y (down), depth."""
        seen = (points - self.eye) @ self.axes.T
        depth = -seen[..., 2]
        x = self.focal * seen[..., 0] / depth
        y = -self.focal * seen[..., 1] / depth
        return np.stack([x, y, depth], axis=-1)

    def to_vector(self) -> np.ndarray:
        """Return float32 `[13]`: eye, axes by rows, focal length."""
        return np.concatenate([self.eye, self.axes.ravel(), [self.focal]]).astype("f4")

    @classmethod
    def from_vector(cls, vector: np.ndarray) -> "Camera":
        """Read what `to_vector` wrote."""
        return cls(vector[:3], vector[3:12].reshape(3, 3), float(vector[12]))


@dataclasses.dataclass(frozen=True)
class Lights:
    """Three directional lights and a sky, linear intensities.

    Attributes:
        directions: float64 `[3, 3]` unit vectors towards key, fill and rim light.
        colours: float64 `[3, 3]`.
        sky, ground: float64 `[3]` ambient light from above and below.
        softness: of the key light's shadow, 1 sharp to 3 soft.
    """

    directions: np.ndarray
    colours: np.ndarray
    sky: np.ndarray
    ground: np.ndarray
    softness: float


@dataclasses.dataclass(frozen=True)
class Scene:
    """What surrounds the avatar; the same for all takes of an identity.

    Attributes:
        lights: what shines on it.
        background: uint8 `[256, 256, 3]`.
    """

    lights: Lights
    background: np.ndarray


def camera(
    distance: float = 20.0,
    scale: float = 1.0,
    offset: tuple[float, float] = (0.0, 0.0),
    yaw: float = 0.0,
    pitch: float = 0.0,
) -> Camera:
    """Place a camera by what it sees of a head at rest.

    Args:
        distance: from the head centre along the viewing axis, mesh units.
        scale: apparent size, 1 is the reference framing; the focal length follows.
        offset: where the head centre appears, image units.
        yaw, pitch: the camera's way around the head, radians; > 0 is to the image's
            right and above.

    Returns:
        The camera; its `focal` is `scale * distance / HALF_IMAGE_HEAD_UNITS`.
    """
    turn = geometry.rotation_in_mesh(np.array([yaw, -pitch, 0.0]))
    axes = turn.T
    focal = scale * distance / HALF_IMAGE_HEAD_UNITS
    seen = np.array([offset[0] / focal, -offset[1] / focal, -1.0]) * distance
    eye = head.HEAD_CENTRE - seen @ axes
    return Camera(eye.astype(np.float32), axes.astype(np.float32), float(focal))


def random_camera(seed: int) -> Camera:
    """Draw a camera near the reference framing.

    Ours: scales of 0.75 to 1.25 cover what loose crops of real portraits show.
    """
    generator = np.random.default_rng([seed, 21])
    return camera(
        distance=generator.uniform(NEAREST, FARTHEST),
        scale=float(np.clip(np.exp(generator.normal(0.0, 0.13)), 0.75, 1.25)),
        offset=tuple(np.clip(generator.normal(0.0, 0.06, 2), -0.15, 0.15)),
        yaw=float(np.clip(generator.normal(0.0, 0.05), -0.12, 0.12)),
        pitch=float(np.clip(generator.normal(0.0, 0.06), -0.15, 0.15)),
    )


def random_scene(seed: int, domain: randomization.Randomization | None = None) -> Scene:
    """Draw lights and a background; a seed always gives the same scene.

    Ours: muted colours and one dominant soft light, as in rooms and studios.

    Args:
        seed: of lights and background.
        domain: lets light be coloured and backgrounds vivid; None does not.
    """
    generator = np.random.default_rng([seed, 22])
    lights = _random_lights(generator)
    background = backgrounds.random_background(generator)
    if domain is not None:
        changes = np.random.default_rng([seed, 23])
        if randomization.happens(domain, changes, domain.light_probability):
            lights = _coloured(lights, changes)
        if randomization.happens(domain, changes, domain.background_probability):
            background = backgrounds.vivid_background(changes)
    return Scene(lights=lights, background=background)


def _coloured(lights, generator):
    tints = np.exp(generator.normal(0.0, 0.35, (3, 3)))
    strengths = np.exp(generator.normal(0.0, 0.35, (3, 1)))
    return dataclasses.replace(
        lights,
        colours=lights.colours * tints * strengths,
        sky=lights.sky * np.exp(generator.normal(0.0, 0.2, 3)),
        softness=float(generator.uniform(0.5, 3.0)),
    )


def _random_lights(generator):
    def towards(azimuth_degrees, elevation_degrees):
        azimuth, elevation = np.deg2rad([azimuth_degrees, elevation_degrees])
        flat = np.cos(elevation)
        return np.array(
            [np.sin(azimuth) * flat, np.sin(elevation), np.cos(azimuth) * flat]
        )

    side = generator.choice([-1.0, 1.0])
    warmth = generator.uniform(-1.0, 1.0)
    warm = np.array([1 + 0.10 * warmth, 1.0, 1 - 0.12 * warmth])
    key = generator.uniform(0.75, 1.25)
    contrast = generator.uniform(0.15, 0.6)
    directions = np.stack(
        [
            towards(side * generator.uniform(8, 60), generator.uniform(15, 50)),
            towards(-side * generator.uniform(30, 80), generator.uniform(0, 30)),
            towards(-side * 150, 30),
        ]
    )
    colours = np.stack(
        [
            warm * key,
            (2 - warm) * key * contrast * 0.5,
            np.array([1.0, 1.0, 1.05]) * generator.uniform(0.0, 0.5),
        ]
    )
    sky = (2 - warm) * generator.uniform(0.30, 0.50)
    ground = warm * np.array([0.95, 0.9, 0.85]) * generator.uniform(0.14, 0.28)
    softness = float(generator.uniform(1.0, 3.0))
    return Lights(directions, colours, sky, ground, softness)
