"""What is exactly known of the eyes of a moved photograph."""

import pathlib

import numpy as np
import pytest

from datasets import exact_features
from datasets.photo_heads.fit import fitting, photo_head
from datasets.photo_heads.rendering import packing
from vasa_jax import media
from vasa_jax.portrait import crop, eyes, locate

PORTRAIT = pathlib.Path(__file__).parents[1] / "examples" / "portrait.png"
VIEW = photo_head.View()


@pytest.fixture(scope="module")
def picture():
    return media.read_image(PORTRAIT)


@pytest.fixture(scope="module")
def shape(picture):
    return fitting.fit(picture, 256).shape


def _find(shape, turn=(0.0, 0.0, 0.0), closed=0.0, gaze=(0.0, 0.0)):
    state = photo_head.State(
        turn=np.array(turn), close_eyes=np.full(2, closed), gaze=np.array(gaze)
    )
    return exact_features.find({"geometry": packing.pack(shape, [state], VIEW)}, 0)


def _gap(found):
    rims = found["eye_rims"]
    upper = rims[:, 1 : eyes.NUM_UPPER - 1]
    return (rims[:, : eyes.NUM_UPPER - 1 : -1] - upper)[..., 1].mean(axis=1)


def test_eyes_at_rest_are_where_the_portraits_landmarks_say(picture, shape):
    found = locate.locate_face(picture)
    face = crop.extract(picture, found.box, 512)
    expected = eyes.take_apart(face, found.landmarks, found.box)
    truth = _find(shape)
    off = np.linalg.norm(truth["eye_rims"] - expected.rims[0], axis=-1)
    assert off.mean() < 0.016  # 2 pixels of 256
    off = np.linalg.norm(truth["eye_discs"] - expected.discs[0], axis=-1)
    assert off.max() < 0.012


def test_lids_that_shut_leave_no_gap(shape):
    rest, half, shut = (_find(shape, closed=amount) for amount in (0.0, 0.5, 1.0))
    assert (_gap(rest) > 0.04).all()
    assert (_gap(half) < 0.7 * _gap(rest)).all()
    np.testing.assert_allclose(_gap(shut), 0.0, atol=0.004)
    corners = [0, eyes.NUM_UPPER - 1]
    np.testing.assert_allclose(
        shut["eye_rims"][:, corners], rest["eye_rims"][:, corners], atol=0.01
    )


def test_irises_follow_the_gaze_and_rims_hardly_do(shape):
    rest, aside = _find(shape), _find(shape, gaze=(0.3, 0.0))
    moved = aside["eye_discs"][:, 0] - rest["eye_discs"][:, 0]
    # 10.5 millimetres about the eye's centre, of 15 centimetres.
    np.testing.assert_allclose(moved[:, 0], 0.07 * np.sin(0.3), rtol=0.15)
    np.testing.assert_allclose(aside["eye_rims"], rest["eye_rims"], atol=2e-3)


def test_radii_point_to_the_right_and_down_and_shrink_as_eyes_turn(shape):
    rest, aside = _find(shape)["eye_discs"], _find(shape, gaze=(0.6, 0.0))["eye_discs"]
    across, down = rest[:, 1] - rest[:, 0], rest[:, 2] - rest[:, 0]
    assert (across[:, 0] > 0.02).all() and (down[:, 1] > 0.02).all()
    narrow = np.linalg.norm(aside[:, 1] - aside[:, 0], axis=-1)
    assert (narrow < 0.9 * np.linalg.norm(across, axis=-1)).all()


def test_all_of_it_turns_with_the_head(shape):
    rest, turned = _find(shape), _find(shape, turn=(0.3, 0.0, 0.0))
    for name in ("eye_rims", "eye_discs"):
        assert (np.abs(turned[name] - rest[name])[..., 0] > 0.05).all()
