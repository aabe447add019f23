"""An identity's geometry: its neutral shape, and the vertices of any frame."""

import dataclasses
import functools

import numpy as np

from datasets.synthetic_heads.person import accessories, hair, head, strands
from datasets.synthetic_heads.rendering import kernels
from vasa_jax import arkit as arkit_lib

_SPHERE_RINGS, _SPHERE_SPOKES = 14, 20

POSITION, MATERIAL, LAYER, HAIR_MASK, LIPS, INNER, AZIMUTH = 0, 3, 4, 5, 6, 7, 8
ACROSS, ALONG = 9, 10
NUM_ATTRIBUTES = 11
"""Columns of `HeadGeometry.attributes`; position takes three."""


@dataclasses.dataclass(frozen=True)
class FrameState:
    """What one frame shows of an avatar.

    Attributes:
        arkit: `[52]` weights in the order of `arkit.NAMES`; the eyeLook ones
            are ignored, as gaze tells them.
        gaze_in_head: `[2]` yaw, pitch of the eyes in the head, radians.
        rotation: `[3]` yaw, pitch, roll of the head on its neck, radians, signs of
            `vasa_jax.types`.
        translation: `[3]` of head and torso, mesh units, axes of the mesh.
    """

    arkit: np.ndarray
    gaze_in_head: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray

    @classmethod
    def neutral(cls) -> "FrameState":
        """Return the state of rest, looking straight ahead."""
        zeros = np.zeros
        return cls(zeros(arkit_lib.NUM_UNITS), zeros(2), zeros(3), zeros(3))


@dataclasses.dataclass(frozen=True)
class HeadGeometry:
    """One identity's shape; N vertices are skin, eyeballs, hair and what is worn.

    Attributes:
        traits, style: what the shape was drawn with.
        points: float32 `[V, 3]` neutral shape.
        expression_starts, expression_points, expression_deltas: the expression
            units with their zeros left out; unit u owns entries
            starts[u]:starts[u + 1].
        turning: float32 `[V]` how much of the head's rotation a point follows.
        pivot: float32 `[3]` where the neck turns.
        eye_centres: float32 `[2, 3]`; eye_radii: `[2]`; left, then right.
        triangles: int32 `[T, 3]` all triangles over the N vertices, outer hair first.
        attributes: float32 `[N, 11]`, columns as the constants above.
        hair: the hair, and what the head wears.
    """

    traits: head.Traits
    style: hair.HairStyle
    points: np.ndarray
    expression_starts: np.ndarray
    expression_points: np.ndarray
    expression_deltas: np.ndarray
    turning: np.ndarray
    pivot: np.ndarray
    eye_centres: np.ndarray
    eye_radii: np.ndarray
    triangles: np.ndarray
    attributes: np.ndarray
    hair: hair.HairMesh


@dataclasses.dataclass(frozen=True)
class PosedHead:
    """The vertices of one frame, in mesh coordinates (x right, y up, z to viewer).

    Attributes:
        positions, normals: float32 `[N, 3]`.
        points: float32 `[V, 3]` the posed points of the head mesh.
        rotation: float32 `[3, 3]` of the head; head_centre: `[3]`.
        eye_centres: float32 `[2, 3]`, left, then right.
        gaze_direction: float32 `[3]`.
    """

    positions: np.ndarray
    normals: np.ndarray
    points: np.ndarray
    rotation: np.ndarray
    head_centre: np.ndarray
    eye_centres: np.ndarray
    gaze_direction: np.ndarray


def rotation_in_mesh(rotation: np.ndarray) -> np.ndarray:
    """Build the matrix of yaw, pitch, roll `[3]` in mesh axes (y up, z to viewer).

    The same turn as `vasa_jax.geometry.rotation_matrix` with y and z negated.
    """
    (cy, cp, cr), (sy, sp, sr) = np.cos(rotation), np.sin(rotation)
    yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    pitch = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return (yaw @ pitch @ roll).astype(np.float32)


