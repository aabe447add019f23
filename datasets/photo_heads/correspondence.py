"""Exact correspondence between any two frames of one moved portrait.

Ours: a record keeps the portrait's shape and what each frame did, and the surface is
projected again when it is wanted, as for the synthetic heads.
"""

import dataclasses
import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import einops
import numpy as np
import safetensors.numpy
from scipy import ndimage

from datasets.photo_heads import (
    face_mesh,
    mesh,
    photo_head,
    posing,
    rasterizer,
    rendering,
)
from vasa_jax import errors
from vasa_jax.portrait import crop

MAGIC = b"photo_head 1\n"
"""What packed geometry begins with."""

SAME_PLACE = 0.03
"""Head units within which driver and source show the same place. Ours: half a cell of
flow over a crop."""

SAME_OPACITY = 0.3
"""Difference of opacity within which they do. Ours: edges of hair."""

MIRROR_TOLERANCE = 0.25
"""Depth within which hair and its mirror image count as one, head units. Ours: as for
the synthetic heads."""

OPAQUE = 0.5
"""Opacity from which a mirror image counts as there. Ours."""

LARGEST_SPREAD = 3.0
"""Samples over which the places of one cell may spread. Ours: twice what a stretch of a
half would leave; beyond, the cell lies on an edge."""

_OVERSAMPLING = 2
_QUANTUM = 1e-4
_COMPRESSION = 6
_SIDE = 2 * photo_head.MAP_SIZE
"""Nominal side of a texture, pixels: places are measured in them."""


class Correspondence(NamedTuple):
    """Where a source frame shows what a driver frame shows.

    Attributes:
        flow: float32 `[size, size, 2]` (x, y) in [-1, 1] in the source frame for each
            driver cell's centre. Background keeps its own place; lids that close lead
            to the skin above the eye.
        visible: bool `[size, size]` whether the source shows it there, not stretched
            twofold on the way.
        mirrored_flow, mirrored_visible: the same of the mirror image of each surface
            point about the middle of the face; background never is visible.
        genuine: float32 `[size, size]` share of each driver cell that may be learnt:
            the photograph's own pixels, neither stretched nor invented.
    """

    flow: np.ndarray
    visible: np.ndarray
    mirrored_flow: np.ndarray
    mirrored_visible: np.ndarray
    genuine: np.ndarray


@dataclasses.dataclass(frozen=True)
class ClipGeometry:
    """What the geometry of a clip is rebuilt from; T frames.

    Attributes:
        shape: of the portrait.
        states: float32 `[T, 63]`, see `photo_head.State.to_vector`.
        view: of the clip.
        is_photograph: whether frames show the untouched photograph, whose background
            is its own up to the person.
    """

    shape: photo_head.HeadShape
    states: np.ndarray
    view: photo_head.View
    is_photograph: bool

    def state(self, frame: int) -> photo_head.State:
        """Return the state of one frame."""
        return photo_head.State.from_vector(self.states[frame])


def pack(
    shape: photo_head.HeadShape,
    states: Sequence[photo_head.State],
    view: photo_head.View,
    is_photograph: bool,
) -> bytes:
    """Pack all that `between` needs of a clip.

    Args:
        shape: of the portrait.
        states: one for each frame.
        view: of the clip.
        is_photograph: see `ClipGeometry`.

    Returns:
        Bytes for a record's `geometry`.
    """
    values = {field.name: getattr(shape, field.name) for field in _fields()}
    values |= {
        "face": _quantized(shape.face),
        "sheet": _quantized(shape.sheet),
        "sheet_triangles": shape.sheet_triangles.astype(np.uint16),
        "sheet_turning": np.rint(255 * shape.sheet_turning).astype(np.uint8),
        "states": np.stack([state.to_vector() for state in states]),
        "view": np.array([view.distance, view.x, view.y]),
        "is_photograph": np.array(is_photograph),
    }
    arrays = {name: np.ascontiguousarray(value) for name, value in values.items()}
    return MAGIC + zlib.compress(safetensors.numpy.save(arrays), _COMPRESSION)


def is_packed(packed: bytes) -> bool:
    """Tell whether a record's geometry is of this kind."""
    return packed.startswith(MAGIC)


