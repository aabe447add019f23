"""The head mesh and the identities that its CC0 targets span.

Mesh coordinates: x to the person's left (the image's right), y up, z to the viewer;
one unit is ten centimetres. All arrays are in the mesh's neutral expression.
"""

import dataclasses
import functools
import pathlib

import numpy as np

from datasets.synthetic_heads.person import lip_shapes
from datasets.synthetic_heads.rendering import kernels
from vasa_jax import arkit

SKIN, EYE, TEETH, TONGUE, LASH, HAIR, DRAPE, WORN, BACKGROUND = range(9)
"""Material of a vertex; the asset pack numbers the first six the same way."""

HEAD_CENTRE = np.array([0.0, 7.15, 0.45], np.float32)
"""Head centre after identity normalisation. Ours: midway between ears and eyes."""

EYE_MIDPOINT = np.array([0.0, 7.284, 1.245], np.float32)
"""Where every identity's eyeballs are centred. Follows: MakeHuman's base mesh."""

ASSETS = pathlib.Path(__file__).parent / "assets" / "head_assets_cc0.npz"

LANDMARKS = {
    "mouth_left": (0.254, 6.621, 1.437),
    "mouth_right": (-0.254, 6.621, 1.437),
    "lip_top": (0.0, 6.608, 1.553),
    "lip_bottom": (0.0, 6.601, 1.540),
    "nose_tip": (0.0, 6.909, 1.681),
    "chin": (0.0, 6.227, 1.455),
}
"""Where the keypoints that ride on the skin lie on the base mesh."""

NOSE_TIP_TOP, LIDS_BOTTOM = 7.02, 7.14
"""Heights on the base mesh between which a blink's reach ends. Ours: by eye."""

_GAINS = {
    "browInnerUp": (1.0, 2.6, 1.0),
    "browOuterUp": (1.0, 2.2, 1.0),
    "browDown": (1.2, 1.8, 1.0),
    "mouthPucker": (2.0, 1.0, 1.0),
    "mouthFunnel": (1.4, 1.0, 1.0),
    "mouthStretch": (1.4, 1.0, 1.0),
}
"""How much further than the pack's some units move, (x, y, z). Ours: the pack's brows
rise by 5 to 7 mm and its lips narrow by 8 of 51. In frames of full surprise the brows
seemed to rise by 0.02 of the distance between the eyes, and in speech the width of the
mouth varied by a third of what it does on filmed people."""

_MILD = {
    "eyes": 0.16,
    "ears": 0.20,
    "mouth": 0.16,
    "nose": 0.17,
    "neck": 0.08,
    "head": 0.10,
    "asym": 0.05,
}
"""Standard deviation of a group's targets. Ours: people, not caricatures."""

_MILD_OTHERS = 0.18
_LARGEST_TARGET = 0.5

_OPPOSITES = (
    ("decr", "incr"),
    ("down", "up"),
    ("in", "out"),
    ("backward", "forward"),
    ("concave", "convex"),
    ("compress", "uncompress"),
)
_OUTLINES = (
    "oval",
    "round",
    "square",
    "diamond",
    "rectangular",
    "triangular",
    "invertedtriangular",
)


@dataclasses.dataclass(frozen=True)
class HeadMesh:
    """The base mesh; V points, R render vertices (points split at texture seams).

    Attributes:
        base: float32 `[V, 3]` points.
        point_of_vertex: int32 `[R]` the point each render vertex shows.
        triangles: int32 `[F, 3]` render vertices; `triangle_materials` `[F]`.
        vertex_materials: int32 `[R]`.
        uv: float32 `[R, 2]` MakeHuman's texture coordinates.
        lips, ears, inner_mouth: float32 `[R]` masks in [0, 1].
        expression_deltas: float32 `[52, V, 3]`, order of `arkit.NAMES`.
        identity_names, identity_deltas: the identity targets, float32 `[I, V, 3]`.
        left_eye, right_eye, neck: point indices of eyeballs and neck joint.
        landmarks: point index of each name in `LANDMARKS`.
    """

    base: np.ndarray
    point_of_vertex: np.ndarray
    triangles: np.ndarray
    triangle_materials: np.ndarray
    vertex_materials: np.ndarray
    uv: np.ndarray
    lips: np.ndarray
    ears: np.ndarray
    inner_mouth: np.ndarray
    expression_deltas: np.ndarray
    identity_names: tuple[str, ...]
    identity_deltas: np.ndarray
    left_eye: np.ndarray
    right_eye: np.ndarray
    neck: np.ndarray
    landmarks: dict[str, int]


