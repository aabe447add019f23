"""A portrait's whole mesh: face, sheet, and what lies behind lids and lips."""

import dataclasses

import numpy as np

from datasets.photo_heads import (
    contours,
    face_mesh,
    landmark_units,
    mouth_interior,
    photo_head,
    placed_landmarks,
    rasterizer,
)
from datasets.synthetic_heads import names

EYE_GROWTH, EYE_BACK = 1.12, 0.03
MOUTH_GROWTH, MOUTH_BACK = 1.04, 0.04
CAVITY_GROWTH, CAVITY_BACK = 1.1, 0.02
"""How far what lies behind a hole goes beyond its rim, and behind it, head units. Ours:
rims move."""

BEHIND_EYE, BEHIND_TEETH, BEHIND_CAVITY = 0.6, 0.7, 1.5
"""Added to depths in the z-buffer. Ours: nothing behind lids and lips ever pokes
through skin."""

FOLD = 0.4
"""How far above the rim the edge of a closed lid finds its skin, in heights of the eye.
Ours: beyond lashes and their shade, which would be smeared over the lid."""

RIM_REACH, RIM_FADE, FOLLOWS_WITHIN = 0.12, 0.3, 0.9
"""Over which width the sheet follows the point of the face's outline beside it, how
fast that ends, and from where on nothing follows, head units. Ours."""

JAW_UNITS = ("jawOpen", "jawLeft", "jawRight", "jawForward")
"""Units that the lower teeth follow."""

_LOWER_LIP, _UPPER_LIP = 14, 13


@dataclasses.dataclass(frozen=True)
class Mesh:
    """A portrait at rest; N vertices, T triangles.

    Attributes:
        points: float32 `[N, 3]` camera frame; the face's come first, then the sheet's.
        uv: float32 `[N, 2]` texture pixels, centres at integers.
        turning: float32 `[N]` how much of the head's turn a vertex follows.
        behind: float32 `[N]` added to its depth in the z-buffer.
        triangles: int32 `[T, 3]`, wound like the screen's x, y.
        kinds: int32 `[T]` of `rasterizer`; clear: int32 `[T]` as `HeadShape` has it.
        eyelids: float32 `[2, F, 3]` closing the image's left and right eye.
        lips: float32 `[F, 3]` closing the mouth.
        rim_points: int `[R]` of the face, which the sheet's points `rim_followers`
            follow by `rim_shares` `[P, R]`.
        cavity, lower_teeth: slices of the vertices.
    """

    points: np.ndarray
    uv: np.ndarray
    turning: np.ndarray
    behind: np.ndarray
    triangles: np.ndarray
    kinds: np.ndarray
    clear: np.ndarray
    eyelids: np.ndarray
    lips: np.ndarray
    rim_points: np.ndarray
    rim_followers: np.ndarray
    rim_shares: np.ndarray
    cavity: slice
    lower_teeth: slice


def assemble(shape: photo_head.HeadShape, side: int) -> Mesh:
    """Put together a portrait's mesh, for a texture of `side` pixels."""
    dense = face_mesh.face_mesh()
    turn = photo_head.rotation_matrix(shape.rotation)
    parts = _Parts(side)
    face = shape.face.astype(np.float64)
    parts.add(face, dense.triangles, rasterizer.FACE)
    parts.add_joined(shape.sheet, shape.sheet_triangles, shape.sheet_turning)
    for loop in dense.eye_loops:
        patch = _patch(face, loop, EYE_GROWTH, EYE_BACK)
        parts.add(patch, _fan(len(loop)), rasterizer.EYE, BEHIND_EYE)
    loop = dense.mouth_loop
    if shape.mouth_gap > placed_landmarks.OPEN_MOUTH:
        patch = _patch(face, loop, MOUTH_GROWTH, MOUTH_BACK)
        parts.add(patch, _fan(len(loop)), rasterizer.MOUTH, BEHIND_EYE)
    angle = np.linspace(0, 2 * np.pi, len(loop), endpoint=False)
    rim = 0.5 - 0.5 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    places = np.concatenate([rim, [[0.5, 0.5]]])
    patch = _patch(face, loop, CAVITY_GROWTH, CAVITY_BACK)
    cavity = parts.add(
        patch,
        _fan(len(loop)),
        rasterizer.INVENTED,
        BEHIND_CAVITY,
        parts.tile(mouth_interior.CAVITY, places),
    )

    def teeth(which, lip, span):
        strip, places, triangles = mouth_interior.strip(
            turn, shape.landmarks[lip], span
        )
        places = parts.tile(which, places)
        return parts.add(strip, triangles, rasterizer.INVENTED, BEHIND_TEETH, places)

    lower = teeth(mouth_interior.LOWER, _LOWER_LIP, mouth_interior.LOWER_SPAN)
    teeth(mouth_interior.UPPER, _UPPER_LIP, mouth_interior.UPPER_SPAN)
    kinds = np.concatenate(parts.kinds)
    clear = np.zeros(len(kinds), np.int32)
    clear[kinds == rasterizer.SHEET] = shape.sheet_clear
    rim_points, followers, shares = _rim(shape)
    return Mesh(
        points=np.concatenate(parts.points).astype(np.float32),
        uv=np.concatenate(parts.uv).astype(np.float32),
        turning=np.concatenate(parts.turning).astype(np.float32),
        behind=np.concatenate(parts.behind).astype(np.float32),
        triangles=np.concatenate(parts.triangles).astype(np.int32),
        kinds=kinds.astype(np.int32),
        clear=clear,
        eyelids=np.stack([lid.movement(shape.landmarks) for lid in dense.eyelids]),
        lips=dense.lips.movement(shape.landmarks),
        rim_points=rim_points,
        rim_followers=followers,
        rim_shares=shares,
        cavity=cavity,
        lower_teeth=lower,
    )


