"""Hair styles: shells that grow from the scalp, hair that hangs, and buns."""

import dataclasses

import einops
import numpy as np

from datasets.synthetic_heads.person import head

STYLES = ("bald", "cropped", "short", "curly", "bob", "long", "tied")

_STYLE_ODDS = {
    True: (0.09, 0.25, 0.46, 0.13, 0.02, 0.04, 0.01),
    False: (0.01, 0.02, 0.13, 0.14, 0.24, 0.30, 0.16),
}
"""Odds of `STYLES` by `Traits.is_male`. Ours: a plain guess at a street's mix."""

_NUM_LAYERS = {
    "bald": 0,
    "cropped": 4,
    "short": 7,
    "curly": 9,
    "bob": 6,
    "long": 6,
    "tied": 4,
}
_THICKNESS = {
    "bald": (0.0, 0.0),
    "cropped": (0.02, 0.06),
    "short": (0.05, 0.13),
    "curly": (0.14, 0.42),
    "bob": (0.07, 0.16),
    "long": (0.06, 0.16),
    "tied": (0.03, 0.07),
}
_LEAN = {
    "bald": (0.0, 0.0),
    "cropped": (0.02, 0.06),
    "short": (0.14, 0.38),
    "curly": (0.0, 0.05),
    "bob": (0.25, 0.45),
    "long": (0.25, 0.45),
    "tied": (0.10, 0.20),
}

_AXIS_DEPTH = 0.15
"""Depth of the vertical axis that hanging hair surrounds, mesh units."""

_DRAPE_TOP, _DRAPE_WIDEST = 7.85, 7.30
_DRAPE_ROWS, _DRAPE_COLUMNS = 18, 57


@dataclasses.dataclass(frozen=True)
class HairStyle:
    """What shapes the hair; lengths in mesh units.

    Attributes:
        name: one of `STYLES`.
        thickness: how far the outermost shell stands off.
        lean: how far its tips are combed along the scalp.
        comb: one of "back", "forward", "side", "up".
        parting: where on x the hair parts.
        hairline: shift of the hairline upward; temples: how far it recedes there.
        cut: height at which hanging hair ends.
        face_angle: half angle of the face between hanging hair, radians.
        bun: centre `[3]` of a bun, or None.
        waves: frequencies and phases `[8]` in [0, 1] of the outline's waves.
    """

    name: str
    thickness: float
    lean: float
    comb: str
    parting: float
    hairline: float
    temples: float
    cut: float
    face_angle: float
    bun: tuple[float, float, float] | None
    waves: np.ndarray


@dataclasses.dataclass(frozen=True)
class HairMesh:
    """The hair of one identity in the head's neutral frame; H vertices.

    Attributes:
        positions, normals: float32 `[H, 3]`.
        turning: float32 `[H]` how much of the head's rotation a vertex follows.
        layers: float32 `[H]` height in the hair, 0 at the scalp to 1 at the tips.
        masks: float32 `[H]` distance from the hair's edge, mesh units.
        materials: int `[H]`, `head.HAIR`, `head.DRAPE` or `head.WORN`.
        triangles: int32 `[F, 3]`, outer layers first.
    """

    positions: np.ndarray
    normals: np.ndarray
    turning: np.ndarray
    layers: np.ndarray
    masks: np.ndarray
    materials: np.ndarray
    triangles: np.ndarray


def smooth_step(low: float, high: float, values: np.ndarray) -> np.ndarray:
    """Rise from 0 at `low` to 1 at `high` with level ends."""
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    return t * t * (3 - 2 * t)


def random_style(generator: np.random.Generator, traits: head.Traits) -> HairStyle:
    """Draw a hair style that suits the traits. Ours: see `_STYLE_ODDS`."""
    name = str(generator.choice(STYLES, p=_STYLE_ODDS[traits.is_male]))
    combs = ("back", "forward", "side", "up")
    odds = [0.2, 0.35, 0.35, 0.1] if name in ("short", "cropped") else [0, 0, 1, 0]
    if name == "tied":
        odds = [1, 0, 0, 0]
    receding = generator.uniform(0.0, 0.22) * traits.age if traits.is_male else 0.0
    cut = (
        generator.uniform(6.15, 6.65) if name == "bob" else generator.uniform(4.6, 6.0)
    )
    high = generator.random() < 0.4
    bun = (0.0, 8.45, -0.35) if high else (0.0, 7.5, -0.85)
    return HairStyle(
        name=name,
        thickness=float(generator.uniform(*_THICKNESS[name])),
        lean=float(generator.uniform(*_LEAN[name])),
        comb=str(generator.choice(combs, p=odds)),
        parting=float(generator.choice([0.0, 0.22, -0.22, 0.3, -0.3])),
        hairline=float(generator.normal(0.0, 0.04) + receding),
        temples=float(generator.uniform(0.0, 0.06) + receding),
        cut=float(cut),
        face_angle=float(generator.uniform(0.70, 1.15)),
        bun=bun if name == "tied" else None,
        waves=generator.uniform(0.0, 1.0, 8).astype(np.float32),
    )