@functools.lru_cache(maxsize=64)
def build_geometry(identity_seed: int, exaggeration: float = 1.0) -> HeadGeometry:
    """Draw an identity's shape and hair; the same seed gives the same arrays.

    Ours: geometry draws from a stream of its own, so that records can rebuild it
    without painting a texture.
    """
    mesh = head.load_head_mesh()
    generator = np.random.default_rng([identity_seed, 1])
    traits, weights = head.random_identity(generator, exaggeration)
    style = hair.random_style(generator, traits)
    worn = accessories.random_worn(generator)
    style = accessories.under_hat(style, worn)
    points = head.shaped_points(weights)
    centres, radii = _fit_eyeballs(points)
    drop = 0.35 * np.clip(0.2 - mesh.base[:, 2], 0.0, 1.0)
    turning = hair.smooth_step(5.35, 6.35, mesh.base[:, 1] + drop)
    pivot = points[mesh.neck].mean(0) * [0.0, 1.0, 1.0] + [0.0, 0.35, 0.15]
    vertex_base = mesh.base[mesh.point_of_vertex]
    mask = hair.hair_mask(vertex_base, style.hairline, style.temples)
    mask = mask - 0.6 * mesh.ears
    rest = _normals(points, _point_triangles())[mesh.point_of_vertex]
    shown = points[mesh.point_of_vertex]
    grown = hair.grow_hair(style, shown, rest, mask)
    parts = accessories.put_on(worn, shown, rest, vertex_base)
    grown = hair.joined([*parts, grown])
    starts, which, deltas = _sparse_expressions()
    scale = _size_factor(points)
    return HeadGeometry(
        traits=traits,
        style=style,
        points=points,
        expression_starts=starts,
        expression_points=which,
        expression_deltas=deltas * np.float32(scale),
        turning=turning.astype(np.float32),
        pivot=pivot.astype(np.float32),
        eye_centres=centres,
        eye_radii=radii,
        triangles=_all_triangles(grown),
        attributes=_attributes(vertex_base, mask, style, grown),
        hair=grown,
    )


def pose_head(geometry: HeadGeometry, state: FrameState) -> PosedHead:
    """Compute the vertices of one frame.

    Follows: linear blend shapes and linear blend skinning, as MakeHuman does.
    """
    mesh = head.load_head_mesh()
    weights = arkit_lib.with_gaze(state.arkit, state.gaze_in_head)
    turn = rotation_in_mesh(np.asarray(state.rotation))
    translation = np.asarray(state.translation, np.float32)
    points = _pose_points(
        geometry.points,
        geometry.expression_starts,
        geometry.expression_points,
        geometry.expression_deltas,
        weights,
        geometry.turning,
        geometry.pivot,
        turn,
        translation,
    )

    def carried(points):
        return geometry.pivot + (points - geometry.pivot) @ turn.T + translation

    yaw, pitch = state.gaze_in_head
    looking = turn @ rotation_in_mesh(np.array([yaw, pitch, 0.0]))
    eye_centres = carried(geometry.eye_centres)
    eye_normals = _sphere()[0] @ looking.T
    shown = points[mesh.point_of_vertex]
    normals = _normals(points, _point_triangles())[mesh.point_of_vertex]
    hair_positions, hair_normals = _pose_rigid(
        geometry.hair.positions,
        geometry.hair.normals,
        geometry.hair.turning,
        geometry.pivot,
        turn,
        translation,
    )
    eyeballs = [
        centre + eye_normals * radius
        for centre, radius in zip(eye_centres, geometry.eye_radii, strict=True)
    ]
    return PosedHead(
        positions=np.concatenate([shown, *eyeballs, hair_positions]).astype(np.float32),
        normals=np.concatenate(
            [normals, eye_normals, eye_normals, hair_normals]
        ).astype(np.float32),
        points=points,
        rotation=turn,
        head_centre=carried(head.HEAD_CENTRE),
        eye_centres=eye_centres,
        gaze_direction=looking[:, 2],
    )


def _fit_eyeballs(points):
    mesh = head.load_head_mesh()
    low = np.stack([points[i].min(0) for i in (mesh.left_eye, mesh.right_eye)])
    high = np.stack([points[i].max(0) for i in (mesh.left_eye, mesh.right_eye)])
    return (low + high) / 2, (high - low).mean(axis=1) / 2 * np.float32(0.985)


def _size_factor(points):
    """Scale expressions with the distance of the eyes."""
    mesh = head.load_head_mesh()

    def eye_distance(of):
        return np.linalg.norm(of[mesh.left_eye].mean(0) - of[mesh.right_eye].mean(0))

    return eye_distance(points) / eye_distance(mesh.base)


@functools.lru_cache(maxsize=1)
def _sparse_expressions():
    return head.sparse_deltas(head.load_head_mesh().expression_deltas)


@functools.lru_cache(maxsize=1)
def _point_triangles():
    mesh = head.load_head_mesh()
    return mesh.point_of_vertex[mesh.triangles]


@functools.lru_cache(maxsize=1)
def _sphere():
    """Unit sphere with its pole at the pupil: points `[P, 3]`, triangles `[F, 3]`."""
    polar = np.linspace(0.0, np.pi, _SPHERE_RINGS)[:, None]
    around = np.linspace(0.0, 2 * np.pi, _SPHERE_SPOKES, endpoint=False)[None]
    x, y = np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around)
    points = np.stack([x, y, np.cos(polar) + 0 * around], axis=-1)
    ring, spoke = np.indices((_SPHERE_RINGS - 1, _SPHERE_SPOKES))
    after = (spoke + 1) % _SPHERE_SPOKES
    a, b = ring * _SPHERE_SPOKES + spoke, ring * _SPHERE_SPOKES + after
    c, d = a + _SPHERE_SPOKES, b + _SPHERE_SPOKES
    upper, lower = np.stack([a, c, b], axis=-1), np.stack([b, c, d], axis=-1)
    triangles = np.stack([upper, lower], axis=2).reshape(-1, 3)
    return points.reshape(-1, 3).astype(np.float32), triangles.astype(np.int32)


