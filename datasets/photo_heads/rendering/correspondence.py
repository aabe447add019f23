"""Exact correspondence between any two frames of one photographed head.

Ours: as `synthetic_heads.correspondence`, a record keeps what its frames were posed
with, and the surface is projected again when it is wanted.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from datasets.photo_heads.fit import mirroring, photo_head
from datasets.photo_heads.rendering import (
    packing,
    posing,
    rasterizer,
    rendering,
    tracing,
)
from vasa_jax import errors
from vasa_jax.portrait import crop

pack, unpack, is_packed = packing.pack, packing.unpack, packing.is_packed


class Correspondence(NamedTuple):
    """Where a source frame shows what a driver frame shows.

    Attributes:
        flow: float32 `[size, size, 2]` (x, y) in [-1, 1] in the source frame for each
            driver cell's centre. Background stays where it is; lids that close lead
            to the skin above the eye, see `posing.folds`.
        visible: bool `[size, size]` whether the source shows it there: not
            hidden, not stretched twofold, not invented, inside of picture and frame;
            background is where both show background, be it filled in one of them.
            Ours: around every head a margin of the background is filled, which counted
            as hidden taught the mask to paint around all heads.
        mirrored_flow: the same for the mirror image of each surface point about the
            middle of the face.
        mirrored_visible: whether that is visible; background never is.
        learnable: float32 `[size, size]` share of each driver cell that shows the
            photograph's own pixels, or the painted inside of the mouth, which is more
            like one than what rendered heads alone would teach; of an untouched
            photograph all inside the picture.
    """

    flow: np.ndarray
    visible: np.ndarray
    mirrored_flow: np.ndarray
    mirrored_visible: np.ndarray
    learnable: np.ndarray


def between(
    record_driver: Mapping[str, bytes],
    frame_driver: int,
    record_source: Mapping[str, bytes],
    frame_source: int,
    size: int = 64,
) -> Correspondence:
    """Tell for each cell of the driver frame where the source frame shows it.

    Args:
        record_driver, record_source: records of the same portrait, of which only
            `geometry` is read.
        frame_driver, frame_source: indices of the frames.
        size: cells along an edge.

    Raises:
        UserError: the records show two portraits.
    """
    driver = packing.unpack(record_driver["geometry"])
    source = driver
    if record_source["geometry"] is not record_driver["geometry"]:
        source = packing.unpack(record_source["geometry"])
    if not np.array_equal(driver.shape.landmarks, source.shape.landmarks):
        raise errors.UserError(
            "Records of two different portraits have no correspondence; give two "
            "records of one portrait."
        )
    rig = posing.build_rig(driver.shape)
    here = _Frame(rig, driver.state(frame_driver), driver.view, size)
    there = _Frame(rig, source.state(frame_source), source.view, size)
    # What the driver's points show, the source has at these points.
    shown = there.screen + here.fold - there.fold
    mirrored = mirroring.mirrored_points(rig, there.moves, there.state)
    shape = driver.shape
    result = Correspondence(
        flow=np.empty((size, size, 2), np.float32),
        visible=np.empty((size, size), np.bool_),
        mirrored_flow=np.empty((size, size, 2), np.float32),
        mirrored_visible=np.empty((size, size), np.bool_),
        learnable=np.empty((size, size), np.float32),
    )
    tracing.trace(
        tracing.Portrait(
            triangles=rig.triangles,
            kinds=rig.kinds,
            opacity=here.opacity,
            background=shape.background,
            picture=shape.picture,
            reach=photo_head.REACH,
            half_size=np.float32(crop.HALF_IMAGE_HEAD_UNITS),
        ),
        here.traced,
        there.traced,
        tracing.Pair(
            targets=_targets(rig, shown, there.points, source.view),
            mirrored_targets=_targets(
                rig, photo_head.project(mirrored), mirrored, source.view
            ),
            stretch=rasterizer.stretches(rig.triangles, shown, here.screen),
        ),
        result,
    )
    if driver.is_photograph:
        result.learnable[:] = _inside_picture(shape.picture, size)
    return result


def _inside_picture(picture, size):
    """Tell which cells of the photograph lie inside the picture, `[size, size]`."""
    reach = crop.HALF_IMAGE_HEAD_UNITS
    edges = reach * (2 * np.arange(size + 1) / size - 1)
    rows = (edges[:-1] > picture[1]) & (edges[1:] < picture[3])
    columns = (edges[:-1] > picture[0]) & (edges[1:] < picture[2])
    return rows[:, None] & columns


class _Frame:
    """A frame's points, its z-buffer, and what the points show."""

    def __init__(self, rig, state, view, size):
        samples = size * tracing.SAMPLES
        self.state = state
        self.moves = posing.point_moves(rig, state)
        self.points = posing.turned(rig, rig.rest + self.moves, rig.turning, state)
        self.fold = posing.folds(rig, state)
        self.screen = photo_head.project(self.points)
        at_rest = rig.screen + self.fold
        self.opacity = rig.shape.opacity.astype(np.float32) / 255
        self.traced = tracing.Frame(
            screen=rendering.to_samples(rig, self.points, view, samples),
            shown=np.empty((samples, samples), np.int32),
            depth=np.empty((samples, samples), np.float32),
            at_rest=at_rest,
            stretch=rasterizer.stretches(rig.triangles, at_rest, self.screen),
        )
        uv = photo_head.on_texture(at_rest, len(self.opacity))
        rasterizer.rasterize(
            self.traced.screen,
            rig.triangles,
            rig.kinds,
            uv.astype(np.float32),
            self.opacity,
            self.traced.depth,
            self.traced.shown,
        )


def _targets(rig, screen, points, view):
    """Return image positions and depths in the z-buffer, float32 `[N, 3]`."""
    depth = points[:, 2] + rig.behind
    return np.column_stack([view.to_image(screen), depth]).astype(np.float32)