def hair_mask(points: np.ndarray, hairline: float, temples: float) -> np.ndarray:
    """Tell how far inside the hairline base-mesh points `[N, 3]` lie, mesh units."""
    x, y, z = points.T
    depth = np.array([-1.0, -0.3, 0.3, 0.55, 0.75, 0.95, 1.15, 1.4])
    edge = np.array([6.45, 6.5, 6.95, 7.28, 7.62, 7.86, 7.98, 8.02])
    shift = hairline * np.clip((z - 0.5) / 0.5, 0.0, 1.0)
    shift = shift + temples * np.exp(-(((np.abs(x) - 0.45) / 0.16) ** 2)) * (z > 0.6)
    wavy = 0.02 * np.sin(x * 9.0 + 1.0) + 0.015 * np.sin(x * 23.0)
    return (y - np.interp(z, depth, edge) - shift - wavy).astype(np.float32)


def grow_hair(
    style: HairStyle, points: np.ndarray, normals: np.ndarray, masks: np.ndarray
) -> HairMesh:
    """Grow the hair of a style on a head.

    Ours: shells with alpha-tested strands, each layer combed a little further, and
    curtains for hanging hair; they cost a z-buffer hardly anything.

    Args:
        style: what to grow.
        points, normals: `[R, 3]` render vertices of the neutral identity.
        masks: `[R]` from `hair_mask`, ears taken off.
    """
    parts = _shells(style, points, normals, masks)
    if style.name in ("bob", "long"):
        outline = np.concatenate([p.positions for p in parts[:1]] + [_ears(points)])
        parts = _drapes(style, outline) + parts
    if style.bun is not None:
        parts = [_bun(style)] + parts
    if not parts:
        return joined([_no_hair()])
    return joined(parts)


def _shells(style, points, normals, masks):
    mesh = head.load_head_mesh()
    skin = mesh.triangles[mesh.triangle_materials == head.SKIN]
    grown = skin[masks[skin].max(axis=1) > -0.02]
    roots = np.unique(grown)
    triangles = np.searchsorted(roots, grown).astype(np.int32)
    num_layers = _NUM_LAYERS[style.name]
    normal, mask = normals[roots], masks[roots]
    base = mesh.base[mesh.point_of_vertex[roots]]
    rise = _rise(style, base, mask)[:, None]
    comb = _combed(style, base)
    along = comb - normal * np.sum(comb * normal, axis=1, keepdims=True)
    lean = np.full((len(roots), 1), style.lean)
    if style.name in ("bob", "long"):
        lean = lean * smooth_step(7.2, 8.0, base[:, 1])[:, None]
        rise = rise * (0.35 + 0.65 * smooth_step(7.0, 7.7, base[:, 1]))[:, None]
    parts = []
    for layer in range(num_layers, 0, -1):
        height = layer / num_layers
        up = normal * (style.thickness * height * (1.2 - 0.2 * height))
        offset = rise * (up + along * lean * height**1.4)
        parts.append(
            HairMesh(
                positions=points[roots] + offset,
                normals=normal + 0.35 * along * height,
                turning=np.ones(len(roots), np.float32),
                layers=np.full(len(roots), height, np.float32),
                masks=mask,
                materials=np.full(len(roots), head.HAIR),
                triangles=triangles,
            )
        )
    return parts


def _rise(style, base, mask):
    """How much of its full height the hair has at each root."""
    x, y, z = base.T
    f = style.waves
    lumps = np.sin(x * (2 + 4 * f[0]) + 6 * f[1]) * np.sin(
        y * (2 + 4 * f[2]) + 6 * f[3]
    )
    lumps = 1 + 0.18 * lumps + 0.10 * np.sin(z * (4 + 5 * f[4]) + x * 5)
    top = 1 + 0.6 * smooth_step(7.6, 8.5, y) * f[5]
    reach = 0.18 if style.comb in ("forward", "up") else 0.32
    sides = 1.0
    if style.name in ("short", "cropped"):
        sides = 0.35 + 0.65 * smooth_step(7.0, 7.9, y) * (0.4 + 0.6 * f[6])
    return smooth_step(-0.03, reach, mask) * lumps * top * sides


def _combed(style, base):
    """Return the direction `[S, 3]` in which strands are combed at each root."""
    x, y, z = base.T
    side = np.tanh((x - style.parting) * 6.0)
    down = 0.6 + 0.4 * smooth_step(8.2, 7.6, y)
    nothing = np.zeros_like(x)
    fields = {
        "back": (0.3 * np.sign(x) * (z < 0.2), -0.25 * (z < 0.3), nothing - 1.0),
        "forward": (0.15 * side, nothing - 0.8, 0.7 * smooth_step(-0.4, 0.4, z)),
        "side": (side * 0.9, -down, nothing - 0.25),
        "up": (0.1 * side, 0.8 * smooth_step(0.2, 0.9, z) - 0.5, nothing - 0.3),
    }
    return np.stack(fields[style.comb], axis=-1).astype(np.float32)


def _ears(points):
    mesh = head.load_head_mesh()
    return points[mesh.ears > 0.5] * np.array([1.03, 1.0, 1.0])


