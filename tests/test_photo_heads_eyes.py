"""Moving eyes of photographs: where irises go, and what the eye then shows."""

import numpy as np
import pytest

from datasets.photo_heads.parts import eyes
from vasa_jax.portrait import eye_texture, eyelids, pose, sampling
from vasa_jax.portrait import irises as irises_lib

UNIT = 80.0
"""Texture pixels of a head unit."""

RADIUS = 0.06


def _irises(yaw=0.0, pitch=0.0, rest=(0.0, 0.0)):
    turn = pose.HeadFit(
        rotation=np.array([yaw, pitch, 0.0]), centre=np.zeros(2), unit=1.0
    ).matrix()
    centres = np.array([[-0.3, -0.1], [0.3, -0.1]])
    return irises_lib.Irises(centres, np.full(2, RADIUS), np.array(rest), turn)


def _lids(opening=1.0):
    """Lids of an almond around pixel (30, 20), 30 wide and up to 12 high."""
    x = np.linspace(15.0, 45.0, 13)
    half = 6 * np.sin((x - 15) / 30 * np.pi)
    upper, lower = 20 - half * (2 * opening - 1), 20 + half
    return eyelids.Lids(np.stack([x, upper], 1), np.stack([x, lower], 1))


def _photograph():
    """Skin, a white between the lids, a dark iris with a lighter middle."""
    y, x = np.mgrid[0:40, 0:60].astype(np.float64)
    picture = np.broadcast_to([180.0, 120.0, 100.0], (40, 60, 3)).copy()
    half = 6 * np.sin(np.clip((x - 15) / 30, 0, 1) * np.pi)
    is_open = np.abs(y - 20) < half
    picture[is_open] = 200.0
    away = np.hypot(x - 30, y - 20) / (RADIUS * UNIT)
    picture[is_open & (away < 1)] = [60.0, 40.0, 20.0]
    picture[is_open & (away < 0.4)] = 10.0
    return picture


def _eye(picture):
    axes = np.eye(2) * RADIUS * UNIT
    return eye_texture.fit_eye(picture, _lids(), np.array([30.0, 20.0]), axes, UNIT)


def _composed(eye, x=0.0, y=0.0, lids=None):
    axes = np.eye(2) * RADIUS * UNIT
    image = eye.compose(np.array([30.0 + x, 20.0 + y]), axes, lids or _lids())
    full = np.full((40, 60, 3), np.nan)
    left, top = eye.corner
    full[top : top + image.shape[0], left : left + image.shape[1]] = image
    return full


def _between_lids():
    y, x = np.mgrid[0:40, 0:60]
    half = 6 * np.sin(np.clip((x - 15) / 30, 0, 1) * np.pi)
    return np.abs(y - 20) < half - 0.5


def test_no_added_gaze_leaves_the_irises_where_they_were():
    irises = _irises(0.2, -0.1, rest=(0.1, 0.05))
    centres, axes = irises_lib.discs(irises, np.zeros(2))
    np.testing.assert_array_equal(centres, irises.centres)
    assert np.linalg.det(axes) > 0.8


@pytest.mark.parametrize(
    "yaw, pitch", [(0.4, 0.0), (-0.4, 0.1), (0.0, 0.25), (0.2, -0.2)]
)
def test_irises_move_to_the_side_and_height_that_the_gaze_asks_for(yaw, pitch):
    irises = _irises()
    centres, _ = irises_lib.discs(irises, np.array([yaw, pitch]))
    sines = (centres - irises.centres) / irises_lib.IRIS_DISTANCE
    expected = [np.sin(yaw) * np.cos(pitch), np.sin(pitch)]
    np.testing.assert_allclose(sines, [expected, expected], atol=1e-12)


def test_a_gaze_that_undoes_the_heads_turn_looks_at_the_viewer():
    irises = _irises(yaw=0.3)
    looking = irises_lib.angles_in_head(np.zeros(2), irises.turn)
    np.testing.assert_allclose(looking, [-0.3, 0.0], atol=1e-12)


@pytest.mark.parametrize("looking", [(0.3, -0.2), (-0.5, 0.1)])
def test_a_gaze_read_in_an_upright_head_is_the_gaze_itself(looking):
    read = irises_lib.angles_in_head(np.array(looking), np.eye(3))
    np.testing.assert_allclose(read, looking, atol=1e-12)


def test_mirrored_discs_keep_heights_and_swap_sides():
    layers, _ = _layers()
    swapped = layers.disc[eyes.MIRRORED_DISC]
    np.testing.assert_allclose(swapped, layers.disc * [-1, 1], atol=1e-12)


def test_a_disc_seen_from_the_side_is_narrower_by_the_cosine():
    _, axes = irises_lib.discs(_irises(), np.array([0.4, 0.0]))
    np.testing.assert_allclose(
        np.linalg.norm(axes, axis=0), [np.cos(0.4), 1], atol=1e-9
    )


def test_lids_follow_the_eyes_down_a_little_and_up_less():
    open_eyes = np.zeros(2)
    down = eyes.lid_closing(open_eyes, np.array([0.0, 0.25]))
    up = eyes.lid_closing(open_eyes, np.array([0.0, -0.25]))
    assert (down > 0.1).all() and (down < 0.3).all()
    np.testing.assert_allclose(up, -eyes.LARGEST_LIFT)
    np.testing.assert_array_equal(eyes.lid_closing(open_eyes, np.array([0.3, 0.0])), 0)


