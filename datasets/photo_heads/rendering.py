"""Renders states of a fitted portrait, with their ground truth."""

import dataclasses

import einops
import numpy as np

from datasets.photo_heads import mesh, photo_head, posing, rasterizer
from datasets.synthetic_heads import ground_truth, names
from vasa_jax.portrait import crop

FACTOR = 2
"""Samples per pixel along a side. Ours: as the synthetic heads."""

_CLASSES = {name: index for index, name in enumerate(names.MASK_CLASSES)}


@dataclasses.dataclass(frozen=True)
class Rendering:
    """One frame and its truth.

    Attributes:
        image: uint8 `[S, S, 3]`.
        masks: uint8 `[64, 64]` ids of `names.MASK_CLASSES`; hair counts as head.
        head_pose: float32 `[6]`, vector of `vasa_jax.types.HeadPose`.
        keypoints: float32 `[10, 2]` image units, as `names.KEYPOINT_NAMES`.
        mouth_opening: gap of the inner lips in eye distances, 0 or more.
    """

    image: np.ndarray
    masks: np.ndarray
    head_pose: np.ndarray
    keypoints: np.ndarray
    mouth_opening: float


class Renderer:
    """Renders frames of one size, reusing its buffers; one thread.

    Args:
        size: pixels of a side, a multiple of 64 or a divisor of it.
    """

    def __init__(self, size: int):
        self.size = size
        samples = size * FACTOR
        self._depth = np.empty((samples, samples), np.float32)
        self._shown = np.empty((samples, samples), np.int32)

    def render(
        self,
        head: photo_head.PhotoHead,
        state: photo_head.State,
        view: photo_head.View,
    ) -> Rendering:
        """Render one frame; the same arguments give the same arrays."""
        side = len(head.ground)
        parts = head.parts
        points = posing.vertices(parts, head.shape, state)
        samples = self.size * FACTOR
        screen = on_samples(points, parts, view, samples)
        uv = parts.uv + mesh.fold(parts, state) * (side / 2 / photo_head.REACH)
        opacity = np.ascontiguousarray(head.texture[..., 3])
        rasterizer.rasterize(
            screen, parts.triangles, parts.clear, uv, opacity, self._depth, self._shown
        )
        image = np.empty((self.size, self.size, 3), np.float32)
        rasterizer.colour(
            screen,
            parts.triangles,
            parts.kinds,
            uv,
            head.texture,
            head.ground,
            self._shown,
            *ground_of_samples(side, samples),
            FACTOR,
            image,
        )
        return Rendering(
            image=np.clip(np.rint(image), 0, 255).astype(np.uint8),
            masks=self._masks(parts, uv, screen, opacity),
            head_pose=posing.head_pose(head.shape, state, view),
            keypoints=posing.keypoints(head.shape, points, state, view),
            mouth_opening=posing.mouth_opening(head.shape, points, state),
        )

    def _masks(self, parts, uv, screen, opacity):
        """Tell what each of 64 x 64 cells shows in its middle."""
        size = ground_truth.MASK_SIZE
        step = len(self._shown) // size
        shown = self._shown[step // 2 :: step, step // 2 :: step]
        kinds = np.append(parts.kinds, -1)[shown]
        corners = np.append(parts.triangles, [[0, 0, 0]], axis=0)[shown]
        turning = parts.turning[corners].mean(axis=-1)
        place = np.rint(uv[corners].mean(axis=-2)).astype(int)
        column, row = einops.rearrange(place, "h w c -> c h w")
        rows, columns = opacity.shape
        is_seen = opacity[row.clip(0, rows - 1), column.clip(0, columns - 1)] > 0.5
        result = np.full((size, size), _CLASSES["background"], np.uint8)
        is_person = (kinds >= 0) & ((kinds != rasterizer.SHEET) | is_seen)
        result[is_person & (turning < 0.5)] = _CLASSES["torso"]
        result[is_person & (turning >= 0.5)] = _CLASSES["head"]
        result[kinds == rasterizer.EYE] = _CLASSES["eyes"]
        is_inner = (kinds == rasterizer.MOUTH) | (kinds == rasterizer.INVENTED)
        result[is_inner] = _CLASSES["mouth_interior"]
        return result


def on_samples(
    points: np.ndarray, parts: mesh.Mesh, view: photo_head.View, samples: int
) -> np.ndarray:
    """Return x, y in samples (centres at integers) and depth, float32 `[N, 3]`."""
    place = posing.on_image(photo_head.project(points), view)
    place = (place + 1) / 2 * samples - 0.5
    depth = points[:, 2] + parts.behind
    return np.concatenate([place, depth[:, None]], axis=1).astype(np.float32)


def ground_of_samples(side: int, samples: int) -> tuple[float, float]:
    """Return scale and shift from samples to texture pixels of the background.

    Ours: the background keeps its place whatever the view, as in all sets.
    """
    scale = crop.HALF_IMAGE_HEAD_UNITS / photo_head.REACH * side / samples
    return scale, side / 2 - 0.5 + (0.5 - samples / 2) * scale