def _drapes(style, outline):
    """Hang two curtains around what the outline `[N, 3]` spans."""
    f = style.waves
    azimuth = np.linspace(-np.pi, np.pi, _DRAPE_COLUMNS)
    level = outline[(outline[:, 1] > 6.9) & (outline[:, 1] < 7.8)]
    across, ahead = np.sin(azimuth), np.cos(azimuth)
    reach = np.max(level[:, :1] * across + (level[:, 2:] - _AXIS_DEPTH) * ahead, axis=0)
    rows = np.linspace(_DRAPE_TOP, style.cut - 0.1, _DRAPE_ROWS)
    fall = np.clip((_DRAPE_WIDEST - rows) / 1.5, 0.0, None)
    above = np.clip((rows - _DRAPE_WIDEST) / 1.25, 0.0, 1.0)
    bulge = np.sqrt(1 - above**2)
    spread = (
        1
        + (0.02 + 0.09 * f[4]) * fall
        - (0.10 if style.name == "bob" else 0.08) * (fall**2)
    )
    tucked = 1 - 0.15 * smooth_step(7.3, _DRAPE_TOP, rows)
    radius = np.multiply.outer(bulge * spread * tucked, reach)
    wave = np.sin(np.add.outer(rows * (3 + 6 * f[0]) + 6 * f[1], 3 * azimuth))
    ripple = np.sin(np.add.outer(1.5 * rows, azimuth * (9 + 8 * f[2])))
    radius += 0.035 * fall[:, None] * wave + 0.015 * ripple
    face_angle = style.face_angle + (0.25 * f[3] - 0.15) * fall
    from_face = (np.abs(azimuth) - face_angle[:, None]) * radius
    from_end = rows[:, None] - style.cut + 0.05 * np.sin(11 * azimuth + 6 * f[5])
    from_top = _DRAPE_TOP - 0.05 - rows[:, None]
    nearest = np.minimum(np.minimum(from_face, from_end), from_top)
    masks = np.clip(nearest, -0.4, 0.4)
    drapes = []
    for layer, beyond in ((1.0, 0.05), (0.7, 0.025), (0.35, 0.0)):
        across_, ahead_ = (radius + beyond) * across, (radius + beyond) * ahead
        height = np.broadcast_to(rows[:, None], radius.shape)
        positions = np.stack([across_, height, ahead_ + _AXIS_DEPTH], axis=-1)
        drapes.append(_grid(positions, masks, layer))
    return drapes


def _grid(positions, masks, layer):
    rows, columns = masks.shape
    index = np.arange(rows * columns)
    index = einops.rearrange(index, "(r c) -> r c", r=rows)
    a, b = index[:-1, :-1].ravel(), index[:-1, 1:].ravel()
    c, d = index[1:, :-1].ravel(), index[1:, 1:].ravel()
    triangles = np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])
    points = einops.rearrange(positions, "r c xyz -> (r c) xyz")
    mask = masks.ravel()
    triangles = triangles[mask[triangles].max(axis=1) > -0.12]
    down = np.gradient(positions, axis=0)
    right = np.gradient(positions, axis=1)
    normals = np.cross(down, right)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True) + 1e-9
    return HairMesh(
        positions=points,
        normals=einops.rearrange(normals, "r c xyz -> (r c) xyz"),
        turning=smooth_step(5.0, 6.8, points[:, 1]),
        layers=np.full(len(points), layer),
        masks=mask,
        materials=np.full(len(points), head.DRAPE),
        triangles=triangles,
    )


def _bun(style):
    f = style.waves
    polar = np.linspace(0.0, np.pi, 12)
    around = np.linspace(-np.pi, np.pi, 25)
    size = 0.27 + 0.12 * f[6]
    ring = np.multiply.outer(np.sin(polar), np.ones_like(around))
    up = np.multiply.outer(np.cos(polar), np.ones_like(around))
    shape = np.stack([ring * np.sin(around), 0.9 * up, ring * np.cos(around)], axis=-1)
    positions = shape * size * (1 + 0.06 * np.sin(3 * around + 4 * up))[..., None]
    bun = _grid(positions + np.asarray(style.bun), np.full(ring.shape, 0.4), 0.8)
    return dataclasses.replace(bun, turning=np.ones_like(bun.turning))


def _no_hair():
    empty = np.zeros(0, np.float32)
    points = np.zeros((0, 3), np.float32)
    return HairMesh(
        points, points, empty, empty, empty, empty, np.zeros((0, 3), np.int32)
    )


def joined(parts: list[HairMesh]) -> HairMesh:
    """Join meshes into one."""
    firsts = np.cumsum([0] + [len(p.positions) for p in parts[:-1]])

    def stacked(name):
        arrays = [getattr(part, name) for part in parts]
        return np.concatenate(arrays).astype(np.float32)

    triangles = [p.triangles + first for p, first in zip(parts, firsts, strict=True)]
    normals = stacked("normals")
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
    return HairMesh(
        positions=stacked("positions"),
        normals=normals,
        turning=stacked("turning"),
        layers=stacked("layers"),
        masks=stacked("masks"),
        materials=stacked("materials"),
        triangles=np.concatenate(triangles).astype(np.int32),
    )
