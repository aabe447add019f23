"""What heads wear: glasses and knitted hats."""

import dataclasses

import einops
import numpy as np

from datasets.synthetic_heads.person import hair, head

GLASSES_ODDS, HAT_ODDS = 0.18, 0.06
"""Share of identities that wear them. Ours: portraits show both now and then."""

FRAME_LAYER, HAT_LAYER = 0.0, 1.0
"""Layer of worn vertices, by which their colour is chosen."""

_TUBE_SIDES = 5
_THICKEST_UNDER_HAT = 0.06


@dataclasses.dataclass(frozen=True)
class Glasses:
    """The shape of a pair of glasses, mesh units.

    Attributes:
        half_width, half_height: of a lens.
        roundness: exponent of the rim's superellipse, 2 is an ellipse.
        thickness: radius of the rim.
    """

    half_width: float
    half_height: float
    roundness: float
    thickness: float


@dataclasses.dataclass(frozen=True)
class Worn:
    """What one identity wears.

    Attributes:
        glasses: their shape, or None.
        has_hat: whether a knitted hat covers the hair.
        hat_edge: height of the hat's edge at the forehead.
    """

    glasses: Glasses | None
    has_hat: bool
    hat_edge: float


def random_worn(generator: np.random.Generator) -> Worn:
    """Draw what an identity wears. Ours: see `GLASSES_ODDS`."""
    half_width = generator.uniform(0.20, 0.25)
    glasses = Glasses(
        half_width=float(half_width),
        half_height=float(half_width * generator.uniform(0.62, 1.0)),
        roundness=float(generator.uniform(2.0, 4.5)),
        thickness=float(generator.uniform(0.010, 0.026)),
    )
    wears_glasses = generator.random() < GLASSES_ODDS
    return Worn(
        glasses=glasses if wears_glasses else None,
        has_hat=bool(generator.random() < HAT_ODDS),
        hat_edge=float(generator.uniform(7.72, 7.95)),
    )


def under_hat(style: hair.HairStyle, worn: Worn) -> hair.HairStyle:
    """Flatten hair that a hat covers."""
    if not worn.has_hat:
        return style
    thickness = min(style.thickness, _THICKEST_UNDER_HAT)
    name = "cropped" if style.name in ("curly", "tied") else style.name
    return dataclasses.replace(style, thickness=thickness, name=name, bun=None)


def put_on(
    worn: Worn, points: np.ndarray, normals: np.ndarray, base: np.ndarray
) -> list[hair.HairMesh]:
    """Make the meshes of what is worn; they turn with the head.

    Args:
        worn: what to make.
        points, normals: `[R, 3]` render vertices of the neutral identity.
        base: `[R, 3]` the same vertices of the base mesh.
    """
    parts = []
    if worn.glasses is not None:
        parts += _glasses(worn.glasses, points)
    if worn.has_hat:
        parts.append(_hat(worn, points, normals, base))
    return parts


def _glasses(shape, points):
    x, y, z = points.T
    around = (np.abs(x) > 0.10) & (np.abs(x) < 0.52) & (y > 7.03) & (y < 7.48)
    front = float(z[around].max()) + 0.05
    at_temple = (np.abs(y - 7.31) < 0.08) & (np.abs(z - 0.80) < 0.10)
    width = float(np.abs(x[at_temple]).max()) + 0.02
    turn = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    power = 2 / shape.roundness
    across = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** power
    down = np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** power
    middle = 0.075 + shape.half_width
    parts = []
    for side in (-1.0, 1.0):
        rim_x = side * (middle + shape.half_width * across)
        rim_z = front - 0.18 * np.abs(rim_x) ** 2
        rim = np.stack([rim_x, 7.25 + shape.half_height * down, rim_z], axis=-1)
        parts.append(_tube(rim, shape.thickness, is_closed=True))
        outer = np.abs(rim_x).max()
        hinge = [side * outer, 7.30, front - 0.18 * outer**2]
        temple = [hinge, [side * (outer + width) / 2, 7.31, front - 0.30]]
        temple += [[side * width, 7.32, 0.80], [side * width, 7.28, 0.45]]
        parts.append(_tube(np.array(temple), shape.thickness * 0.9, is_closed=False))
    arch = np.linspace(-1, 1, 9)
    bridge = np.stack(
        [0.08 * arch, 7.27 + 0.03 * (1 - arch**2), front + 0.02 * (1 - arch**2)],
        axis=-1,
    )
    parts.append(_tube(bridge, shape.thickness, is_closed=False))
    return parts


def _tube(curve, radius, is_closed):
    """Sweep a circle along a curve `[n, 3]`."""
    if is_closed:
        along = np.roll(curve, -1, axis=0) - np.roll(curve, 1, axis=0)
    else:
        along = np.gradient(curve, axis=0)
    along = along / np.linalg.norm(along, axis=1, keepdims=True)
    helper = np.where(np.abs(along[:, 2:]) < 0.8, [[0.0, 0.0, 1.0]], [[0.0, 1.0, 0.0]])
    first = np.cross(along, helper)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(along, first)
    angle = np.linspace(0, 2 * np.pi, _TUBE_SIDES, endpoint=False)
    outward = first[:, None] * np.cos(angle)[:, None]
    outward = outward + second[:, None] * np.sin(angle)[:, None]
    positions = curve[:, None] + radius * outward
    length = len(curve)
    ring, side = np.indices((length if is_closed else length - 1, _TUBE_SIDES))
    after, beside = (ring + 1) % length, (side + 1) % _TUBE_SIDES
    a, b = ring * _TUBE_SIDES + side, ring * _TUBE_SIDES + beside
    c, d = after * _TUBE_SIDES + side, after * _TUBE_SIDES + beside
    faces = np.stack([np.stack([a, c, b], -1), np.stack([b, c, d], -1)])
    return _worn(
        einops.rearrange(positions, "n s xyz -> (n s) xyz"),
        einops.rearrange(outward, "n s xyz -> (n s) xyz"),
        einops.rearrange(faces, "k n s c -> (k n s) c"),
        FRAME_LAYER,
    )


def _hat(worn, points, normals, base):
    mesh = head.load_head_mesh()
    y, z = base[:, 1], base[:, 2]
    edge = np.interp(z, [-0.7, 0.2, 1.3], [6.75, 7.15, worn.hat_edge])
    above = y - edge
    skin = mesh.triangles[mesh.triangle_materials == head.SKIN]
    covered = skin[
        (above[skin].min(axis=1) > -0.02) & (mesh.ears[skin].max(axis=1) < 0.3)
    ]
    roots = np.unique(covered)
    fullness = 0.06 + 0.08 * hair.smooth_step(0.0, 0.6, above[roots])
    positions = points[roots] + normals[roots] * fullness[:, None]
    positions[:, 1] += 0.08 * hair.smooth_step(8.0, 8.5, base[roots, 1])
    triangles = np.searchsorted(roots, covered)
    return _worn(positions, normals[roots], triangles, HAT_LAYER)


def _worn(positions, normals, triangles, layer):
    ones = np.ones(len(positions), np.float32)
    return hair.HairMesh(
        positions=positions,
        normals=normals,
        turning=ones,
        layers=layer * ones,
        masks=ones,
        materials=head.WORN * ones,
        triangles=triangles.astype(np.int32),
    )