def unpack(packed: bytes) -> ClipGeometry:
    """Read what `pack` wrote."""
    arrays = safetensors.numpy.load(zlib.decompress(packed[len(MAGIC) :]))
    values = {field.name: arrays[field.name] for field in _fields()}
    values |= {
        "face": arrays["face"].astype(np.float32) * np.float32(_QUANTUM),
        "sheet": arrays["sheet"].astype(np.float32) * np.float32(_QUANTUM),
        "sheet_triangles": arrays["sheet_triangles"].astype(np.int32),
        "sheet_turning": arrays["sheet_turning"].astype(np.float32) / 255,
        "mouth_scale": float(arrays["mouth_scale"][0]),
        "mouth_gap": float(arrays["mouth_gap"][0]),
    }
    return ClipGeometry(
        shape=photo_head.HeadShape(**values),
        states=arrays["states"],
        view=photo_head.View(*arrays["view"].tolist()),
        is_photograph=bool(arrays["is_photograph"][0]),
    )


def between(
    record_driver: Mapping[str, bytes],
    frame_driver: int,
    record_source: Mapping[str, bytes],
    frame_source: int,
    size: int = 64,
) -> Correspondence:
    """Tell for each cell of the driver frame where the source frame shows it.

    Follows: rasterised dense correspondence, as renderers' motion vectors.

    Args:
        record_driver, record_source: records of the same portrait, of which only
            `geometry` is read.
        frame_driver, frame_source: indices of the frames.
        size: cells along an edge.

    Raises:
        UserError: the records show two portraits.
    """
    driver = unpack(record_driver["geometry"])
    source = unpack(record_source["geometry"])
    if not np.array_equal(driver.shape.landmarks, source.shape.landmarks):
        raise errors.UserError(
            "Records of two portraits have no correspondence; give two records of one."
        )
    samples = size * _OVERSAMPLING
    parts = mesh.assemble(driver.shape, _SIDE)
    maps = _maps(driver.shape)
    here = _Frame(parts, maps, driver, frame_driver, samples)
    there = _Frame(parts, maps, source, frame_source, samples)
    reach = crop.HALF_IMAGE_HEAD_UNITS * source.view.distance
    fold = (here.fold - there.fold) * (samples / 2 / reach)
    is_all_own = driver.is_photograph and source.is_photograph
    where, places, is_good = here.trace(
        there.screen[:, :2] + fold, rasterizer.INVENTED + 1, is_all_own
    )
    _, seen, _ = there.trace(there.screen[:, :2], rasterizer.INVENTED + 1, True)
    is_good &= _in_picture(places, driver.shape) | (places[..., 1] >= _SIDE - 0.5)
    is_good &= _same_place(_at(seen, where), places) & _inside(where)
    is_good &= _spread(where, size)
    mirrored_where, is_mirrored = _mirrored(driver.shape, parts, here, there, seen)
    return Correspondence(
        flow=_on_image(_cells(where, size), samples),
        visible=_cells(is_good, size) > 0.99,
        mirrored_flow=_on_image(_cells(mirrored_where, size), samples),
        mirrored_visible=_cells(is_mirrored, size) > 0.99,
        genuine=_cells(_genuine(driver, parts, here, samples), size),
    )


class _Frame:
    """One frame, rasterized."""

    def __init__(self, parts, maps, clip, frame, samples):
        state = clip.state(frame)
        self.parts, self.maps, self.samples = parts, maps, samples
        self.points = posing.vertices(parts, clip.shape, state)
        self._clip, self._state = clip, state
        self.screen = self.place(self.points)
        self.fold = mesh.fold(parts, state)
        self.uv = parts.uv + self.fold * (_SIDE / 2 / photo_head.REACH)
        self.depth = np.empty((samples, samples), np.float32)
        self.shown = np.empty((samples, samples), np.int32)
        rasterizer.rasterize(
            self.screen,
            parts.triangles,
            parts.clear,
            self.uv,
            maps.opacity[..., 0],
            self.depth,
            self.shown,
        )

    def place(self, points):
        """Return x, y in samples and depth of posed points."""
        view = self._clip.view
        return rendering.on_samples(points, self.parts, view, self.samples)

    def pose(self, points):
        """Turn and shift points that lie as at rest."""
        shape, turning = self._clip.shape, self.parts.turning
        return posing.turned(points, shape, self._state, turning)

    def trace(self, source, trusted, is_all_own=False):
        """Return place in the source, place on the texture, and what is good."""
        shape = (self.samples, self.samples)
        where, places = np.empty((*shape, 2), "f4"), np.empty((*shape, 3), "f4")
        is_good = np.empty(shape, np.bool_)
        stretch = rasterizer.stretches(
            self.parts.triangles, source, self.screen[:, :2].copy()
        )
        own = np.ones_like(self.maps.own) if is_all_own else self.maps.own
        rasterizer.trace(
            self.screen,
            self.parts.triangles,
            self.parts.kinds,
            stretch,
            self.uv,
            np.ascontiguousarray(source, np.float32),
            self.maps.opacity,
            own,
            self.shown,
            *rendering.ground_of_samples(_SIDE, self.samples),
            trusted,
            where,
            places,
            is_good,
        )
        return where, places, is_good


