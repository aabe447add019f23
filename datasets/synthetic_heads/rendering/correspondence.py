"""Exact correspondence between any two frames of one identity.

Ours: a record keeps what a frame was posed with (some 270 bytes a frame), and the
surface is projected again when it is wanted: exact for every pair of frames, where
stored flows would need a pair to be chosen at rendering time.
"""

import dataclasses
import io
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from datasets.synthetic_heads.person import (
    avatar,
    geometry,
    head,
    lids,
    mirroring,
    strands,
)
from datasets.synthetic_heads.rendering import kernels, rasterizer, renderer, scene
from vasa_jax import errors

DEPTH_TOLERANCE = 0.08
"""Mesh units between a point and what the source frame shows there, at which the
point still counts as seen. Ours: under the thickness of lids, lips and ears."""

MIRRORED_HAIR_TOLERANCE = 0.25
"""The same for hair and its mirror image, mesh units. Ours: hair is combed to a side
and stands in layers; under the thickness of most of it."""

_SOURCE_OVERSAMPLING = 2
_HAIR, _DRAPE = head.HAIR, head.DRAPE


@dataclasses.dataclass(frozen=True)
class ClipGeometry:
    """What the geometry of a clip is rebuilt from; T frames.

    Attributes:
        identity_seed, exaggeration: arguments of `geometry.build_geometry`.
        camera: the clip's camera.
        arkit: float32 `[T, 52]`; gaze_in_head: `[T, 2]`; rotation, translation:
            `[T, 3]`, as in `geometry.FrameState`.
    """

    identity_seed: int
    exaggeration: float
    camera: scene.Camera
    arkit: np.ndarray
    gaze_in_head: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray

    def state(self, frame: int) -> geometry.FrameState:
        """Return the state of one frame."""
        return geometry.FrameState(
            self.arkit[frame],
            self.gaze_in_head[frame],
            self.rotation[frame],
            self.translation[frame],
        )


class Correspondence(NamedTuple):
    """Where a source frame shows what a driver frame shows.

    Attributes:
        flow: float32 `[size, size, 2]` (x, y) in [-1, 1] in the source frame for each
            driver pixel's centre. Background keeps its own place; lids that close lead
            to the skin above the eye, see `lids`.
        visible: bool `[size, size]` whether it is visible there; background is where
            the source shows background too.
        mirrored_flow: the same for the mirror image of each surface point about the
            middle of the face.
        mirrored_visible: whether that is visible; background never is.
        learnable: float32 `[size, size]` share of each driver cell that may be learnt;
            all of a rendered one.
    """

    flow: np.ndarray
    visible: np.ndarray
    mirrored_flow: np.ndarray
    mirrored_visible: np.ndarray
    learnable: np.ndarray


def pack_geometry(
    person: avatar.Avatar, camera: scene.Camera, states: Sequence[geometry.FrameState]
) -> bytes:
    """Pack all that `flow` needs of a clip.

    Args:
        person: who was rendered.
        camera: the clip's one camera.
        states: one for each frame.

    Returns:
        Bytes of an npz file, for a record's `geometry`.
    """
    frames = [
        np.concatenate([s.arkit, s.gaze_in_head, s.rotation, s.translation])
        for s in states
    ]
    buffer = io.BytesIO()
    np.savez(
        buffer,
        identity_seed=np.int64(person.identity_seed),
        settings=np.append(camera.to_vector(), person.exaggeration).astype(np.float64),
        frames=np.stack(frames).astype(np.float32),
    )
    return buffer.getvalue()


def unpack_geometry(packed: bytes) -> ClipGeometry:
    """Read what `pack_geometry` wrote."""
    with np.load(io.BytesIO(packed)) as arrays:
        settings, frames = arrays["settings"], arrays["frames"]
        identity_seed = int(arrays["identity_seed"])
    return ClipGeometry(
        identity_seed=identity_seed,
        exaggeration=float(settings[-1]),
        camera=scene.Camera.from_vector(settings[:-1].astype(np.float32)),
        arkit=frames[:, :52],
        gaze_in_head=frames[:, 52:54],
        rotation=frames[:, 54:57],
        translation=frames[:, 57:60],
    )


