"""Painted skin: eye sockets, lids, make-up, stubble and lips."""

import dataclasses
import functools

import numpy as np
import pytest

from datasets.synthetic_heads import names
from datasets.synthetic_heads.person import (
    appearance,
    avatar,
    eye_paint,
    geometry,
    head,
    skin,
    skin_canvas,
)
from datasets.synthetic_heads.rendering import renderer, scene
from vasa_jax import arkit

SEED = 46
WOMAN = head.Traits((0.3, 0.3, 0.4), is_male=False, age=0.3)
MAN = dataclasses.replace(WOMAN, is_male=True)
PLAIN = eye_paint.EyePaint(
    socket_depth=0.0,
    socket_extent=1.0,
    socket_tint=np.ones(3),
    bags=0.0,
    lid_change=0.0,
    lid_shine=0.0,
    shadow_colour=np.zeros(3),
    shadow=0.0,
    shadow_reach=0.05,
    liner=0.0,
    liner_width=0.015,
    liner_below=0.0,
)
TONE = np.array([0.7, 0.5, 0.4], np.float32)
RIM = float(np.interp(0.30, *eye_paint.UPPER_RIM))
CHEEK = (0.5, 6.9)


@functools.lru_cache(maxsize=1)
def draws(traits=WOMAN):
    generator = np.random.default_rng(5)
    return [eye_paint.random_eye_paint(generator, traits) for _ in range(600)]


def painted(**changes):
    shape = (skin_canvas.HEIGHT, skin_canvas.WIDTH, 3)
    texture = np.broadcast_to(TONE, shape).astype(np.float32)
    paint = dataclasses.replace(PLAIN, **changes)
    return eye_paint.paint_eyes(texture, skin_canvas.whole_canvas(), paint)


def texel(texture, azimuth, height):
    canvas = skin_canvas.whole_canvas()
    away = (canvas.azimuth - azimuth) ** 2 + (canvas.height - height) ** 2
    return texture.reshape(-1, 3)[np.argmin(away)]


def skin_of(**changes):
    paint = skin.SkinPaint(
        tone=TONE, hair=TONE / 4, beard=0.0, stubble=0.0, eyes=PLAIN, traits=MAN
    )
    paint = dataclasses.replace(paint, **changes)
    return skin.paint_skin(np.random.default_rng(3), paint).astype(np.float32)


def test_the_tabled_rim_bounds_the_skin_that_a_blink_carries():
    mesh = head.load_head_mesh()
    blink = mesh.expression_deltas[arkit.index("eyeBlinkLeft")]
    points = np.unique(mesh.point_of_vertex[mesh.vertex_materials == head.SKIN])
    far = points[blink[points, 1] < -0.095]
    x, y, z = mesh.base[far].T
    above = y - np.interp(np.arctan2(x, z - 0.3), *eye_paint.UPPER_RIM)
    assert len(far) > 20
    assert -0.012 < above.min() < 0.0
    assert 0.03 < above.max() < eye_paint.LID_HEIGHT


def test_plain_eyes_leave_the_skin_as_it_was():
    np.testing.assert_array_equal(np.unique(painted()), np.unique(TONE))


def test_a_fifth_of_sockets_is_dark_and_a_quarter_clear():
    depths = np.array([paint.socket_depth for paint in draws()])
    assert 0.14 < np.mean(depths > 0.23) < 0.26
    assert 0.19 < np.mean(depths == 0.0) < 0.31
    assert depths.max() < 0.5


def test_lids_leave_the_skin_both_ways_and_independently_of_sockets():
    depths = np.array([paint.socket_depth for paint in draws()])
    lids = np.array([paint.lid_change for paint in draws()])
    assert 0.05 < np.mean(lids > 0.11) < 0.15
    assert 0.05 < np.mean(lids < -0.11) < 0.15
    assert abs(np.corrcoef(depths, lids)[0, 1]) < 0.12


def test_some_women_and_no_men_wear_make_up():
    for name, low, high in (("shadow", 0.3, 0.5), ("liner", 0.35, 0.55)):
        worn = [getattr(paint, name) > 0 for paint in draws()]
        assert low < np.mean(worn) < high
    generator = np.random.default_rng(6)
    men = [eye_paint.random_eye_paint(generator, MAN) for _ in range(60)]
    assert not any(man.shadow or man.liner or man.liner_below for man in men)


def test_sockets_are_darkest_at_the_inner_corner_and_under_the_brow():
    texture = painted(socket_depth=0.5)
    corner, brow = texel(texture, 0.14, 7.36), texel(texture, 0.25, 7.42)
    outside, cheek = texel(texture, 0.42, 7.30), texel(texture, *CHEEK)
    assert max(corner.max(), brow.max()) < 0.65 * TONE.max()
    assert outside.mean() > 1.2 * max(corner.mean(), brow.mean())
    np.testing.assert_allclose(cheek, TONE, rtol=0.01)


