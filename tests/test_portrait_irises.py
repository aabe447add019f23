"""Irises of a portrait go where a gaze asks them to."""

import numpy as np
import pytest

from vasa_jax.portrait import eyelids, pose
from vasa_jax.portrait import irises as irises_lib

RADIUS = 0.06


def _irises(yaw=0.0, pitch=0.0, rest=(0.0, 0.0)):
    turn = pose.HeadFit(
        rotation=np.array([yaw, pitch, 0.0]), centre=np.zeros(2), unit=1.0
    ).matrix()
    centres = np.array([[-0.3, -0.1], [0.3, -0.1]])
    return irises_lib.Irises(centres, np.full(2, RADIUS), np.array(rest), turn)


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


def test_a_disc_seen_from_the_side_is_narrower_by_the_cosine():
    _, axes = irises_lib.discs(_irises(), np.array([0.4, 0.0]))
    np.testing.assert_allclose(
        np.linalg.norm(axes, axis=0), [np.cos(0.4), 1], atol=1e-9
    )


@pytest.mark.parametrize("white, expected", [(200.0, 4.0), (50.0, 1.0)])
def test_an_iris_is_told_by_the_white_beside_it(white, expected):
    y, x = np.mgrid[0:60, 0:80].astype(np.float64)
    picture = np.where(np.hypot(x - 40, y - 30) < 10, 50.0, white)
    across = np.linspace(10.0, 70.0, 9)
    level = np.ones_like(across)
    wide, narrow = (
        eyelids.Lids(
            np.stack([across, (30 - half) * level], axis=1),
            np.stack([across, (30 + half) * level], axis=1),
        )
        for half in (20, 1)
    )
    centre, axes = np.array([40.0, 30.0]), 10.0 * np.eye(2)
    found = irises_lib.contrast(picture, centre, axes, wide)
    np.testing.assert_allclose(found, expected)
    assert irises_lib.contrast(picture, centre, axes, narrow) == 0.0