def between(
    record_driver: Mapping[str, bytes],
    frame_driver: int,
    record_source: Mapping[str, bytes],
    frame_source: int,
    size: int = 64,
) -> Correspondence:
    """Tell for each pixel of the driver frame where the source frame shows it.

    Follows: rasterised dense correspondence, as renderers' motion vectors.

    Args:
        record_driver, record_source: records of the same identity, of which only
            `geometry` is read.
        frame_driver, frame_source: indices of the frames.
        size: cells along an edge.

    Raises:
        UserError: the records show two identities.
    """
    driver = unpack_geometry(record_driver["geometry"])
    source = unpack_geometry(record_source["geometry"])
    who = driver.identity_seed, driver.exaggeration
    if who != (source.identity_seed, source.exaggeration):
        raise errors.UserError(
            f"Records of identities {driver.identity_seed} and {source.identity_seed} "
            "have no correspondence; give two records of one identity."
        )
    shape = geometry.build_geometry(*who)
    table = strands.strand_table()

    def rasterized(clip, frame, samples):
        posed = geometry.pose_head(shape, clip.state(frame))
        screen = renderer.screen_positions(posed.positions, clip.camera, samples)
        depth = np.empty((samples, samples), np.float32)
        shown = np.empty((samples, samples), np.int32)
        rasterizer.rasterize(
            screen, shape.triangles, shape.attributes, table, depth, shown
        )
        return posed.positions, screen, depth, shown

    _, screen, _, shown = rasterized(driver, frame_driver, size)
    finer = size * _SOURCE_OVERSAMPLING
    points, _, depth, shown_there = rasterized(source, frame_source, finer)
    states = source.state(frame_source), driver.state(frame_driver)
    points = lids.fold(shape, points, *states)
    points = (points - source.camera.eye) @ source.camera.axes.T

    def traced(points, hair_tolerance):
        where = np.empty((size, size, 2), np.float32)
        visible = np.empty((size, size), np.bool_)
        _trace(
            screen,
            shape.triangles,
            shape.attributes,
            shown,
            points,
            np.float32(source.camera.focal),
            depth,
            shown_there,
            np.float32(hair_tolerance),
            where,
            visible,
        )
        return where, visible

    flow, visible = traced(points, DEPTH_TOLERANCE)
    mirrored_flow, mirrored_visible = traced(
        points[mirroring.partners(*who)], MIRRORED_HAIR_TOLERANCE
    )
    return Correspondence(
        flow,
        visible,
        mirrored_flow,
        mirrored_visible & (shown >= 0),
        np.ones((size, size), np.float32),
    )


@kernels.cached
def _trace(
    screen,
    triangles,
    attributes,
    shown,
    source_points,
    focal,
    source_depth,
    source_shown,
    hair_tolerance,
    where,
    visible,
):
    """Carry each driver sample's surface point into the source frame."""
    size = shown.shape[0]
    for y in range(size):
        for x in range(size):
            t = shown[y, x]
            if t < 0:
                u, v = (x + 0.5) / size * 2 - 1, (y + 0.5) / size * 2 - 1
                where[y, x, 0], where[y, x, 1] = u, v
                visible[y, x] = _is_shown(
                    u,
                    v,
                    -1,
                    0.0,
                    0.0,
                    triangles,
                    attributes,
                    source_depth,
                    source_shown,
                )
                continue
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            x0, y0 = screen[a, 0], screen[a, 1]
            x1, y1 = screen[b, 0], screen[b, 1]
            x2, y2 = screen[c, 0], screen[c, 1]
            inverse = 1.0 / ((x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0))
            w1 = ((x - x0) * (y2 - y0) - (x2 - x0) * (y - y0)) * inverse
            w2 = ((x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)) * inverse
            w0 = (1.0 - w1 - w2) / screen[a, 2]
            w1, w2 = w1 / screen[b, 2], w2 / screen[c, 2]
            total = w0 + w1 + w2
            w0, w1, w2 = w0 / total, w1 / total, w2 / total
            px = (
                w0 * source_points[a, 0]
                + w1 * source_points[b, 0]
                + w2 * source_points[c, 0]
            )
            py = (
                w0 * source_points[a, 1]
                + w1 * source_points[b, 1]
                + w2 * source_points[c, 1]
            )
            depth = -(
                w0 * source_points[a, 2]
                + w1 * source_points[b, 2]
                + w2 * source_points[c, 2]
            )
            u, v = focal * px / depth, -focal * py / depth
            where[y, x, 0], where[y, x, 1] = u, v
            material = int(attributes[a, geometry.MATERIAL])
            is_hair = material == _HAIR or material == _DRAPE
            visible[y, x] = _is_shown(
                u,
                v,
                material,
                depth,
                hair_tolerance if is_hair else DEPTH_TOLERANCE,
                triangles,
                attributes,
                source_depth,
                source_shown,
            )


@kernels.cached
def _is_shown(
    u,
    v,
    material,
    depth,
    tolerance,
    triangles,
    attributes,
    there_depth,
    there_shown,
):
    """Tell whether one of the four nearest samples shows the material (-1: none)."""
    size = there_shown.shape[0]
    if abs(u) > 1.0 or abs(v) > 1.0:
        return False
    left = int(np.floor((u + 1) * 0.5 * size - 0.5))
    top = int(np.floor((v + 1) * 0.5 * size - 0.5))
    for i in range(2):
        for j in range(2):
            row = min(max(top + i, 0), size - 1)
            column = min(max(left + j, 0), size - 1)
            t = there_shown[row, column]
            if t < 0 or material < 0:
                if t < 0 and material < 0:
                    return True
                continue
            same = int(attributes[triangles[t, 0], geometry.MATERIAL]) == material
            if same and abs(there_depth[row, column] - depth) < tolerance:
                return True
    return False