class _Maps(NamedTuple):
    """Maps over the texture, float32 `[_SIDE, _SIDE, 1]`."""

    opacity: np.ndarray
    own: np.ndarray


def _maps(shape):
    def grown(values):
        values = einops.repeat(values, "h w -> (h i) (w j) 1", i=2, j=2)
        return np.ascontiguousarray(values, np.float32)

    return _Maps(grown(shape.opacity / np.float32(255)), grown(shape.own_ground))


def _genuine(clip, parts, here, samples):
    """Tell which samples show the photograph's own pixels."""
    if clip.is_photograph:
        reach = crop.HALF_IMAGE_HEAD_UNITS
        at = reach * ((2 * np.arange(samples) + 1) / samples - 1)
        x, y = np.meshgrid(at, at)
        places = mesh.on_texture(np.stack([x, y], axis=-1), _SIDE)
        return _in_picture(places, clip.shape)
    rest = rendering.on_samples(parts.points, parts, photo_head.View(), samples)
    _, places, is_own = here.trace(rest[:, :2].copy(), rasterizer.INVENTED)
    return is_own & _in_picture(places, clip.shape)


def _mirrored(shape, parts, here, there, seen):
    """Return where the mirror images of the driver's samples lie, and if visible.

    Ours: the mesh of the face is symmetric; everything else is reflected at rest about
    the middle of the head.
    """
    dense = face_mesh.face_mesh()
    turn = photo_head.rotation_matrix(shape.rotation)
    reflect = turn @ np.diag([-1.0, 1.0, 1.0]) @ turn.T
    points = there.pose((parts.points @ reflect).astype(np.float32))
    count = len(dense.places)
    points[:count] = np.einsum(
        "fkc,fk->fc", there.points[dense.mirror_points], dense.mirror_weights
    )
    placed = there.place(points)
    where, places, _ = here.trace(placed[:, :2].copy(), rasterizer.INVENTED)
    depth, _, _ = here.trace(placed[:, [2, 2]].copy(), rasterizer.INVENTED)
    apart = np.abs(_at(there.depth[..., None], where)[..., 0] - depth[..., 0])
    is_head = (places[..., 2] > OPAQUE) & (_at(seen, where)[..., 2] > OPAQUE)
    return where, is_head & (apart < MIRROR_TOLERANCE) & _inside(where)


def _at(values, where):
    """Sample `[S, S, C]` linearly at places `[S, S, 2]` in samples."""
    at = [where[..., 1], where[..., 0]]
    channels = [
        ndimage.map_coordinates(values[..., k], at, order=1, mode="nearest")
        for k in range(values.shape[-1])
    ]
    return np.stack(channels, axis=-1)


def _same_place(seen, places):
    away = np.abs(seen - places)
    reach = SAME_PLACE / (2 * photo_head.REACH) * _SIDE
    return (away[..., :2].max(axis=-1) < reach) & (away[..., 2] < SAME_OPACITY)


def _in_picture(places, shape):
    """Tell which places on the texture, in its pixels, lie in the picture."""
    screen = ((places[..., :2] + 0.5) / _SIDE * 2 - 1) * photo_head.REACH
    left, top, right, bottom = shape.picture
    is_in = (screen[..., 0] > left) & (screen[..., 0] < right)
    return is_in & (screen[..., 1] > top) & (screen[..., 1] < bottom)


def _inside(where):
    return ((where >= 0) & (where <= len(where) - 1)).all(axis=-1)


def _spread(where, size):
    """Tell which samples lie in cells that show one surface alone."""
    pattern = "(h i) (w j) c -> h w c"
    high = einops.reduce(where, pattern, "max", h=size, w=size)
    low = einops.reduce(where, pattern, "min", h=size, w=size)
    is_one = (high - low).max(axis=-1) <= LARGEST_SPREAD
    times = len(where) // size
    return einops.repeat(is_one, "h w -> (h i) (w j)", i=times, j=times)


def _cells(values, size):
    """Average samples `[S, S, ...]` to cells, float32."""
    values = values.astype(np.float32)
    return einops.reduce(values, "(h i) (w j) ... -> h w ...", "mean", h=size, w=size)


def _on_image(where, samples):
    return ((where + 0.5) / samples * 2 - 1).astype(np.float32)


def _quantized(points):
    return np.rint(points / _QUANTUM).astype(np.int16)


def _fields():
    return dataclasses.fields(photo_head.HeadShape)
