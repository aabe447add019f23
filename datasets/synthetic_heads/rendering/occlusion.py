"""Soft shade: how open each vertex lies to the sky, and the key light's shadow."""

import numpy as np

from datasets.synthetic_heads.person import geometry, head, strands
from datasets.synthetic_heads.rendering import kernels, rasterizer

SHADOW_SIZE = 160
"""Texels of the shadow map along an edge. Ours: soft anyway, so it may be coarse."""

_HALF_EXTENT = 1.9
_NUM_DIRECTIONS = 28
_OPENNESS_SIZE = 112
_BIAS = 0.05
_LIFT = 0.04


def light_positions(
    positions: np.ndarray,
    normals: np.ndarray,
    direction: np.ndarray,
    size: int = SHADOW_SIZE,
) -> tuple[np.ndarray, np.ndarray]:
    """Look at vertices along a light.

    Args:
        positions, normals: float32 `[N, 3]`.
        direction: `[3]` towards the light.
        size: texels along an edge.

    Returns:
        float32 `[N, 3]` x, y in texels and depth of the vertices, to fill a shadow map
        with, and the same a little above the surface, to ask it without self-shadow.
    """
    towards = direction / np.linalg.norm(direction)
    helper = np.array([0.0, 1.0, 0.0])
    if abs(towards[1]) > 0.95:
        helper = np.array([0.0, 0.0, -1.0])
    right = np.cross(helper, towards)
    right /= np.linalg.norm(right)
    axes = np.stack([right, -np.cross(towards, right), -towards])
    axes = axes.astype(np.float32)
    axes[:2] *= 0.5 * size / _HALF_EXTENT
    seen = (positions - head.HEAD_CENTRE) @ axes.T
    seen[:, :2] += 0.5 * size - 0.5
    return seen, seen + (normals * np.float32(_LIFT)) @ axes.T


def shadow_map(
    shape: geometry.HeadGeometry, seen: np.ndarray, size: int = SHADOW_SIZE
) -> np.ndarray:
    """Return the depth float32 `[size, size]` that a light sees."""
    depth = np.empty((size, size), np.float32)
    shown = np.empty((size, size), np.int32)
    rasterizer.rasterize(
        seen, shape.triangles, shape.attributes, strands.strand_table(), depth, shown
    )
    return depth


def openness(shape: geometry.HeadGeometry) -> np.ndarray:
    """Return float32 `[N]`: the share of the sky that each vertex sees at rest.

    Follows: ambient occlusion, here by depth maps from directions all around.
    """
    posed = geometry.pose_head(shape, geometry.FrameState.neutral())
    seen_light = np.zeros(len(posed.positions), np.float32)
    all_light = np.full(len(posed.positions), 1e-6, np.float32)
    golden = np.pi * (3 - np.sqrt(5))
    for index in range(_NUM_DIRECTIONS):
        height = 1 - 1.7 * (index + 0.5) / _NUM_DIRECTIONS
        flat = np.sqrt(1 - height**2)
        angle = golden * index
        direction = np.array([flat * np.cos(angle), height, flat * np.sin(angle)])
        positions, _ = light_positions(
            posed.positions, posed.normals, direction, _OPENNESS_SIZE
        )
        depth = shadow_map(shape, positions, _OPENNESS_SIZE)
        cosines = posed.normals @ direction.astype(np.float32)
        _gather(positions, depth, cosines, seen_light, all_light)
    return np.clip(seen_light / all_light, 0.0, 1.0)


@kernels.cached
def _gather(positions, depth, cosines, seen_light, all_light):
    size = depth.shape[0]
    for i in range(positions.shape[0]):
        cosine = cosines[i]
        if cosine <= 0.05:
            continue
        all_light[i] += cosine
        x, y = (
            int(np.floor(positions[i, 0] + 0.5)),
            int(np.floor(positions[i, 1] + 0.5)),
        )
        if x < 0 or y < 0 or x >= size or y >= size:
            seen_light[i] += cosine
        elif positions[i, 2] < depth[y, x] + _BIAS:
            seen_light[i] += cosine
