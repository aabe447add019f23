"""What opened mouths of photographs show."""

import dataclasses

import numpy as np
import pytest

from datasets.photo_heads.parts import mouth_sheets
from vasa_jax.portrait import mouth_interior, mouth_light, mouth_paint

UNIT = 85.0


def _light(**changes):
    light = mouth_light.MouthLight(
        tooth=np.array([210.0, 200.0, 185.0]),
        flesh=np.array([150.0, 85.0, 80.0]),
        sideways=0.0,
        colourful=1.0,
        teeth_end=None,
    )
    return dataclasses.replace(light, **changes)


def _shape(seed=0, size=1.0, teeth_end=None):
    generator = np.random.default_rng(seed)
    return mouth_sheets.random_shape(size, teeth_end, generator)


def _tiles(seed=0, unit=UNIT, **changes):
    """Upper teeth, lower teeth, tongue and cavity."""
    generator = np.random.default_rng(seed)
    return mouth_paint.paint(_light(**changes), unit * _shape(seed).size, generator)


def _landmarks():
    """Cheeks left and right of a mouth at (50, 50), a face from top to bottom."""
    places = np.full((468, 2), 50.0)
    places[list(mouth_light.CHEEKS[0])] = [20.0, 50.0]
    places[list(mouth_light.CHEEKS[1])] = [80.0, 50.0]
    places[10], places[152], places[13] = [50.0, 5.0], [50.0, 95.0], [50.0, 40.0]
    return places


def _measured(picture, inside=None, sclera=(190.0, 185.0, 180.0)):
    own = np.array([1.0, 0.9, 0.8])
    return mouth_light.measure_light(
        picture, _landmarks(), inside, UNIT, np.array(sclera), own
    )


def _portrait(colour=(200.0, 150.0, 120.0)):
    return np.broadcast_to(np.array(colour), (100, 100, 3)).copy()


def test_the_same_seed_paints_the_same_mouth_and_another_seed_another():
    first, again, other = _tiles(1)[0], _tiles(1)[0], _tiles(2)[0]
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 5