def test_shut_lids_stay_shut_wherever_the_eyes_look():
    for pitch in (-0.25, 0.25):
        closing = eyes.lid_closing(np.ones(2), np.array([0.0, pitch]))
        np.testing.assert_array_equal(closing, 1)


def _almond():
    """A rim of 24 points: the upper lid to the right, then the lower one back."""
    angle = np.pi + np.arange(24) * 2 * np.pi / 24
    return np.stack([0.15 * np.cos(angle), 0.07 * np.sin(angle)], axis=1)


def _layers():
    rim = _almond()
    depth = -1 + 0.2 * rim[:, 0]
    return eyes.eye_layers(rim, depth, np.zeros(2), np.eye(2) * RADIUS), rim


def test_a_rim_is_cut_at_the_corners_and_holds_what_lies_between():
    lids = eyelids.Lids.of_rim(_almond())
    assert (lids.upper[1:-1, 1] < 0).all() and (lids.lower[1:-1, 1] > 0).all()
    np.testing.assert_array_equal(lids.upper[[0, -1]], lids.lower[[0, -1]])
    places = np.array([[0.0, 0.0], [0.1, 0.04], [0.0, 0.08], [-0.16, 0.0]])
    np.testing.assert_array_equal(lids.contain(places), [True, True, False, False])
    np.testing.assert_allclose(lids.below_upper(places[0]), 0.07)


def test_lids_of_a_tilted_head_are_measured_across_the_eye():
    cos, sin = np.cos(0.5), np.sin(0.5)
    tilt = np.array([[cos, -sin], [sin, cos]])
    lids = eyelids.Lids.of_rim(_almond() @ tilt.T)
    np.testing.assert_allclose(lids.above_lower(tilt @ [0.0, 0.05]), 0.02, atol=1e-9)


def test_layers_lie_behind_the_rims_on_one_plane():
    layers, rim = _layers()
    points = layers.on_surface(rim)
    np.testing.assert_allclose(points[:, 2], -1 + 0.2 * rim[:, 0] + eyes.SET_BACK)
    seen = points[:, :2] / (1 + points[:, 2:] / pose.CAMERA_DISTANCE)
    np.testing.assert_allclose(seen, rim, atol=1e-12)


def test_all_triangles_of_the_layers_are_wound_like_the_screen():
    layers, _ = _layers()
    for points, triangles in (
        (layers.white, layers.white_triangles),
        (layers.disc, layers.disc_triangles),
    ):
        a, b, c = (points[triangles[:, k]] for k in range(3))
        area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1])
        area -= (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
        assert (area > 0).all()


def test_what_iris_or_lids_hid_is_not_genuine():
    layers, _ = _layers()
    middle = layers.white[layers.white_triangles].mean(axis=1)
    behind_iris = np.linalg.norm(middle, axis=1) < RADIUS - eyes.TOLERANCE
    behind_lids = np.abs(middle) > np.array([0.15, 0.07]) + eyes.TOLERANCE
    behind_lids = behind_lids[:, 1]
    assert not layers.is_white_photographed[behind_iris | behind_lids].any()
    assert layers.is_white_photographed.any()
    assert layers.is_disc_photographed.all()


def test_an_eye_at_rest_shows_the_photograph():
    picture = _photograph()
    shown = _composed(_eye(picture))
    seen = _between_lids()
    assert np.abs(shown - picture)[seen].max() < 1e-3


def test_a_moved_iris_leaves_white_behind_and_looks_the_same():
    picture = _photograph()
    shown = _composed(_eye(picture), x=6.0)
    np.testing.assert_allclose(shown[20, 27], 200, atol=12)
    np.testing.assert_allclose(shown[20, 36], picture[20, 30], atol=1)
    np.testing.assert_allclose(shown[20, 33], picture[20, 27], atol=12)


def test_an_iris_that_a_lid_covered_is_completed_around_its_ring():
    picture = _photograph()
    shown = _composed(_eye(picture), y=3.0)
    covered = shown[20 + 3 - 4, 30]
    assert covered.mean() < 100


def test_a_lid_that_closes_takes_its_shade_along():
    y, x = np.mgrid[0:40, 0:60].astype(np.float64)
    half = 6 * np.sin(np.clip((x - 15) / 30, 0, 1) * np.pi)
    picture = _photograph()
    picture *= np.clip(0.4 + 0.2 * (y - 20 + half), 0.4, 1)[..., None]
    eye = _eye(picture)
    closed = _composed(eye, lids=_lids(opening=0.6))
    assert closed[20, 22].mean() < 0.8 * _composed(eye)[20, 22].mean()


def test_samples_between_pixels_are_linear_and_the_edge_goes_on():
    y, x = np.mgrid[0:5, 0:7].astype(np.float64)
    places = np.array([[2.25, 1.5], [-3.0, 2.0], [6.0, 9.0]])
    found = sampling.bilinear(3 * x + 10 * y, places)
    np.testing.assert_allclose(found, [21.75, 20.0, 58.0])
    found = sampling.bilinear(np.stack([x, y], axis=-1), places)
    np.testing.assert_allclose(found[0], [2.25, 1.5])
