"""Hair styles, and the shells of hair that grow from an identity's scalp."""

import dataclasses

import numpy as np

from datasets.synthetic_heads import head

STYLES = ("bald", "cropped", "short", "volume", "long")

_STYLE_ODDS = {
    True: (0.10, 0.30, 0.40, 0.17, 0.03),
    False: (0.01, 0.05, 0.20, 0.34, 0.40),
}
"""Odds of `STYLES` by `Traits.is_male`. Ours: a plain guess at a street's mix."""

_NUM_LAYERS = {"bald": 0, "cropped": 4, "short": 6, "volume": 8, "long": 7}


@dataclasses.dataclass(frozen=True)
class HairStyle:
    """What shapes the hair.

    Attributes:
        name: one of `STYLES`.
        thickness: how far the outermost shell stands off, mesh units.
        comb: direction `[3]` in which strands lean, and how far, mesh units.
        hairline: shift of the hairline upward, mesh units.
        lumps: frequencies and phases `[6]` of the outline's waves.
    """

    name: str
    thickness: float
    comb: np.ndarray
    hairline: float
    lumps: np.ndarray


@dataclasses.dataclass(frozen=True)
class HairShells:
    """K layers of triangles over the scalp, S points each.

    Attributes:
        roots: int `[S]` render vertices of the head that carry the shells.
        offsets: float32 `[K, S, 3]` from root to shell, head frame.
        triangles: int32 `[K, F, 3]` indices into one layer's points.
    """

    roots: np.ndarray
    offsets: np.ndarray
    triangles: np.ndarray


def random_style(generator: np.random.Generator, traits: head.Traits) -> HairStyle:
    """Draw a hair style that suits the traits. Ours: see `_STYLE_ODDS`."""
    name = str(generator.choice(STYLES, p=_STYLE_ODDS[traits.is_male]))
    thinnest, spread = {
        "bald": (0.0, 0.0),
        "cropped": (0.03, 0.04),
        "short": (0.10, 0.10),
        "volume": (0.18, 0.22),
        "long": (0.12, 0.12),
    }[name]
    thickness = thinnest + spread * generator.random()
    lean = generator.normal(size=3) * [0.5, 0.1, 0.6] + [0.0, -0.5, 0.1]
    receding = 0.10 * traits.age if traits.is_male else 0.0
    return HairStyle(
        name=name,
        thickness=float(thickness),
        comb=(lean * thickness * 1.6).astype(np.float32),
        hairline=float(generator.normal(0.0, 0.05) + receding),
        lumps=generator.uniform(0.0, 1.0, 6).astype(np.float32),
    )


def hair_mask(points: np.ndarray, hairline: float) -> np.ndarray:
    """Tell how far inside the hairline base-mesh points `[N, 3]` lie, mesh units."""
    y, z = points[:, 1], points[:, 2]
    depth = np.array([-1.0, -0.3, 0.3, 0.55, 0.75, 0.95, 1.15, 1.4])
    edge = np.array([6.45, 6.5, 6.95, 7.25, 7.62, 7.88, 7.98, 8.02])
    shift = hairline * np.clip((z - 0.5) / 0.5, 0.0, 1.0)
    return (y - np.interp(z, depth, edge) - shift).astype(np.float32)


def grow_shells(style: HairStyle, normals: np.ndarray, mask: np.ndarray) -> HairShells:
    """Grow the shells of a style over the scalp.

    Ours: shells with alpha-tested strands, each layer combed a little further, cost
    a z-buffer hardly anything and give soft outlines.

    Args:
        style: what to grow.
        normals: `[R, 3]` of the neutral identity.
        mask: `[R]` from `hair_mask`, ears taken off.
    """
    mesh = head.load_head_mesh()
    num_layers = _NUM_LAYERS[style.name]
    skin = mesh.triangles[mesh.triangle_materials == head.SKIN]
    grown = skin[mask[skin].max(axis=1) > -0.02]
    roots, inverse = np.unique(grown, return_inverse=True)
    layer = inverse.reshape(-1, 3).astype(np.int32)
    if num_layers == 0:
        return HairShells(
            roots=roots[:0],
            offsets=np.zeros((0, 0, 3), np.float32),
            triangles=np.zeros((0, 0, 3), np.int32),
        )
    x, y, z = mesh.base[mesh.point_of_vertex[roots]].T
    f = style.lumps
    wave = np.sin(x * (2 + 4 * f[0]) + 6 * f[1]) * np.sin(y * (2 + 4 * f[2]) + 6 * f[3])
    lump = 1 + 0.25 * wave + 0.12 * np.sin(z * (4 + 5 * f[4]) + x * 5)
    top = 1 + 0.5 * smooth_step(7.6, 8.5, y) * f[5]
    rise = (smooth_step(-0.04, 0.40, mask[roots]) * lump * top)[:, None]
    normal = normals[roots]
    along = style.comb - normal * (normal @ style.comb)[:, None]
    heights = (np.arange(num_layers) + 1.0) / num_layers
    offsets = np.stack(
        [
            rise * (normal * style.thickness * height * (1.15 - 0.15 * height))
            + rise * along * height**1.5
            for height in heights
        ]
    )
    return HairShells(
        roots=roots,
        offsets=offsets.astype(np.float32),
        triangles=np.broadcast_to(layer, (num_layers, *layer.shape)),
    )


def smooth_step(low: float, high: float, values: np.ndarray) -> np.ndarray:
    """Rise from 0 at `low` to 1 at `high` with level ends."""
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    return t * t * (3 - 2 * t)
