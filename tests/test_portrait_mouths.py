"""Teeth and tongue painted in a portrait's own light."""

import numpy as np
import pytest

from vasa_jax import types
from vasa_jax.portrait import lips, mouth_light, mouth_paint, mouths, pose

SIDE = 256
SKIN = (200.0, 150.0, 120.0)


@pytest.fixture(scope="module")
def points():
    """Landmarks of a face that looks into the camera, its mouth shut."""
    canonical, _ = pose.canonical_face()
    points = canonical * np.array([60.0, 60.0, 60.0]) + [SIDE / 2, SIDE / 2, 0.0]
    points[list(lips.LOWER)] = points[list(lips.UPPER)]
    return points


def _face(colour=SKIN):
    return np.broadcast_to(np.array(colour), (SIDE, SIDE, 3)).astype(np.uint8).copy()


def _upper(teeth):
    """Mean colour of what is opaque in the middle of the upper row."""
    row = teeth.rows[0][0]
    middle = row[len(row) // 2 :, row.shape[1] // 2 - 8 : row.shape[1] // 2 + 8]
    return middle[middle[..., 3] > 0.99][:, :3].mean(0)


def test_rows_have_gums_above_teeth_with_gaps_below_and_a_tongue_behind(points):
    teeth = mouths.paint_teeth(_face(), points, np.array([190.0, 185.0, 180.0]))
    upper, lower = (row[0] for row in teeth.rows)
    assert (upper[0, :, 3] > 0.99).all() and upper[-1, :, 3].max() < 0.5
    assert (lower[-1, :, 3] > 0.99).all() and lower[0, :, 3].max() < 0.01
    tongue = lower[len(lower) * 3 // 10, lower.shape[1] // 2]
    assert tongue[3] > 0.99 and tongue[0] > 1.3 * tongue[1]
    assert teeth.cavity.shape == (1, 3) and teeth.cavity.max() < 0.3
    for row in teeth.rows:
        assert row.dtype == np.float32 and 0.0 <= row.min() and row.max() <= 1.0
        assert (row[..., :3] <= row[..., 3:] + 1e-6).all()


def test_tongues_are_dark_and_round_at_their_back_and_lit_in_front(points):
    """As in photographs of open mouths, almost three times as bright in front."""
    teeth = mouths.paint_teeth(_face(), points, None)
    row = teeth.rows[1][0]
    front = round(mouths.TONGUE_ABOVE * mouths.PIXELS * mouth_paint.RESOLUTION)
    middle = slice(row.shape[1] // 2 - 8, row.shape[1] // 2 + 8)
    light = row[:front, middle, :3] @ types.LUMA / (np.array(SKIN) @ types.LUMA / 255)
    light = light.mean(axis=1)
    back, half = light[front // 6], light[front * 2 // 3]
    assert 0.1 < back < 0.24 and 1.3 * back < half < light[-2]
    assert 2.2 * back < light[-2] < 0.6
    side = row[front // 4, round(row.shape[1] * 0.15), 3]
    assert row[front // 4, middle, 3].min() > 0.9 and side == 0.0


def test_the_darker_the_picture_the_darker_its_teeth(points):
    white = np.array([190.0, 185.0, 180.0])
    bright = _upper(mouths.paint_teeth(_face(), points, white))
    dark = _upper(mouths.paint_teeth(_face(np.array(SKIN) * 0.2), points, 0.2 * white))
    assert (dark < 0.6 * bright).all()


def test_grey_portraits_have_grey_mouths(points):
    teeth = mouths.paint_teeth(_face((130.0,) * 3), points, None)
    for row in teeth.rows:
        assert np.ptp(row[..., :3], axis=-1).max() < 0.12
    assert np.ptp(teeth.cavity) < 1e-6


def test_eyes_that_are_not_seen_leave_the_skin_to_tell_the_light(points):
    expected = np.full(3, mouth_light.DIM * (np.array(SKIN) @ types.LUMA))
    unseen = mouths.paint_teeth(_face(), points, None)
    seen = mouths.paint_teeth(_face(), points, expected)
    np.testing.assert_allclose(unseen.rows[0], seen.rows[0], atol=1e-3)


def test_teeth_that_a_portrait_shows_tell_the_colour_of_all(points):
    opened = points.copy()
    opened[list(lips.LOWER), 1] += 12.0
    face, yellow = _face(), np.array([240.0, 225.0, 150.0])
    middle = opened[[*lips.UPPER, *lips.LOWER], :2].mean(0).astype(int)
    face[middle[1] - 8 : middle[1] + 8, middle[0] - 40 : middle[0] + 40] = yellow
    found = _upper(mouths.paint_teeth(face, opened, None))
    usual = _upper(mouths.paint_teeth(_face(), points, None))
    assert found[2] / found[0] < 0.85 * usual[2] / usual[0]


def test_marks_of_a_batch_are_alike():
    teeth = mouths.plain_teeth(3)
    assert [len(row) for row in teeth.rows] == [3, 3] and len(teeth.cavity) == 3
    np.testing.assert_array_equal(teeth.rows[0][0], teeth.rows[0][2])