def movement(
    mesh: Mesh, shape: photo_head.HeadShape, state: photo_head.State
) -> np.ndarray:
    """Return how expression moves the vertices, float32 `[N, 3]`."""
    dense = face_mesh.face_mesh()
    turn = photo_head.rotation_matrix(shape.rotation)
    result = np.zeros_like(mesh.points)
    used = np.flatnonzero(state.arkit)
    weights = np.asarray(state.arkit, np.float32)[used]
    moved = np.tensordot(weights, dense.units[used], 1) @ turn.T * shape.mouth_scale
    moved = moved + np.tensordot(np.asarray(state.close_eyes), mesh.eyelids, 1)
    moved = moved + state.close_lips * mesh.lips
    count = len(moved)
    result[:count] = moved
    result[mesh.rim_followers] = mesh.rim_shares @ moved[mesh.rim_points]
    around = moved[dense.mouth_loop]
    around = np.concatenate([around, around.mean(axis=0, keepdims=True)])
    result[mesh.cavity] = CAVITY_GROWTH * around + (1 - CAVITY_GROWTH) * around.mean(
        axis=0
    )
    jaw = np.zeros(3)
    for name in JAW_UNITS:
        unit = names.ARKIT_NAMES.index(name)
        jaw += state.arkit[unit] * landmark_units.landmark_units()[unit, _LOWER_LIP]
    loop = dense.mouth_loop
    lower_lip = loop[len(loop) - len(loop) // 4]
    result[mesh.lower_teeth] = turn @ jaw + state.close_lips * mesh.lips[lower_lip]
    return result


def fold(mesh: Mesh, state: photo_head.State) -> np.ndarray:
    """Return by how much closing lids find their skin higher up, screen `[N, 2]`.

    Ours: the rim keeps its lashes, in one row of triangles; what would smear is left
    out.
    """
    result = np.zeros((len(mesh.points), 2), np.float32)
    closing = np.maximum(state.close_eyes, 0)
    if not closing.any():
        return result
    is_upper = mesh.eyelids[..., 1] > 0
    folds = np.where(is_upper[..., None], -FOLD * mesh.eyelids[..., :2], 0)
    for loop in face_mesh.face_mesh().eye_loops:
        folds[:, loop] = 0
    result[: folds.shape[1]] = np.tensordot(closing, folds, 1)
    return result


class _Parts:
    """Collects the pieces of the mesh."""

    def __init__(self, side):
        self.side, self.count = side, 0
        self.points, self.uv, self.turning, self.behind = [], [], [], []
        self.triangles, self.kinds = [], []

    def add(self, points, triangles, kind, behind=0.0, uv=None):
        """Append a piece that turns with the head; return the slice of its points."""
        return self._append(points, triangles + self.count, kind, 1.0, behind, uv)

    def add_joined(self, points, triangles, turning):
        """Append the sheet, whose triangles name the face's points too."""
        return self._append(points, triangles, rasterizer.SHEET, turning, 0.0, None)

    def _append(self, points, triangles, kind, turning, behind, uv):
        if uv is None:
            uv = on_texture(photo_head.project(points), self.side)
        self.points.append(points)
        self.uv.append(uv)
        self.turning.append(np.broadcast_to(turning, len(points)))
        self.behind.append(np.full(len(points), behind))
        self.triangles.append(triangles)
        self.kinds.append(np.full(len(triangles), kind))
        start, self.count = self.count, self.count + len(points)
        return slice(start, self.count)

    def tile(self, which, places):
        """Place `[P, 2]` in [0, 1] in a tile, as texture pixels."""
        tile = mouth_interior.TILE
        return 1 + places * (tile - 3) + np.array([which * tile, self.side])


def on_texture(screen: np.ndarray, side: int) -> np.ndarray:
    """Turn screen places into texture pixels, centres at integers."""
    return (screen / photo_head.REACH + 1) / 2 * side - 0.5


def _patch(face, loop, growth, back):
    ring = photo_head.project(face[loop])
    middle = ring.mean(axis=0)
    flat = np.concatenate([middle + growth * (ring - middle), middle[None]])
    depth = np.append(face[loop, 2], face[loop, 2].mean()) + back
    return photo_head.lift(flat, depth)


def _fan(count):
    ring = np.arange(count)
    return np.stack([ring, np.roll(ring, -1), np.full(count, count)], axis=1)


def _rim(shape):
    """Tell which points of the sheet follow the face's outline, and how."""
    dense = face_mesh.face_mesh()
    ring = dense.outline[:: max(1, len(dense.outline) // len(contours.OVAL))]
    outline = photo_head.project(shape.face[ring])
    screen = photo_head.project(shape.sheet)
    away = np.square(screen).sum(axis=1, keepdims=True) - 2 * screen @ outline.T
    away += np.square(outline).sum(axis=1)
    distance = np.sqrt(np.maximum(away.min(axis=1), 0))
    near = np.flatnonzero(distance < FOLLOWS_WITHIN)
    share = np.exp(-away[near] / RIM_REACH**2) + 1e-9
    share /= share.sum(axis=1, keepdims=True)
    share *= np.exp(-((distance[near] / RIM_FADE) ** 2))[:, None]
    return ring, len(shape.face) + near, share.astype(np.float32)