def test_teeth_are_bright_gums_are_red_and_the_cavity_is_dark():
    upper, _, _, cavity = _tiles()
    column = upper[:, upper.shape[1] // 2 - 3, :3]
    tooth, gum = column[np.argmax(column.mean(axis=1))], column[1]
    assert tooth.mean() > 150
    assert gum[0] / gum.mean() > 1.15 * tooth[0] / tooth.mean()
    assert cavity[..., :3].mean() < 0.4 * tooth.mean()


def test_upper_teeth_hang_down_and_lower_ones_stand_up():
    upper, lower, _, _ = _tiles()
    assert (upper[0, :, 3] > 0.99).all() and upper[-1, :, 3].max() < 0.5
    assert (lower[-1, :, 3] > 0.99).all() and lower[0, :, 3].max() < 0.5


def test_front_teeth_reach_past_the_lips_by_what_people_show():
    low, high = mouth_interior.UPPER_SHOWN
    for seed in range(5):
        points = mouth_sheets.sheets(_shape(seed))[0].points
        assert low <= points[:, 1].max() - mouth_interior.EDGE <= high


def test_photographed_teeth_decide_how_far_the_painted_ones_reach():
    points = mouth_sheets.sheets(_shape(size=0.9, teeth_end=0.09))[0].points
    np.testing.assert_allclose(
        points[:, 1].max(), 0.09 + 0.9 * mouth_interior.EDGE, rtol=1e-9
    )


def test_rows_of_teeth_curve_back_and_are_wound_like_the_screen():
    for sheet in mouth_sheets.sheets(_shape()):
        side = np.abs(sheet.points[:, 0]).argmax()
        assert sheet.points[side, 2] > sheet.points[:, 2].min() + 0.05
        a, b, c = (sheet.points[sheet.triangles[:, k]] for k in range(3))
        area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1])
        area -= (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
        assert (area > 0).all()


def test_tiles_grow_with_the_texture_and_small_mouths_are_small():
    assert _tiles(unit=170.0)[0].shape[1] >= 128
    small, large = (mouth_sheets.sheets(_shape(size=size))[0] for size in (0.7, 1.0))
    np.testing.assert_allclose(small.points, 0.7 * large.points)


def test_light_from_one_side_brightens_that_side_of_the_teeth():
    tile = _tiles(sideways=0.4)[0]
    half = tile.shape[1] // 2
    near, far = tile[:, half : half + 20, :3], tile[:, half - 20 : half, :3]
    assert near.mean() > 1.05 * far.mean()


def test_greyscale_portraits_have_grey_mouths():
    light = _measured(_portrait((130.0, 130.0, 130.0)), sclera=(170.0, 170.0, 170.0))
    assert np.ptp(light.tooth) < 1e-9 and np.ptp(light.flesh) < 1e-9


@pytest.mark.parametrize("dimmer", [0.3, 0.6])
def test_dark_pictures_have_dark_teeth(dimmer):
    bright = _measured(_portrait())
    dark = _measured(dimmer * _portrait(), sclera=dimmer * np.array([190.0, 185, 180]))
    assert dark.tooth.mean() < 0.9 * bright.tooth.mean()
    assert dark.flesh.mean() < 0.9 * bright.flesh.mean()


def test_teeth_are_white_in_dark_faces_whose_eyes_are_white():
    skin = _measured(_portrait((80.0, 50.0, 40.0)))
    assert skin.tooth.mean() > 1.5 * 57


def test_light_on_the_mouth_is_on_the_teeth_in_whatever_shade_cheeks_are():
    picture = _portrait((60.0, 45.0, 36.0))
    shade = _measured(picture)
    picture[45:56, 45:56] = [200.0, 150.0, 120.0]
    light = _measured(picture)
    assert light.tooth.mean() > 1.8 * shade.tooth.mean()
    np.testing.assert_array_equal(light.flesh, shade.flesh)


@pytest.mark.parametrize("cast", [0.0, 1.0])
def test_greyscale_photographs_with_a_trace_of_colour_show_their_own_teeth(cast):
    picture = _portrait((167.5, 168.0, 167.5 + cast))
    inside = np.zeros((100, 100), bool)
    inside[40:55, 35:65] = True
    picture[40:47, 35:65] = 240.0
    assert _measured(picture, inside).teeth_end is not None


def test_the_colours_of_teeth_in_a_grey_picture_are_grey():
    grey = dict(tooth=np.full(3, 200.0), flesh=np.full(3, 100.0))
    for tile in _tiles(colourful=0.0, **grey):
        assert np.ptp(tile[..., :3], axis=-1).max() < 1e-3
    assert np.ptp(_tiles(**grey)[0][..., :3], axis=-1).max() > 10


def test_shadow_on_one_side_of_the_face_is_seen():
    picture = _portrait()
    picture[:, :50] *= 0.5
    assert 0.3 < _measured(picture).sideways <= 0.5


def test_teeth_in_the_picture_are_believed():
    inside, light = _toothed(np.array([140.0, 135.0, 125.0]))
    area = inside.sum() * (mouth_light.HALF_IMAGES / UNIT) ** 2
    seen = light.tooth * mouth_light.light_within(area)
    np.testing.assert_allclose(seen, [140.0, 135.0, 125.0])
    np.testing.assert_allclose(light.teeth_end * UNIT, 6.5, atol=0.6)


def test_teeth_that_are_bright_in_a_mouth_that_hardly_opens_keep_their_colour():
    bright = np.array([240.0, 234.0, 223.0])
    _, light = _toothed(bright)
    assert light.tooth.max() == pytest.approx(mouth_light.MOST_LIGHT)
    np.testing.assert_allclose(light.tooth / light.tooth[0], bright / bright[0])


def test_light_comes_in_as_mouths_open_up_to_that_of_a_broad_smile():
    light = [mouth_light.light_within(area) for area in (0.0045, 0.0128, 0.033, 0.1)]
    np.testing.assert_allclose(light, [0.666, 0.77, 1.0, 1.0], atol=1e-3)


def _toothed(colour):
    """Measure a portrait that shows teeth of a colour between its lips."""
    picture = _portrait((150.0, 100.0, 80.0))
    inside = np.zeros((100, 100), bool)
    inside[40:55, 35:65] = True
    picture[inside] = [40.0, 15.0, 15.0]
    picture[40:47, 35:65] = colour
    return inside, _measured(picture, inside)


def test_a_tongue_is_not_taken_for_teeth():
    picture = _portrait((150.0, 100.0, 80.0))
    inside = np.zeros((100, 100), bool)
    inside[40:55, 35:65] = True
    picture[inside] = [200.0, 90.0, 90.0]
    assert _measured(picture, inside).teeth_end is None
