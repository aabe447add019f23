"""Fit a portrait: a textured mesh in space that can be posed and rendered."""

import dataclasses
import zlib

import numpy as np
from scipy import ndimage

from datasets.photo_heads.fit import (
    contours,
    face_mesh,
    lips_and_lids,
    photo_head,
    sheet,
)
from datasets.photo_heads.parts import mouth_sheets, tiles
from datasets.photo_heads.rendering import posing
from datasets.synthetic_heads.person import appearance, head
from vasa_jax.portrait import (
    background_fill,
    crop,
    eye_texture,
    eyelids,
    gaze,
    locate,
    mouth_light,
    mouth_paint,
    mouths,
    person_mask,
    pose,
    resample,
)
from vasa_jax.portrait import irises as irises_lib

LANDMARK_DEPTH = 0.5
"""Trust in the landmarks' own depth; the rest is the canonical face's. Ours: the
network's noses are too long on some and too short on others."""

DEPTH_GAIN = 1.15
"""Exaggeration of the face's depth. Ours: without it, and with the outline of the head
that cannot turn, the pose fit finds three quarters of a yaw again."""

OPACITY_CELLS = 160
"""Cells of `HeadShape.opacity` along a side. Ours: as fine as a crop of 128."""


def fit(image: np.ndarray, size: int = 256) -> photo_head.PhotoHead:
    """Fit a portrait, for rendering crops of `size` pixels.

    Args:
        image: uint8 `[H, W, 3]`.
        size: side of the crops that will be rendered.

    Raises:
        UserError: no face was found.
    """
    found = locate.locate_face(image)
    head_fit = pose.fit_head(found.landmarks.points)
    turn = head_fit.matrix()
    box = pose.crop_of_fit(head_fit)
    scale = photo_head.REACH / crop.HALF_IMAGE_HEAD_UNITS
    wide = dataclasses.replace(box, half_size=box.half_size * scale)
    side = 2 * round(size * scale / 2)
    picture = crop.extract(image, wide, side)
    person = person_mask.person_mask(picture)
    bounds = _picture_bounds(image, head_fit)
    own = _inside(bounds, side)
    ground, is_own = background_fill.fill_background(picture, person, own)

    landmarks = _landmarks_in_space(found.landmarks.points, head_fit, turn)
    mouth_gap = lips_and_lids.mouth_gap(landmarks)
    landmarks = lips_and_lids.spread_lids(landmarks)
    landmarks = lips_and_lids.weld_lips(landmarks, picture)
    face, parts = _surface(landmarks, turn, person)
    outlines = gaze.find_iris_outlines(image, found.landmarks)
    irises = irises_lib.measure_irises(outlines, found.landmarks.points, head_fit)
    irises, eye_textures = _eyes(irises, face, picture)
    mouth, painted = _mouth(picture, landmarks, face, eye_textures)
    texture = np.concatenate([picture.astype(np.float32), person[..., None]], axis=2)
    blank = [np.zeros((*eye.opacity.shape, 4), np.float32) for eye in eye_textures]
    texture, boxes = tiles.attach(texture, [*blank, *painted])
    shape = photo_head.HeadShape(
        landmarks=landmarks.astype(np.float32),
        face=face.astype(np.float32),
        sheet=parts.points.astype(np.float32),
        turning=parts.turning.astype(np.float32),
        sheet_triangles=parts.triangles,
        opacity=np.rint(255 * _reduced(person)).astype(np.uint8),
        background=(_reduced(is_own.astype(np.float32)) > 0.99).astype(np.uint8),
        picture=bounds.astype(np.float32),
        rotation=head_fit.rotation.astype(np.float32),
        irises=np.column_stack([irises.centres, irises.radii]).astype(np.float32),
        gaze=irises.rest_gaze.astype(np.float32),
        mouth=np.array(dataclasses.astuple(mouth), np.float32),
    )
    return photo_head.PhotoHead(
        shape=shape,
        texture=texture,
        tiles=boxes,
        eyes=eye_textures,
        ground=np.concatenate([ground, is_own.astype(np.float32)[..., None]], axis=2),
        photograph=crop.extract(image, box, size),
        pixels=2 * box.half_size,
        mouth_gap=mouth_gap,
        cut=_share_cut(person, own),
    )