def _all_triangles(grown):
    shown = _head_triangles()
    first = len(head.load_head_mesh().point_of_vertex) + 2 * len(_sphere()[0])
    return np.concatenate([shown, grown.triangles + first]).astype(np.int32)


@functools.lru_cache(maxsize=1)
def _head_triangles():
    """Triangles of skin, mouth, upper lashes and eyeballs."""
    mesh = head.load_head_mesh()
    sphere, sphere_triangles = _sphere()
    first = len(mesh.point_of_vertex)
    corners = mesh.base[_point_triangles()]
    is_lash = mesh.triangle_materials == head.LASH
    low = corners[:, :, 1].mean(axis=1) < 7.285
    beyond = np.abs(corners[:, :, 0]).max(axis=1) > 0.475
    eyes = [sphere_triangles + first, sphere_triangles + first + len(sphere)]
    return np.concatenate([mesh.triangles[~(is_lash & (low | beyond))], *eyes])


def _attributes(vertex_base, mask, style, grown):
    mesh = head.load_head_mesh()
    sphere, _ = _sphere()

    def rows(positions, material, combed):
        part = np.zeros((len(positions), NUM_ATTRIBUTES), np.float32)
        part[:, POSITION : POSITION + 3] = positions
        part[:, MATERIAL] = material
        part[:, AZIMUTH] = np.arctan2(positions[:, 0], positions[:, 2] - 0.3)
        part[:, ACROSS : ALONG + 1] = combed
        return part

    skin = rows(
        vertex_base,
        mesh.vertex_materials,
        strands.strand_coordinates(style, vertex_base),
    )
    skin[:, HAIR_MASK] = mask
    skin[:, LIPS] = mesh.lips
    skin[:, INNER] = mesh.inner_mouth
    eye = rows(sphere, head.EYE, 0.0)
    combed = strands.strand_coordinates(style, grown.positions)
    hangs = grown.materials == head.DRAPE
    combed[hangs] = strands.hanging_coordinates(grown.positions[hangs])
    hairs = rows(grown.positions, grown.materials, combed)
    hairs[:, LAYER] = grown.layers
    hairs[:, HAIR_MASK] = grown.masks
    return np.concatenate([skin, eye, eye, hairs])


@kernels.cached
def _pose_rigid(neutral, normals, turning, pivot, turn, shift):
    posed, posed_normals = np.empty_like(neutral), np.empty_like(normals)
    for point in range(neutral.shape[0]):
        x = neutral[point, 0] - pivot[0]
        y = neutral[point, 1] - pivot[1]
        z = neutral[point, 2] - pivot[2]
        nx, ny, nz = normals[point, 0], normals[point, 1], normals[point, 2]
        share = turning[point]
        for axis in range(3):
            a, b, c = turn[axis, 0], turn[axis, 1], turn[axis, 2]
            still = neutral[point, axis] - pivot[axis]
            turned = a * x + b * y + c * z
            mixed = still * (1 - share) + turned * share
            posed[point, axis] = pivot[axis] + mixed + shift[axis]
            posed_normals[point, axis] = a * nx + b * ny + c * nz
    return posed, posed_normals


@kernels.cached
def _pose_points(neutral, starts, which, deltas, weights, turning, pivot, turn, shift):
    posed = neutral.copy()
    head.add_deltas(posed, weights, starts, which, deltas)
    for point in range(posed.shape[0]):
        x = posed[point, 0] - pivot[0]
        y = posed[point, 1] - pivot[1]
        z = posed[point, 2] - pivot[2]
        share = turning[point]
        for axis in range(3):
            turned = turn[axis, 0] * x + turn[axis, 1] * y + turn[axis, 2] * z
            still = x if axis == 0 else (y if axis == 1 else z)
            posed[point, axis] = (
                pivot[axis] + still * (1 - share) + turned * share + shift[axis]
            )
    return posed


@kernels.cached
def _normals(points, triangles):
    normals = np.zeros(points.shape, np.float32)
    for index in range(triangles.shape[0]):
        a, b, c = triangles[index, 0], triangles[index, 1], triangles[index, 2]
        ux, vx = points[b, 0] - points[a, 0], points[c, 0] - points[a, 0]
        uy, vy = points[b, 1] - points[a, 1], points[c, 1] - points[a, 1]
        uz, vz = points[b, 2] - points[a, 2], points[c, 2] - points[a, 2]
        x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for corner in (a, b, c):
            normals[corner, 0] += x
            normals[corner, 1] += y
            normals[corner, 2] += z
    for point in range(points.shape[0]):
        x, y, z = normals[point, 0], normals[point, 1], normals[point, 2]
        length = (x * x + y * y + z * z) ** 0.5 + 1e-9
        for axis in range(3):
            normals[point, axis] /= length
    return normals