def test_both_eyes_are_painted_alike():
    texture = painted(socket_depth=0.4, bags=0.3, lid_change=0.2, liner=0.9)
    np.testing.assert_allclose(texture, texture[:, ::-1], atol=1e-4)


def test_bags_lie_below_the_lower_lid_only():
    texture = painted(bags=0.5)
    assert texel(texture, 0.26, 7.16).mean() < 0.75 * TONE.mean()
    np.testing.assert_allclose(texel(texture, 0.26, 7.40), TONE, rtol=0.01)


@pytest.mark.parametrize("change", [-0.25, 0.25])
def test_a_lid_differs_from_the_skin_by_the_asked_sign(change):
    texture = painted(lid_change=change)
    difference = texel(texture, 0.30, RIM + 0.03) - TONE
    assert np.all(difference * np.sign(change) > 0.05)
    np.testing.assert_allclose(texel(texture, 0.30, 7.46), TONE, rtol=0.01)


def test_eyeshadow_takes_its_colour_and_fades_below_the_brow():
    colour = np.array([0.1, 0.3, 0.8])
    texture = painted(shadow_colour=colour, shadow=1.0)
    near = texel(texture, 0.30, RIM + 0.015)
    np.testing.assert_allclose(near, colour, atol=0.05)
    np.testing.assert_allclose(texel(texture, 0.30, 7.47), TONE, rtol=0.01)


def test_eyeliner_is_a_thin_dark_line_along_the_rim():
    texture = painted(liner=0.9)
    assert texel(texture, 0.30, RIM).mean() < 0.4 * TONE.mean()
    np.testing.assert_allclose(texel(texture, 0.30, RIM + 0.04), TONE, rtol=0.01)


def test_closed_lids_show_what_was_painted():
    person = avatar.build_avatar(SEED)
    closed = np.zeros(arkit.NUM_UNITS, np.float32)
    for side in ("Left", "Right"):
        closed[arkit.index(f"eyeBlink{side}")] = 1.0
    state = geometry.FrameState(closed, np.zeros(2), np.zeros(3), np.zeros(3))
    view, surroundings = renderer.Renderer(96), scene.random_scene(SEED)
    images = []
    for paint in (PLAIN, dataclasses.replace(PLAIN, lid_change=-0.3)):
        looks = dataclasses.replace(
            person.appearance, skin_texture=skin_of(eyes=paint).astype(np.uint8)
        )
        who = dataclasses.replace(person, appearance=looks)
        frame = view.render(who, surroundings, scene.camera(20.0), state)
        images.append(frame.image.astype(float))
    eye = frame.keypoints[names.KEYPOINT_NAMES.index("left_eye")]
    column, row = ((eye + 1) * 48).astype(int)
    around = slice(row - 2, row + 1), slice(column - 2, column + 3)
    lids = [image[around].mean() for image in images]
    assert lids[1] < 0.9 * lids[0]
    np.testing.assert_array_equal(images[0][70:], images[1][70:])


def test_stubble_greys_the_jaw_towards_blue_and_leaves_the_forehead():
    clean, rough = skin_of(), skin_of(stubble=1.0)
    share = texel(rough, 0.3, 6.3) / texel(clean, 0.3, 6.3)
    assert share[0] < share[1] < share[2] < 0.8
    np.testing.assert_array_equal(texel(rough, 0.0, 7.7), texel(clean, 0.0, 7.7))


def test_new_paint_leaves_the_draws_of_everything_else_alone():
    looks = avatar.build_avatar(SEED).appearance
    message = "Update only if people may change: their clips and scenes do as well."
    golden = {
        "hair": [0.11370819, 0.09665196, 0.09096655],
        "cloth": [0.65045217, 0.61272882, 0.58595855],
        "hat": [0.52472391, 0.56588942, 0.62855609],
        "gloss": 1.0740166,
    }
    for name, value in golden.items():
        shown = getattr(looks, name)
        np.testing.assert_allclose(shown, value, rtol=1e-4, err_msg=message)
    again = avatar.build_avatar(SEED).appearance
    np.testing.assert_array_equal(looks.skin_texture, again.skin_texture)


def test_lips_and_lashes_vary_among_women():
    shape = avatar.build_avatar(SEED).geometry
    shape = dataclasses.replace(shape, traits=WOMAN)
    people = [
        appearance.random_appearance(np.random.default_rng(seed), shape)
        for seed in range(16)
    ]
    warmth = [person.lips[0] / person.lips[1] for person in people]
    assert np.ptp(warmth) > 0.7
    assert np.std([person.lashes.mean() for person in people]) > 0.02
