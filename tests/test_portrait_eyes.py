"""The eyes of a portrait, taken apart."""

import pathlib

import jax
import numpy as np
import pytest

from vasa_jax import media
from vasa_jax.face.shortcut import eye_layer
from vasa_jax.portrait import crop, eyes, locate

PORTRAIT = pathlib.Path(__file__).parents[1] / "examples" / "portrait.png"
SIZE = 512


@pytest.fixture(scope="module")
def portrait():
    picture = media.read_image(PORTRAIT)
    found = locate.locate_face(picture)
    face = crop.extract(picture, found.box, SIZE)
    return face, eyes.take_apart(face, found.landmarks, found.box)


def test_rims_run_along_the_upper_lid_and_back_along_the_lower(portrait):
    _, seen = portrait
    rims = seen.rims[0]
    upper, lower = rims[:, 1 : eyes.NUM_UPPER - 1], rims[:, : eyes.NUM_UPPER - 1 : -1]
    assert (np.diff(rims[:, : eyes.NUM_UPPER, 0]) > 0).all()
    assert (np.diff(lower[..., 0]) > 0).all()
    assert (lower[..., 1] > upper[..., 1] + 0.005).all()
    # The image's left eye first.
    assert rims[0, :, 0].max() < rims[1, :, 0].min()


def test_irises_lie_between_the_lids_and_are_round(portrait):
    _, seen = portrait
    centre, right, below = np.moveaxis(seen.discs[0], 1, 0)
    rims = seen.rims[0]
    assert (centre > rims.min(axis=1)).all() and (centre < rims.max(axis=1)).all()
    across, down = right - centre, below - centre
    radius = np.linalg.norm(down, axis=-1)
    assert (across[:, 0] > 0).all() and (down[:, 1] > 0).all()
    np.testing.assert_allclose(np.linalg.norm(across, axis=-1), radius, rtol=0.2)
    # 11.7 millimetres across, of 30 centimetres.
    np.testing.assert_allclose(radius, 0.039, rtol=0.3)


def test_at_rest_the_layers_are_the_portrait(portrait):
    face, seen = portrait
    gain = np.ones((1, 2, 3), np.float32)
    draw = jax.jit(eye_layer.draw, static_argnums=4)
    drawn = draw(seen.rims, seen.discs, seen, gain, SIZE)
    for layer in drawn:
        row, column = np.asarray(layer.corner[0])
        height, width = layer.share.shape[1:3]
        there = face[row : row + height, column : column + width] / 127.5 - 1
        off = np.abs(np.asarray(layer.colours[0]) - there).mean(axis=-1)
        share = np.asarray(layer.share[0, ..., 0])
        assert (share > 0.9).sum() > 300
        # A layer is sampled twice on its way into the frame.
        assert np.average(off, weights=share) < 0.045


def test_open_eyes_are_believed(portrait):
    _, seen = portrait
    np.testing.assert_array_equal(seen.presence, 1.0)


def test_the_white_goes_on_behind_the_iris(portrait):
    _, seen = portrait
    rows, columns = eyes.PATCH
    middle = seen.white[0, :, rows // 2, columns // 2]
    side = seen.white[0, :, rows // 2, columns // 6 : columns // 3].mean(axis=1)
    iris = seen.iris[0, :, rows // 2, columns // 2]
    assert (iris[:, 3] > 0.9).all()
    assert (middle.mean(axis=-1) > iris[:, :3].mean(axis=-1) + 0.1).all()
    np.testing.assert_allclose(middle, side, atol=0.25)


def test_points_are_spread_evenly_along_a_chain():
    chain = np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 1.0]])
    found = eyes.evenly_spaced(chain, 5)
    np.testing.assert_allclose(found, [[0, 0], [1, 0], [2, 0], [3, 0], [3, 1]])


def test_eyes_without_a_portrait_are_open():
    seen = eyes.open_eyes(3)
    assert seen.rims.shape == (3, 2, eyes.NUM_RIM, 2)
    gap = seen.rims[:, :, eyes.NUM_UPPER + 3, 1] - seen.rims[:, :, 4, 1]
    np.testing.assert_allclose(gap, 0.1, rtol=0.01)


def test_eyes_behind_dark_glasses_are_left_alone(portrait):
    picture = media.read_image(PORTRAIT)
    found = locate.locate_face(picture)
    dark = picture.copy()
    face, seen = portrait
    rims = (seen.rims[0].reshape(-1, 2) + 1) / 2
    matrix = found.box.matrix(1)
    places = rims @ matrix[:, :2].T + matrix[:, 2]
    left, top = np.floor(places.min(axis=0) - 10).astype(int)
    right, bottom = np.ceil(places.max(axis=0) + 10).astype(int)
    dark[top:bottom, left:right] = 20
    face = crop.extract(dark, found.box, SIZE)
    hidden = eyes.take_apart(face, found.landmarks, found.box)
    np.testing.assert_array_equal(hidden.presence, 0.0)


def test_the_white_of_the_eyes_is_paler_than_the_skin_and_unseen_eyes_tell_none(
    portrait,
):
    face, seen = portrait
    white = eyes.find_sclera(seen)
    skin = np.median(face[300:340, 200:310].reshape(-1, 3), axis=0)
    assert white[0] / white.mean() < skin[0] / skin.mean() - 0.05
    hidden = seen.replace(presence=np.zeros_like(seen.presence))
    assert eyes.find_sclera(hidden) is None
    one = seen.replace(presence=np.float32([[1.0, 0.0]]))
    assert np.abs(eyes.find_sclera(one) - white).max() < 60
