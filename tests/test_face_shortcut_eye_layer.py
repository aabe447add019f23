"""Eyes are drawn between their lids: an iris that goes about over a white."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax import geometry
from vasa_jax.face.shortcut import drawn_layer, eye_layer
from vasa_jax.portrait import eyes as portrait_eyes

SIZE = 256
GREY = jnp.zeros((1, SIZE, SIZE, 3))


def _eyes(opening=1.0, iris_at=(0.0, 0.0), turn=0.0):
    """Open eyes whose irises are black, and their places so open and so looking."""
    seen = portrait_eyes.open_eyes(1)
    rows, columns = portrait_eyes.PATCH
    reach = portrait_eyes.SPAN * np.array([1.0, rows / columns])
    grid = np.asarray(geometry.image_grid(rows, columns)) * reach
    radius = 0.04 / 0.1
    iris = np.zeros((rows, columns, 4), np.float32)
    iris[..., 3] = np.linalg.norm(grid, axis=-1) < radius
    seen = seen.replace(iris=np.broadcast_to(iris, (1, 2, *iris.shape)))
    middles = seen.discs[:, :, :1]
    rims = middles + (seen.rims - middles) * np.float32([1.0, opening])
    discs = seen.discs + 0.04 * np.float32(iris_at)
    cos, sin = np.cos(turn), np.sin(turn)
    about = np.float32([[cos, -sin], [sin, cos]])
    return rims @ about.T, discs @ about.T, seen


@functools.partial(jax.jit, static_argnums=4)
def _drawn(rims, discs, seen, gain, size):
    image = jnp.zeros((1, size, size, 3))
    for layer in eye_layer.draw(rims, discs, seen, gain, size):
        image = drawn_layer.lay(image, layer)
    return image


def _draw(rims, discs, seen, gain=1.0, size=SIZE):
    gains = jnp.full((1, 2, 3), gain)
    return np.asarray(_drawn(rims, discs, seen, gains, size)[0, ..., 0])


def _at(image, places):
    """Read an image at places `[..., 2]` in [-1, 1]."""
    pixel = np.round((np.asarray(places) + 1) * len(image) / 2 - 0.5).astype(int)
    return image[pixel[..., 1], pixel[..., 0]]


@pytest.mark.parametrize("turn", [0.0, 0.3])
@pytest.mark.parametrize("iris_at", [(0.0, 0.0), (1.0, 0.0), (-0.8, 0.3)])
def test_the_iris_lies_where_it_is_told_and_white_where_it_was(iris_at, turn):
    rims, discs, seen = _eyes(iris_at=iris_at, turn=turn)
    image = _draw(rims, discs, seen)
    np.testing.assert_allclose(_at(image, discs[0, :, 0]), -1.0, atol=1e-3)
    opposite = 2 * rims[0].mean(axis=1) - discs[0, :, 0]
    if iris_at[0]:
        np.testing.assert_allclose(_at(image, opposite), 1.0, atol=1e-3)


def _places_drawn(image, rims):
    """Return how far from the middles of their eyes pixels are drawn, `[K, 2]`."""
    rows, columns = np.nonzero(np.abs(image) > 1e-3)
    places = (np.stack([columns, rows], axis=-1) + 0.5) / SIZE * 2 - 1
    middles = rims[0].mean(axis=1)
    nearest = np.abs(places[:, None, 0] - middles[:, 0]).argmin(axis=1)
    return places - middles[nearest]


def test_eyes_are_drawn_between_the_lids():
    rims, discs, seen = _eyes()
    x, y = _places_drawn(_draw(rims, discs, seen), rims).T
    # Lids are grey as the frame is, so what is seen is the eye: a tenth by a twentieth.
    within = (x / 0.1) ** 2 + (y / 0.05) ** 2
    assert within.max() < 1.0
    assert len(within) > 0.5 * 2 * np.pi * 0.1 * 0.05 * (SIZE / 2) ** 2


def test_lids_are_drawn_as_far_as_their_edges_and_no_further():
    rims, discs, seen = _eyes()
    seen = seen.replace(
        lid=np.ones_like(seen.lid), photograph=np.ones_like(seen.photograph)
    )
    x, y = _places_drawn(_draw(rims, discs, seen), rims).T
    assert 0.1 < np.abs(x).max() < 0.1 * eye_layer.BEYOND[1]
    below, above = 0.1 * eye_layer.BAND[1], 0.1 * eye_layer.FIRST
    assert 0.05 + 0.5 * below < y.max() < 0.05 + below
    assert 0.05 + 0.7 * above < -y.min() < 0.05 + above


def test_lids_take_their_lashes_along():
    rims, discs, seen = _eyes()
    rows, columns = portrait_eyes.PATCH
    line = np.zeros((rows, columns, 3), np.float32)
    reach = portrait_eyes.SPAN * rows / columns
    upper = round((1 - 0.5 / reach) * rows / 2)
    line[upper - 2 : upper + 2] = 1.0  # Along the highest place of the upper rim.
    lines = np.broadcast_to(line, (1, 2, *line.shape))
    seen = seen.replace(lid=lines, photograph=lines)
    for opening in (1.0, 0.5, 0.2):
        rims, discs, _ = _eyes(opening)
        image = _draw(rims, discs, seen)
        top = rims[0, :, portrait_eyes.NUM_UPPER // 2] - [0.0, 0.002]
        assert (_at(image, top) > 0.1).all(), opening


@pytest.mark.parametrize("opening", [0.08, 0.0, -0.5])
def test_lids_that_shut_cover_the_eye(opening):
    rims, discs, seen = _eyes(opening)
    np.testing.assert_allclose(_draw(rims, discs, seen), 0.0, atol=1e-3)


def test_a_shut_lid_shows_skin_from_above_the_lashes():
    rims, discs, seen = _eyes(0.0)
    rows, columns = portrait_eyes.PATCH
    height = np.asarray(geometry.image_grid(rows, columns))[..., 1]
    height = height * portrait_eyes.SPAN * rows / columns
    # Lashes, their shade, and skin: from the open eye's upper rim on upwards.
    is_skin = height < -0.5 - eye_layer.ROOTS - 0.9 * eye_layer.RAISE
    skin = np.repeat(np.float32(is_skin)[..., None], 3, axis=-1)
    skin = np.broadcast_to(skin, (1, 2, *skin.shape))
    image = _draw(rims, discs, seen.replace(lid=skin, photograph=skin))
    middles = rims[0].mean(axis=1)
    for above in (0.02, 0.03, 0.05):
        assert (_at(image, middles - [0.0, above]) > 0.9).all(), above
    assert (_at(image, middles - [0.0, 0.004]) < 0.0).all()


def test_a_shut_lid_hides_the_wet_edge_of_the_lower_one():
    rims, discs, seen = _eyes()
    rows, columns = portrait_eyes.PATCH
    height = np.asarray(geometry.image_grid(rows, columns))[..., 1]
    height = height * portrait_eyes.SPAN * rows / columns
    edge = np.repeat(np.float32((height > 0.42) & (height < 0.5))[..., None], 3, -1)
    edge = np.broadcast_to(edge, (1, 2, *edge.shape))
    seen = seen.replace(lid=edge, photograph=edge, white=np.zeros_like(seen.white))
    for opening, is_shown in ((1.0, True), (0.0, False)):
        rims, discs, _ = _eyes(opening)
        lower = rims[0, :, -(portrait_eyes.NUM_UPPER // 2)]
        near = _draw(rims, discs, seen)
        lines = [_at(near, lower + [0.0, below]) for below in (-0.004, 0.0, 0.008)]
        assert (np.max(lines) > -0.5) == is_shown, opening


def test_an_eye_that_the_portrait_does_not_show_is_not_drawn():
    rims, discs, seen = _eyes()
    image = _draw(rims, discs, seen.replace(presence=np.float32([[0.0, 1.0]])))
    assert (image[:, : SIZE // 2] == 0).all() and (image[:, SIZE // 2 :] != 0).any()


def test_what_layers_leave_over_fades_as_the_iris_goes():
    rims, discs, seen = _eyes()
    seen = seen.replace(rest=np.full_like(seen.rest, -0.5))
    at_rest, aside = _draw(rims, discs, seen), _draw(rims, discs + 0.04, seen)
    place = rims[0].mean(axis=1) - [0.06, 0.0]
    np.testing.assert_allclose(_at(at_rest, place), 0.0, atol=1e-3)
    np.testing.assert_allclose(_at(aside, place), 1.0, atol=1e-3)


def test_a_lid_takes_its_shade_along():
    rims, discs, seen = _eyes()
    shade = np.broadcast_to(np.linspace(0.4, 1, portrait_eyes.NUM_SHADES), (1, 2, 7))
    seen = seen.replace(shade=np.float32(shade))
    open_wide, half_shut = _draw(rims, discs, seen), _draw(*_eyes(0.7)[:2], seen)
    place = rims[0].mean(axis=1) - [0.06, 0.0]
    assert (_at(half_shut, place) < _at(open_wide, place) - 0.1).all()


def test_light_of_the_frame_is_light_of_the_eye():
    rims, discs, seen = _eyes(iris_at=(1.0, 0.0))
    seen = seen.replace(white=0.5 * seen.white)
    place = rims[0].mean(axis=1) - [0.03, 0.0]
    found = _at(_draw(rims, discs, seen, gain=1.2), place)
    np.testing.assert_allclose(found, 2 * 0.5 * 1.2 - 1, atol=1e-3)


def test_twice_the_pixels_show_the_same_eyes():
    rims, discs, seen = _eyes(iris_at=(0.5, 0.0))
    fine = _draw(rims, discs, seen, size=2 * SIZE)
    coarse = _draw(rims, discs, seen)
    shrunk = fine.reshape(SIZE, 2, SIZE, 2).mean((1, 3))
    drawn = coarse != 0
    assert np.abs(shrunk - coarse)[drawn].mean() < 0.12