@functools.lru_cache(maxsize=1)
def load_head_mesh() -> HeadMesh:
    """Read the asset pack, without MakeHuman's hair hull.

    Follows: MakeHuman (mpfb2) and faceunits01, both CC0; see `assets/NOTICE.txt`.
    """
    with np.load(ASSETS) as pack:
        arrays = {name: pack[name] for name in pack.files}
    if tuple(str(n) for n in arrays["unit_names"]) != arkit.NAMES:
        raise ValueError("The asset pack's expression units are not arkit.NAMES.")
    point_of_vertex = arrays["rv"]
    base = _settle_mouth(arrays)
    shown = arrays["tmat"] != HAIR
    uv, materials = arrays["uv"], arrays["vmat"]
    points = base[point_of_vertex]
    skin = materials == SKIN
    inner = (uv[:, 1] < 0.14) & (uv[:, 0] > 0.74) & skin & (points[:, 1] < 6.86)
    skin_points = point_of_vertex[skin]
    landmarks = {
        name: int(skin_points[np.argmin(np.sum((points[skin] - target) ** 2, axis=1))])
        for name, target in LANDMARKS.items()
    }
    return HeadMesh(
        base=base,
        point_of_vertex=point_of_vertex,
        triangles=arrays["tri"][shown],
        triangle_materials=arrays["tmat"][shown],
        vertex_materials=materials,
        uv=uv,
        lips=arrays["mask_lips"],
        ears=arrays["mask_ears"],
        inner_mouth=inner.astype(np.float32),
        expression_deltas=_units(arrays, base),
        identity_names=tuple(str(n) for n in arrays["id_names"]),
        identity_deltas=arrays["ids"].astype(np.float32) * arrays["identity_scale"],
        left_eye=arrays["leye"],
        right_eye=arrays["reye"],
        neck=arrays["jneck"],
        landmarks=landmarks,
    )


def _units(arrays, base):
    """Return what the pack's units move, mended, float32 `[52, V, 3]`."""
    lips = np.zeros(len(base), np.float32)
    np.maximum.at(lips, arrays["rv"], arrays["mask_lips"])
    units = arrays["units"].astype(np.float32) * arrays["unit_scale"]
    return lip_shapes.round_lips(_enlarge(_blink_alone(units, base)), base, lips)


