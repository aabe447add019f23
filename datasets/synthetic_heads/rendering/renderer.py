"""Pictures of avatars with their ground truth."""

import dataclasses
import zlib

import numpy as np

from datasets.synthetic_heads.person import appearance, avatar, geometry, head, strands
from datasets.synthetic_heads.rendering import (
    filters,
    ground_truth,
    materials,
    occlusion,
    rasterizer,
    scene,
    shading,
)
from vasa_jax import arkit as arkit_lib
from vasa_jax import errors


@dataclasses.dataclass(frozen=True)
class RenderedHead:
    """One frame and its truth; P keypoints as `names.KEYPOINT_NAMES`.

    Attributes:
        image: uint8 `[size, size, 3]`.
        head_pose: float32 `[6]`, vector of `vasa_jax.types.HeadPose`.
        gaze: float32 `[2]` yaw, pitch in the camera frame, radians.
        keypoints: float32 `[P, 2]` image units.
        mouth_aperture: gap of the inner lips in eye distances, 0 or more.
        masks: uint8 `[64, 64]` ids of `names.MASK_CLASSES`.
        arkit: float32 `[52]` weights as shown, gaze's among them.
    """

    image: np.ndarray
    head_pose: np.ndarray
    gaze: np.ndarray
    keypoints: np.ndarray
    mouth_aperture: float
    masks: np.ndarray
    arkit: np.ndarray


class Renderer:
    """Renders frames of one size, reusing its buffers; one thread.

    Ours: a z-buffer in numba needs neither GL nor a GPU, and gives exact truth.

    Args:
        size: pixels along an edge, 16 to 2048.
        supersampling: samples a pixel along one axis, 1 to 4.
    """

    def __init__(self, size: int, supersampling: int = 2):
        if not 16 <= size <= 2048 or not 1 <= supersampling <= 4:
            raise errors.UserError(
                f"Cannot render {size} pixels with supersampling {supersampling}; give "
                "16 to 2048 pixels and 1 to 4 samples."
            )
        self.size = size
        self.supersampling = supersampling
        samples = size * supersampling
        self._depth = np.empty((samples, samples), np.float32)
        self._shown = np.empty((samples, samples), np.int32)
        self._to_linear, self._to_bytes = materials.tables()

    def render(
        self,
        person: avatar.Avatar,
        surroundings: scene.Scene,
        camera: scene.Camera,
        state: geometry.FrameState,
    ) -> RenderedHead:
        """Render one frame; the same arguments give the same arrays."""
        shape, looks = person.geometry, person.appearance
        posed = geometry.pose_head(shape, state)
        samples = self.size * self.supersampling
        screen = screen_positions(posed.positions, camera, samples)
        table = strands.strand_table()
        rasterizer.rasterize(
            screen, shape.triangles, shape.attributes, table, self._depth, self._shown
        )
        colours, numbers = material_arrays(looks)
        view = camera.eye - posed.head_centre
        lights = surroundings.lights
        light_positions, light_seen = occlusion.light_positions(
            posed.positions, posed.normals, lights.directions[0]
        )
        image = np.empty((self.size, self.size, 3), np.uint8)
        shading.shade(
            shading.Surface(
                screen=screen,
                triangles=shape.triangles,
                attributes=shape.attributes,
                shown=self._shown,
                normals=posed.normals,
                openness=person.openness,
            ),
            shading.Looks(
                texture=looks.skin_texture,
                colours=colours,
                numbers=numbers,
                strands=table,
                to_linear=self._to_linear,
                to_bytes=self._to_bytes,
            ),
            shading.Lights(
                directions=lights.directions,
                intensities=lights.colours,
                sky=lights.sky,
                ground=lights.ground,
                seen=light_seen,
                depth=occlusion.shadow_map(shape, light_positions),
                softness=lights.softness,
            ),
            shading.Eye(
                towards=(view / np.linalg.norm(view)).astype(np.float64),
                head_up=posed.rotation[:, 1].copy(),
            ),
            surroundings.background,
            self.supersampling,
            image,
        )
        return RenderedHead(
            image=self._developed(person, image, state),
            head_pose=ground_truth.head_pose(posed, camera),
            gaze=ground_truth.gaze(posed, camera),
            keypoints=ground_truth.keypoints(posed, camera),
            mouth_aperture=ground_truth.mouth_aperture(posed),
            masks=self._masks(screen, shape, numbers),
            arkit=arkit_lib.with_gaze(state.arkit, state.gaze_in_head),
        )

    def _developed(self, person, image, state):
        if person.photo is None:
            return image
        parts = (state.arkit, state.gaze_in_head, state.rotation, state.translation)
        key = zlib.crc32(np.concatenate(parts).astype(np.float32).tobytes())
        return filters.develop(person.photo, image, key)

    def _masks(self, screen, shape, numbers):
        masks = np.empty((ground_truth.MASK_SIZE, ground_truth.MASK_SIZE), np.uint8)
        ground_truth.draw_masks(
            screen,
            shape.triangles,
            shape.attributes,
            self._shown,
            heights_above_neckline(shape, numbers),
            masks,
        )
        return masks


def screen_positions(positions, camera: scene.Camera, samples: int) -> np.ndarray:
    """Project vertices to float32 `[N, 3]`: x, y in samples, and depth."""
    screen = camera.project(positions)
    screen[:, :2] = (screen[:, :2] + 1) * (0.5 * samples) - 0.5
    return screen.astype(np.float32)


def material_arrays(looks: appearance.Appearance) -> tuple[np.ndarray, np.ndarray]:
    """Pack an appearance as `materials` wants it: colours `[9, 3]`, numbers `[7]`."""
    colours = np.stack(
        [
            looks.hair,
            looks.iris,
            looks.cloth,
            looks.cloth_trim,
            looks.lips,
            looks.lashes,
            looks.frame,
            looks.hat,
            looks.teeth,
        ]
    )
    linear = np.clip(colours, 0.0, 1.0) ** 2.2
    numbers = np.array(
        [
            looks.cloth_pattern,
            looks.cloth_frequency,
            looks.neckline,
            looks.neckline_depth,
            looks.collar,
            looks.gloss,
            looks.is_bald,
        ],
        np.float64,
    )
    return linear, numbers


def heights_above_neckline(shape: geometry.HeadGeometry, numbers) -> np.ndarray:
    """Return float32 `[N]` how far each vertex lies above the garment's edge."""
    x, y, z = shape.attributes[:, :3].T
    front = numbers[materials.NECK_DEPTH] * _rise(-0.2, 1.0, z) * np.exp(-4 * x * x)
    edge = numbers[materials.NECKLINE] - front + 0.5 * _rise(0.5, 1.0, np.abs(x))
    above = np.where(shape.attributes[:, geometry.MATERIAL] == head.SKIN, y - edge, 1.0)
    return above.astype(np.float32)


def _rise(low, high, values):
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    return t * t * (3 - 2 * t)
