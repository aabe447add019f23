"""Photographed heads: moving eyes and opened mouths in a portrait's frames."""

import dataclasses

import numpy as np
import photographed
import pytest

from datasets.photo_heads.fit import face_mesh, photo_head
from datasets.photo_heads.parts import eye_patches, eyes, patch, patches, tiles
from datasets.photo_heads.rendering import (
    correspondence,
    packing,
    posing,
    rasterizer,
)
from datasets.synthetic_heads import names
from vasa_jax.portrait import eyelids, gaze, locate, pose, sampling
from vasa_jax.portrait import irises as irises_lib

State, View = photo_head.State, photo_head.View
SIZE = photographed.SIZE
EYES, MOUTH = (names.MASK_CLASSES.index(name) for name in ("eyes", "mouth_interior"))


def looking(yaw=0.0, pitch=0.0, **units):
    """Make a state with a gaze in degrees."""
    added = np.deg2rad([yaw, pitch]).astype(np.float32)
    return dataclasses.replace(photographed.state(**units), gaze=added)


def render(a_state):
    return photographed.renderer().render(photographed.head(), a_state, View())


def covered(rendering, mask_class, cells=0):
    """Return a class's pixels `[S, S]`, and those that many cells around."""
    mask = rendering.masks == mask_class
    for _ in range(cells):
        padded = np.pad(mask, 1)
        mask = padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, 1:-1]
        padded = np.pad(mask, 1)
        mask = padded[1:-1, :-2] | padded[1:-1, 2:] | padded[1:-1, 1:-1]
    return np.kron(mask, np.ones((SIZE // 64,) * 2)) > 0


def test_eyes_at_rest_are_the_photographs():
    head = photographed.head()
    side = head.ground.shape[0]
    irises = eye_patches.irises_of(head.shape)
    centres, matrix = irises_lib.discs(irises, np.zeros(2))
    for eye, loop in enumerate(face_mesh.face_mesh().eye_loops):
        texture = head.eyes[eye]
        rim = photo_head.project(head.shape.face[loop].astype(np.float64))
        lids = eyelids.Lids.of_rim(photo_head.on_texture(rim, side))
        axes = matrix * irises.radii[eye] * texture.unit
        shown = texture.compose(photo_head.on_texture(centres[eye], side), axes, lids)
        y, x = np.mgrid[0 : shown.shape[0], 0 : shown.shape[1]]
        seen = lids.contain(np.stack([x, y], axis=-1) + texture.corner, 1.0)
        column, row = texture.corner
        picture = head.texture[row : row + len(y), column : column + x.shape[1], :3]
        np.testing.assert_allclose(shown[seen], picture[seen], atol=0.01)
    found = render(State())
    assert found.genuine[covered(found, EYES)].mean() > 0.7


@pytest.mark.parametrize("yaw, pitch", [(20, 0), (-20, 0), (0, 12), (12, -10)])
def test_a_gaze_changes_the_eyes_and_their_lids_only(yaw, pitch):
    rest, moved = render(State()), render(looking(yaw, pitch))
    changed = np.abs(moved.image.astype(int) - rest.image).max(axis=-1) > 2
    assert changed[covered(rest, EYES)].mean() > 0.2
    assert not changed[~covered(rest, EYES, cells=5)].any()


def test_irises_are_found_where_the_gaze_puts_them():
    def seen(image):
        found = locate.locate_face(image)
        fit = pose.fit_head(found.landmarks.points)
        irises = gaze.find_eyes(image, found.landmarks)[:, 0]
        return np.rad2deg(gaze.estimate_gaze(irises, found.landmarks.points, fit))

    left, right = (seen(render(looking(yaw)).image) for yaw in (-20, 20))
    up, down = (seen(render(looking(0, pitch)).image) for pitch in (-12, 12))
    assert right[0] - left[0] > 0.4 * 40
    assert down[1] - up[1] > 0.1 * 24


def test_flow_on_the_iris_is_the_way_of_its_disc():
    shape = photographed.head().shape
    first, second = looking(0), looking(10)
    record = {"geometry": correspondence.pack(shape, [first, second], View())}
    found = correspondence.between(record, 0, record, 1, SIZE)
    irises = eye_patches.irises_of(shape)
    for eye in range(2):
        here, there = (
            irises_lib.discs(irises, s.gaze)[0][eye] for s in (first, second)
        )
        at = (View().to_image(here) + 1) / 2 * SIZE - 0.5
        flow = sampling.bilinear(found.flow, at)
        np.testing.assert_allclose(flow, View().to_image(there), atol=1.5 / SIZE)
        column, row = np.rint(at).astype(int)
        assert found.visible[row, column]


def test_the_white_stays_when_irises_move():
    shape = photographed.head().shape
    rig = posing.build_rig(shape)
    moves = posing.point_moves(rig, looking(15))
    start = len(shape.face) + len(shape.sheet)
    for number, one in enumerate(rig.patches[:4]):
        end = start + len(one.points)
        way = np.abs(moves[start:end]).max()
        assert way == 0 if number % 2 == 0 else way > 0.02
        start = end


def test_eyes_have_photographed_and_hidden_parts_in_both_layers():
    for one in eye_patches.build_eyes(photographed.head().shape):
        assert set(np.unique(one.kind)) <= {rasterizer.EYE, rasterizer.HIDDEN_EYE}
        assert (one.kind == rasterizer.EYE).any()


def test_mirror_images_of_an_eye_lie_in_the_other_one():
    left_white, left_disc, right_white, right_disc = eye_patches.build_eyes(
        photographed.head().shape
    )
    for one, other in ((left_white, right_white), (left_disc, right_disc)):
        away = one.mirrored.mean(axis=0) - other.points.mean(axis=0)
        assert np.abs(away).max() < 0.03
    moved = left_disc.mirrored_moves(looking(10))
    np.testing.assert_allclose(
        moved, right_disc.moves(looking(10), None)[eyes.MIRRORED_DISC]
    )


def test_upper_teeth_stay_and_lower_ones_follow_the_jaw():
    built = patches.build_patches(photographed.head().shape)
    upper, lower, tongue = (
        next(one for one in built if one.tile == tile) for tile in patch.MOUTH_TILES[:3]
    )
    opened = photographed.state(jawOpen=0.5)
    assert upper.moves is None
    for one in (lower, tongue):
        down = one.moves(opened, None) @ np.array([0.0, 1.0, 0.0])
        assert (down > 0.08).all()


def test_an_opened_mouth_shows_bright_teeth_before_a_dark_inside():
    found = render(photographed.state(jawOpen=0.5, mouthUpperUp=0.4))
    inside = found.image[covered(found, MOUTH)].mean(axis=-1)
    assert np.percentile(inside, 95) > 2.5 * np.percentile(inside, 10)


def test_irises_gaze_and_mouth_come_back_out_of_a_pack():
    shape = photographed.head().shape
    clip = packing.unpack(packing.pack(shape, [State()], View()))
    for name in ("irises", "gaze", "mouth"):
        np.testing.assert_array_equal(getattr(clip.shape, name), getattr(shape, name))


def test_tiles_lie_apart_below_the_texture():
    texture = np.full((20, 30, 4), 7.0, np.float32)
    painted = [
        np.full((h, w, 4), h, np.float32) for h, w in ((5, 12), (9, 12), (4, 25))
    ]
    result, boxes = tiles.attach(texture, painted)
    np.testing.assert_array_equal(result[:20], texture)
    shown = np.zeros(result.shape[:2], int)
    for tile, (left, top, width, height) in zip(painted, boxes, strict=True):
        part = slice(top, top + height), slice(left, left + width)
        np.testing.assert_array_equal(result[part], tile)
        shown[part] += 1
    assert shown.max() == 1 and not shown[:20].any()
