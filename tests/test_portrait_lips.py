"""The lips' inner edge of a portrait."""

import pathlib

import numpy as np
import pytest

from vasa_jax import media
from vasa_jax.portrait import crop, lips, locate

PORTRAIT = pathlib.Path(__file__).parents[1] / "examples" / "portrait.png"


@pytest.fixture(scope="module")
def found():
    return locate.locate_face(media.read_image(PORTRAIT))


def test_the_edge_runs_from_corner_to_corner_and_back(found):
    points, size = found.landmarks.points, 512
    edge = lips.inner_edge(points, found.box)
    turn = np.linalg.inv(found.box.matrix(size)[:, :2])
    place = (points[:, :2] - found.box.matrix(size)[:, 2]) @ turn.T
    pixels = (edge + 1.0) * size / 2
    for index, landmark in ((0, 78), (6, 13), (12, 308), (18, 14)):
        np.testing.assert_allclose(pixels[index], place[landmark], atol=1.5)
    upper, lower = edge[1:12, 1], edge[:12:-1, 1]
    assert (lower >= upper - 0.01).all()
    assert (np.diff(edge[:13, 0]) > 0).all()


def test_the_edge_is_told_in_the_crops_own_units(found):
    points = found.landmarks.points
    box = crop.CropBox(center_x=0.0, center_y=0.0, half_size=10.0, angle=np.pi / 2)
    turned = lips.inner_edge(points, box)
    upright = lips.inner_edge(
        points, crop.CropBox(center_x=0.0, center_y=0.0, half_size=10.0)
    )
    np.testing.assert_allclose(turned[:, 0], upright[:, 1], rtol=1e-5)
    np.testing.assert_allclose(turned[:, 1], -upright[:, 0], rtol=1e-5)
