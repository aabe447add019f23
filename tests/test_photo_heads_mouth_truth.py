"""What is exactly known of the mouth of a moved photograph."""

import pathlib

import numpy as np
import pytest

from datasets import exact_features
from datasets.photo_heads.fit import fitting, photo_head
from datasets.photo_heads.rendering import packing
from vasa_jax import arkit, media
from vasa_jax.portrait import crop, lips, locate

PORTRAIT = pathlib.Path(__file__).parents[1] / "examples" / "portrait.png"
VIEW = photo_head.View()


@pytest.fixture(scope="module")
def picture():
    return media.read_image(PORTRAIT)


@pytest.fixture(scope="module")
def shape(picture):
    return fitting.fit(picture, 256).shape


def _find(shape, turn=(0.0, 0.0, 0.0), **units):
    weights = np.zeros(52)
    for name, weight in units.items():
        weights[arkit.index(name)] = weight
    state = photo_head.State(arkit=weights, turn=np.array(turn))
    return exact_features.find({"geometry": packing.pack(shape, [state], VIEW)}, 0)


def test_the_edge_at_rest_is_what_the_portraits_landmarks_say(picture, shape):
    found = locate.locate_face(picture)
    expected = lips.inner_edge(found.landmarks.points, found.box)
    off = np.linalg.norm(_find(shape)["mouth_edge"] - expected, axis=1)
    assert off.max() < 0.03  # 4 pixels of 256
    assert off.mean() < 0.015


def test_a_jaw_that_drops_parts_lips_and_takes_the_lower_teeth_along(shape):
    rest, opened = _find(shape), _find(shape, jawOpen=0.6)
    gap = opened["mouth_edge"][18, 1] - opened["mouth_edge"][6, 1]
    assert gap > rest["mouth_edge"][18, 1] - rest["mouth_edge"][6, 1] + 0.05
    np.testing.assert_allclose(
        opened["mouth_teeth"][0], rest["mouth_teeth"][0], atol=1e-4
    )
    fall = opened["mouth_teeth"][1, :, 1] - rest["mouth_teeth"][1, :, 1]
    assert (fall > 0.05).all()


def test_all_of_it_turns_with_the_head(shape):
    rest, turned = _find(shape), _find(shape, turn=(0.3, 0.0, 0.0))
    moved = turned["mouth_edge"] - rest["mouth_edge"]
    assert (np.abs(moved[:, 0]) > 0.05).all()
    assert turned["mouth_teeth"].shape == (2, 4, 2)


def test_the_edge_lies_where_the_crop_is_cut(shape):
    wide = photo_head.View(distance=1.25, x=0.1, y=0.0)
    state = photo_head.State()
    seen = exact_features.find({"geometry": packing.pack(shape, [state], wide)}, 0)
    expected = (
        _find(shape)["mouth_edge"] * crop.HALF_IMAGE_HEAD_UNITS - [0.1, 0.0]
    ) / (1.25 * crop.HALF_IMAGE_HEAD_UNITS)
    np.testing.assert_allclose(seen["mouth_edge"], expected, atol=1e-3)