def _blink_alone(units: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Let blinks move lids and cheeks only. Ours: the pack's raise the nose too."""
    share = np.clip((base[:, 1] - NOSE_TIP_TOP) / (LIDS_BOTTOM - NOSE_TIP_TOP), 0, 1)
    for name in ("eyeBlinkLeft", "eyeBlinkRight"):
        units[arkit.index(name)] *= share[:, None]
    return units


def _enlarge(units: np.ndarray) -> np.ndarray:
    """Let brows and lips move as far as people's do; see `_GAINS`."""
    for name, gain in _GAINS.items():
        for side in ("", "Left", "Right"):
            if name + side in arkit.NAMES:
                units[arkit.index(name + side)] *= np.float32(gain)
    return units


def _settle_mouth(arrays):
    """Lower tongue and upper teeth of the base mesh, float32 `[V, 3]`.

    Ours: MakeHuman's tongue rests against the palate and would fill an open mouth,
    and its upper teeth hide behind the lip.
    """
    base, jaw = arrays["base"].copy(), arkit.index("jawOpen")
    tongue = np.unique(arrays["rv"][arrays["vmat"] == TONGUE])
    teeth = np.unique(arrays["rv"][arrays["vmat"] == TEETH])
    moves = arrays["units"][jaw, teeth, 1] * arrays["unit_scale"] < -0.05
    base[tongue] += np.array([0.0, -0.11, -0.07], np.float32)
    base[teeth[~moves]] += np.array([0.0, -0.060, 0.01], np.float32)
    base[teeth[moves]] += np.array([0.0, -0.025, -0.03], np.float32)
    return base


@dataclasses.dataclass(frozen=True)
class Traits:
    """What an identity's appearance must agree with.

    Attributes:
        ancestry: weights of African, Asian and Caucasian shapes, sum 1.
        is_male: whether the male macro shapes prevail.
        age: 0 young to 1 old.
    """

    ancestry: tuple[float, float, float]
    is_male: bool
    age: float


def random_identity(
    generator: np.random.Generator, exaggeration: float = 1.0
) -> tuple[Traits, np.ndarray]:
    """Draw a person: traits and the weight of every identity target.

    Ours: macro shapes (ancestry, gender, age, build) as MakeHuman mixes them, then
    every local target from a narrow normal distribution, both sides alike.

    Args:
        generator: source of randomness.
        exaggeration: factor of the local targets; 1 draws plausible people.

    Returns:
        Traits, and float32 `[I]` weights for `HeadMesh.identity_deltas`.
    """
    mesh = load_head_mesh()
    ancestry = generator.dirichlet([0.8, 0.8, 0.8])
    is_male = bool(generator.random() < 0.5)
    maleness = 0.95 if is_male else 0.05
    age = float(np.clip(generator.beta(1.2, 2.6), 0.0, 0.9))
    weights: dict[str, float] = {}
    _add_macro_shapes(weights, generator, ancestry, maleness, age)
    _add_local_shapes(weights, generator, exaggeration)
    index = {name: i for i, name in enumerate(mesh.identity_names)}
    vector = np.zeros(len(index), np.float32)
    for name, weight in weights.items():
        if name in index:
            vector[index[name]] = weight
    traits = Traits(tuple(float(a) for a in ancestry), is_male, age)
    return traits, vector


def sparse_deltas(deltas: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Leave the zeros out of deltas `[U, V, 3]`.

    Returns:
        int64 `[U + 1]` starts, int32 `[E]` points and float32 `[E, 3]` deltas; unit u
        owns entries starts[u]:starts[u + 1].
    """
    unit, point = np.nonzero(np.abs(deltas).max(axis=2) > 1e-6)
    starts = np.searchsorted(unit, np.arange(len(deltas) + 1))
    return starts, point.astype(np.int32), deltas[unit, point]


@kernels.cached
def add_deltas(points, weights, starts, which, deltas):
    """Add weighted units, as `sparse_deltas` stores them, to points `[V, 3]`."""
    for unit in range(weights.shape[0]):
        weight = weights[unit]
        if weight == 0.0:
            continue
        for entry in range(starts[unit], starts[unit + 1]):
            for axis in range(3):
                points[which[entry], axis] += weight * deltas[entry, axis]


@functools.lru_cache(maxsize=1)
def _sparse_identities():
    return sparse_deltas(load_head_mesh().identity_deltas)


def _add_macro_shapes(weights, generator, ancestry, maleness, age):
    build, muscle = generator.normal(-0.05, 0.35), generator.normal(0.0, 0.35)

    def mixed(value, low, middle, high):
        value = float(np.clip(value, -1.0, 1.0))
        return {(high if value > 0 else low): abs(value), middle: 1 - abs(value)}

    muscles = mixed(muscle, "minmuscle", "averagemuscle", "maxmuscle")
    builds = mixed(build, "minweight", "averageweight", "maxweight")
    for gender, gender_weight in (("male", maleness), ("female", 1 - maleness)):
        for years, age_weight in (("young", 1 - age), ("old", age)):
            share = gender_weight * age_weight
            for group, amount in zip(
                ("african", "asian", "caucasian"), ancestry, strict=True
            ):
                weights[f"macrodetails/{group}-{gender}-{years}"] = share * amount
            for muscle_name, a in muscles.items():
                for build_name, b in builds.items():
                    name = f"universal-{gender}-{years}-{muscle_name}-{build_name}"
                    weights[f"macrodetails/{name}"] = share * a * b


def _add_local_shapes(weights, generator, exaggeration):
    largest = _LARGEST_TARGET * max(exaggeration, 1.0)
    for name in load_head_mesh().identity_names:
        group, detail = name.split("/")
        if group == "macrodetails" or detail.startswith("r-"):
            continue
        spread = _MILD.get(group, _MILD_OTHERS) * exaggeration
        if group == "asym":
            weights[name] = float(max(0.0, generator.normal(-0.03, spread)))
            continue
        if group == "head" and detail.removeprefix("head-") in _OUTLINES:
            shift = generator.normal(-0.08, 0.18 * exaggeration)
            weights[name] = float(np.clip(shift, 0.0, 0.35 * max(exaggeration, 1.0)))
            continue
        for low, high in _OPPOSITES:
            if not detail.endswith("-" + high):
                continue
            value = np.clip(generator.normal(0.0, spread), -largest, largest)
            target = name if value > 0 else name[: -len(high)] + low
            weights[target] = float(abs(value))
            if detail.startswith("l-"):
                weights[target.replace("/l-", "/r-")] = float(abs(value))


def shaped_points(weights: np.ndarray) -> np.ndarray:
    """Apply identity weights `[I]` to the base mesh; returns float32 `[V, 3]`.

    Eyes are moved to `EYE_MIDPOINT` and heads scaled towards one height, so that one
    camera frames everyone alike. Ours: sizes in the image then tell distance.
    """
    mesh = load_head_mesh()
    points = mesh.base.copy()
    add_deltas(points, weights, *_sparse_identities())

    def height(of):
        skin = mesh.point_of_vertex[mesh.vertex_materials == SKIN]
        return of[skin, 1].max() - of[mesh.neck, 1].mean()

    eyes = (points[mesh.left_eye].mean(0) + points[mesh.right_eye].mean(0)) / 2
    factor = (height(mesh.base) / height(points)) ** 0.8
    return ((points - eyes) * factor + EYE_MIDPOINT).astype(np.float32)
