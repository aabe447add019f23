"""Render a photographed head in any state and view, with its ground truth."""

import dataclasses

import numpy as np

from datasets.photo_heads.fit import face_mesh, photo_head
from datasets.photo_heads.parts import eye_patches, patch
from datasets.photo_heads.rendering import posing, rasterizer
from vasa_jax.portrait import crop, eyelids, mouth_light
from vasa_jax.portrait import irises as irises_lib

FACTOR = 2
"""Samples per pixel along a side. Ours: four soften edges enough."""

NARROW = 0.02
"""Mean gap between lips up to which their inside is dark, half images at scale 1. Ours:
5 pixels of 512; teeth in full light showed as white specks between shut lips."""

MASK_SIZE = 64
"""Cells along a mask's edge. Follows: `synthetic_heads.ground_truth`."""


@dataclasses.dataclass(frozen=True)
class Rendering:
    """One frame of S x S pixels.

    Attributes:
        image: uint8 `[S, S, 3]`.
        genuine: bool `[S, S]` where it shows the photograph's own pixels: not stretched
            twofold, not invented, inside the picture.
        masks: uint8 `[64, 64]` of `synthetic_heads.names.MASK_CLASSES`.
        head_pose: float32 `[6]`, see `posing.head_pose`.
        keypoints: float32 `[10, 2]`, see `posing.keypoints`.
        mouth_aperture: see `posing.mouth_aperture`.
    """

    image: np.ndarray
    genuine: np.ndarray
    masks: np.ndarray
    head_pose: np.ndarray
    keypoints: np.ndarray
    mouth_aperture: float


class Renderer:
    """Renders heads at one size; keeps buffers and the last head's rig."""

    def __init__(self, size: int):
        """Make the buffers.

        Args:
            size: pixels along an image's edge.
        """
        self._size = size
        samples = size * FACTOR
        self._depth = np.empty((samples, samples), np.float32)
        self._shown = np.empty((samples, samples), np.int32)
        self._shape = self._last_rig = self._texture = None

    def render(
        self,
        head: photo_head.PhotoHead,
        state: photo_head.State,
        view: photo_head.View,
    ) -> Rendering:
        """Render one frame."""
        rig = self._rig(head)
        moves = posing.point_moves(rig, state)
        points = posing.turned(rig, rig.rest + moves, rig.turning, state)
        screen = to_samples(rig, points, view, self._size * FACTOR)
        side = head.ground.shape[0]
        folded = rig.screen + posing.folds(rig, state)
        home = photo_head.on_texture(folded, side).astype(np.float32)
        unturned = photo_head.project(rig.rest + moves)
        uv = _texture_uv(rig, head, home, unturned)
        _paint_eyes(rig, head, state, unturned, self._texture)
        _light_mouth(head, unturned, self._texture)
        mesh = screen, rig.triangles, rig.kinds
        opacity = self._texture[..., 3]
        rasterizer.rasterize(*mesh, uv, opacity, self._depth, self._shown)
        image = np.empty((self._size, self._size, 3), np.float32)
        genuine = np.empty((self._size, self._size), np.bool_)
        stretch = rasterizer.stretches(
            rig.triangles, folded, photo_head.project(points)
        )
        edges = photo_head.on_texture(head.shape.picture, side)
        rasterizer.resolve(
            *mesh,
            stretch,
            uv,
            home,
            self._texture,
            head.ground,
            edges,
            self._shown,
            ground_map(self._size * FACTOR, side),
            FACTOR,
            image,
            genuine,
        )
        masks = np.empty((MASK_SIZE, MASK_SIZE), np.uint8)
        rasterizer.draw_masks(*mesh, uv, opacity, rig.turning, self._shown, masks)
        return Rendering(
            image=np.clip(np.rint(image), 0, 255).astype(np.uint8),
            genuine=genuine,
            masks=masks,
            head_pose=posing.head_pose(rig, state, view),
            keypoints=posing.keypoints(rig, state, view),
            mouth_aperture=posing.mouth_aperture(rig, state),
        )

    def _rig(self, head):
        """Return the head's rig; it and a texture are made when another head comes."""
        if self._shape is not head.shape:
            self._shape, self._last_rig = head.shape, posing.build_rig(head.shape)
            self._texture = head.texture.copy()
        return self._last_rig


def to_samples(
    rig: posing.Rig, points: np.ndarray, view: photo_head.View, num_samples: int
) -> np.ndarray:
    """Place points `[N, 3]` in the z-buffer: x, y in samples, and depth; float32."""
    image = view.to_image(photo_head.project(points))
    samples = (image + 1) / 2 * num_samples - 0.5
    depth = points[:, 2] + rig.behind
    return np.column_stack([samples, depth]).astype(np.float32)


def ground_map(num_samples: int, side: int) -> np.ndarray:
    """Return factor and shift `[2]` from samples to pixels of the background."""
    half_size = crop.HALF_IMAGE_HEAD_UNITS
    first = photo_head.on_texture(np.float64(half_size * (1 / num_samples - 1)), side)
    scale = half_size / photo_head.REACH * side / num_samples
    return np.array([scale, first], np.float32)


def _texture_uv(rig, head, home, unturned):
    """Return the texture pixels `[N, 2]` of all points; patches show their tiles."""
    result = home.copy()
    end = len(rig.shape.face) + len(rig.shape.sheet)
    for one in rig.patches:
        start, end = end, end + len(one.points)
        if one.tile is None:
            continue
        corner, size = head.tiles[one.tile, :2], head.tiles[one.tile, 2:]
        if one.tile in patch.EYE_TILES:
            seen = photo_head.on_texture(unturned[start:end], head.ground.shape[0])
            result[start:end] = seen - head.eyes[one.tile].corner + corner
        else:
            result[start:end] = corner + one.uv * (size - 1)
    return result


def _paint_eyes(rig, head, state, unturned, texture):
    """Paint both eyes' tiles as a state shows them."""
    side = head.ground.shape[0]
    irises = eye_patches.irises_of(rig.shape)
    centres, matrix = irises_lib.discs(irises, state.gaze)
    for eye, loop in enumerate(face_mesh.face_mesh().eye_loops):
        left, top, width, height = head.tiles[patch.EYE_TILES[eye]]
        layers = head.eyes[eye]
        rim = photo_head.on_texture(unturned[loop], side).astype(np.float64)
        texture[top : top + height, left : left + width, :3] = layers.compose(
            photo_head.on_texture(centres[eye], side),
            matrix * irises.radii[eye] * layers.unit,
            eyelids.Lids.of_rim(rim),
        )


def _light_mouth(head, unturned, texture):
    """Light what is painted of the mouth's inside as its opening lets it in."""
    x, y = mouth_light.HALF_IMAGES * unturned[face_mesh.face_mesh().mouth_loop].T
    area = 0.5 * abs(x @ np.roll(y, -1) - np.roll(x, -1) @ y)
    light = mouth_light.light_within(area) * min(1.0, area / np.ptp(x) / NARROW)
    for left, top, width, height in head.tiles[list(patch.MOUTH_TILES)]:
        tile = slice(top, top + height), slice(left, left + width), slice(3)
        texture[tile] = light * head.texture[tile]