def _surface(landmarks, turn, person):
    """Make the dense face and the sheet around it."""
    dense = face_mesh.face_mesh()
    face = dense.from_landmarks @ landmarks
    if lips_and_lids.mouth_gap(landmarks) == 0:
        # The hole between shut lips has no width at all.
        below = dense.mouth_loop[dense.num_upper :]
        face[below] = face[dense.mouth_loop[dense.num_upper - 2 : 0 : -1]]
    face = lips_and_lids.untangle(face, dense)
    grid = sheet.spread_depth(face, landmarks[contours.CHIN], turn, person)
    face, grid = sheet.limit_slopes(face, grid)
    return face, sheet.build_sheet(face, grid, person)


def _picture_bounds(image, head_fit):
    """Return left, top, right, bottom `[4]` of the picture on the screen."""
    height, width = image.shape[:2]
    corners = np.array([[0, 0], [width, height]])
    return ((corners - head_fit.centre) / head_fit.unit).ravel()


def _inside(bounds, side):
    """Tell which texture pixels `[S, S]` lie inside the picture."""
    centre = photo_head.REACH * ((2 * np.arange(side) + 1) / side - 1)
    left, top, right, bottom = bounds
    rows, columns = (
        (centre > top) & (centre < bottom),
        (centre > left) & (centre < right),
    )
    return rows[:, None] & columns


def _reduced(values):
    """Average `[S, S]` down to `OPACITY_CELLS`."""
    side = len(values)
    cells = (OPACITY_CELLS, OPACITY_CELLS)
    return resample.sample_window(values[..., None], 0, 0, side, side, *cells)[..., 0]


def _landmarks_in_space(points, head_fit, turn):
    """Place landmarks `[468, 3]` of image pixels in the camera frame."""
    canonical, weights = pose.canonical_face()
    expected = (canonical @ turn.T)[:, 2]
    depth = points[:, 2].astype(np.float64) / head_fit.unit
    depth += np.sum(weights * (expected - depth))
    depth = DEPTH_GAIN * (expected + LANDMARK_DEPTH * (depth - expected))
    return photo_head.lift((points[:, :2] - head_fit.centre) / head_fit.unit, depth)


def _eyes(irises, face, picture):
    """Fit irises to their edges, and take both eyes apart."""
    side = len(picture)
    unit = side / 2 / photo_head.REACH
    rims = [photo_head.project(face[loop]) for loop in face_mesh.face_mesh().eye_loops]
    lids = tuple(eyelids.Lids.of_rim(rim) for rim in rims)
    irises = irises_lib.sharpened(irises, picture.mean(axis=2), unit, lids)
    centres, matrix = irises_lib.discs(irises, np.zeros(2))
    textures = tuple(
        eye_texture.fit_eye(
            picture,
            eyelids.Lids.of_rim(photo_head.on_texture(rim, side)),
            photo_head.on_texture(centre, side),
            matrix * radius * unit,
            unit,
        )
        for rim, centre, radius in zip(rims, centres, irises.radii, strict=True)
    )
    return irises, textures


def _mouth(picture, landmarks, face, eye_textures):
    """Shape and paint the inside of the mouth.

    Ours: the picture seeds chance, so that a portrait keeps its teeth.
    """
    side = len(picture)
    unit = side / 2 / photo_head.REACH
    generator = np.random.default_rng(zlib.crc32(picture.tobytes()))
    inside = None
    if lips_and_lids.mouth_gap(landmarks) > mouths.OPEN_MOUTH:
        ring = photo_head.project(face[face_mesh.face_mesh().mouth_loop])
        inside = _covered(photo_head.on_texture(ring, side), side)
    traits, _ = head.random_identity(generator)
    own = appearance.teeth_colour(generator, traits)
    light = mouth_light.measure_light(
        picture,
        photo_head.on_texture(photo_head.project(landmarks), side),
        inside,
        unit,
        np.mean([eye.sclera for eye in eye_textures], axis=0),
        own / own.max(),
    )
    size = posing.unit_size(landmarks)
    mouth = mouth_sheets.random_shape(size, light.teeth_end, generator)
    return mouth, mouth_paint.paint(light, unit * mouth.size, generator)


def _covered(ring, side):
    """Tell which texture pixels `[S, S]` lie within a ring of them."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float64)
    pixels = np.stack([x.ravel(), y.ravel()], axis=1)
    return contours.inside(ring, pixels).reshape(side, side)


def _share_cut(person, own):
    """Measure how much of the picture's edge cuts through the head inside the crop."""
    side = len(person)
    reach = crop.HALF_IMAGE_HEAD_UNITS / photo_head.REACH
    first, last = round(side * (1 - reach) / 2), round(side * 0.55)
    part = (slice(first, last), slice(first, side - first))
    edge = own & ndimage.binary_dilation(~own, iterations=2)
    return float((edge & (person > 0.5))[part].sum() / 2 / (side - 2 * first))
