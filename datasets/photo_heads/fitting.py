"""Fit a portrait: from a picture to a textured head that can be moved."""

import dataclasses

import numpy as np
from scipy import ndimage

from datasets.photo_heads import (
    background_fill,
    depth_sheet,
    face_mesh,
    mesh,
    mouth_interior,
    photo_head,
    placed_landmarks,
    segmentation,
    untangling,
)
from vasa_jax.portrait import crop, gaze, locate, pose

GAZE_AT_VIEWER = np.deg2rad(12.0)
"""Gaze within which a portrait is taken to look at the viewer. Ours: most do, and gaze
is estimated no better from one picture."""

_CHEEKS = (50, 280, 205, 425, 101, 330, 117, 346, 187, 411)


def fit(image: np.ndarray, size: int) -> photo_head.PhotoHead:
    """Fit the largest face of a picture.

    Args:
        image: uint8 `[H, W, 3]`.
        size: of the frames that it will be rendered to, pixels.

    Returns:
        The fitted portrait.

    Raises:
        UserError: no face was found.
    """
    found = locate.locate_face(image)
    head_fit = pose.fit_head(found.landmarks.points)
    box = pose.crop_of_fit(head_fit)
    reach = photo_head.REACH / crop.HALF_IMAGE_HEAD_UNITS
    wide = dataclasses.replace(box, half_size=box.half_size * reach)
    side = 2 * round(size * reach / 2)
    picture = crop.extract(image, wide, side)
    edges = _edges(image, box)
    is_inside = _inside(edges, side)
    person = segmentation.person(picture)
    filled, is_own = background_fill.fill(picture, person, is_inside)
    shape = _shape(found.landmarks.points, head_fit, picture, person, is_own, edges)
    skin = _skin_colour(picture, shape.landmarks)
    tiles = mouth_interior.tiles(skin)
    band = np.zeros((mouth_interior.TILE, side, 4), np.float32)
    shown = min(side, tiles.shape[1])
    band[:, :shown, :3] = tiles[:, :shown]
    texture = np.concatenate([picture, person[..., None]], axis=2, dtype=np.float32)
    ground = np.concatenate([filled, is_own[..., None]], axis=2, dtype=np.float32)
    return photo_head.PhotoHead(
        shape=shape,
        parts=mesh.assemble(shape, side),
        photograph=crop.extract(image, box, size),
        texture=np.concatenate([texture, band]),
        ground=ground,
        rest_gaze=_rest_gaze(image, found, head_fit),
        pixels=2 * box.half_size,
        cut=_share_cut(person, is_inside),
    )


def _shape(points, head_fit, picture, person, is_own, edges):
    """Place the face and the sheet that goes on from it."""
    turn = head_fit.matrix()
    landmarks = placed_landmarks.in_space(points, head_fit)
    landmarks = placed_landmarks.spread_lids(landmarks)
    gap = placed_landmarks.mouth_gap(landmarks)
    is_shut = gap <= placed_landmarks.OPEN_MOUTH
    if is_shut:
        landmarks = placed_landmarks.weld_lips(landmarks, picture)
    dense = face_mesh.face_mesh()
    face = dense.from_landmarks @ landmarks
    if is_shut:
        # The hole between shut lips has no width at all.
        loop, upper = dense.mouth_loop, dense.num_upper
        face[loop[upper:]] = face[loop[upper - 2 : 0 : -1]]
    face = untangling.untangle(face)
    grid = depth_sheet.spread(face, landmarks, turn, person)
    face, grid = depth_sheet.limit_slopes(face, grid)
    sheet = depth_sheet.sheet(face, grid, person)
    return photo_head.HeadShape(
        landmarks=landmarks.astype(np.float32),
        face=face.astype(np.float32),
        sheet=sheet.points.astype(np.float32),
        sheet_triangles=sheet.triangles.astype(np.int32),
        sheet_clear=sheet.clear,
        sheet_turning=sheet.turning.astype(np.float32),
        opacity=np.rint(255 * _shrunk(person)).astype(np.uint8),
        own_ground=_shrunk(is_own.astype(np.float32)) > 0.99,
        picture=edges.astype(np.float32),
        rotation=head_fit.rotation.astype(np.float32),
        mouth_scale=placed_landmarks.mouth_scale(landmarks),
        mouth_gap=0.0 if is_shut else gap,
    )


def _edges(image, box):
    """Return left, top, right and bottom of the picture on the screen."""
    height, width = image.shape[:2]
    unit = box.half_size / crop.HALF_IMAGE_HEAD_UNITS
    corners = np.array([0, 0, width, height], float)
    return (corners - np.tile([box.center_x, box.center_y], 2)) / unit


def _inside(edges, side):
    """Tell which pixels of a texture lie in the picture, bool `[side, side]`."""
    at = photo_head.REACH * ((2 * np.arange(side) + 1) / side - 1)
    rows = (at > edges[1]) & (at < edges[3])
    return rows[:, None] & (at > edges[0]) & (at < edges[2])


def _shrunk(values):
    zoom = photo_head.MAP_SIZE / len(values)
    return ndimage.zoom(values, zoom, order=1, mode="nearest", grid_mode=True)


def _share_cut(person, is_inside):
    """Measure how much of the picture's edge cuts through the head inside the crop."""
    side = len(person)
    reach = crop.HALF_IMAGE_HEAD_UNITS / photo_head.REACH
    first, last = round(side * (1 - reach) / 2), round(side * 0.55)
    part = (slice(first, last), slice(first, side - first))
    edge = is_inside & ndimage.binary_dilation(~is_inside, iterations=2)
    return float((edge & (person > 0.5))[part].sum() / 2 / (side - 2 * first))


def _skin_colour(picture, landmarks):
    side = len(picture)
    screen = photo_head.project(landmarks[list(_CHEEKS)])
    places = ((screen / photo_head.REACH + 1) / 2 * side).astype(int)
    column, row = places.clip(0, side - 1).T
    return np.median(picture[row, column].astype(np.float64), axis=0)


def _rest_gaze(image, found, head_fit):
    """Return yaw and pitch of the eyes in the head, float32 `[2]`."""
    irises = gaze.find_irises(image, found.landmarks)
    seen = gaze.estimate_gaze(irises, found.landmarks.points, head_fit)
    if np.abs(seen).max() < GAZE_AT_VIEWER:
        seen = np.zeros(2)
    return (seen - head_fit.rotation[:2]).astype(np.float32)
