"""Teeth that a portrait shows are its own in every frame."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax import geometry, types
from vasa_jax.face.shortcut import mouth, mouth_layer, mouth_rows
from vasa_jax.portrait import lips

SIZE = 256
POSE = types.HeadPose.from_vector(jnp.array([[0.1, -0.1, 0.05, 0.05, -0.1, 1.0]]))
SKIN, LIP, TOOTH = (0.6, 0.42, 0.34), (0.6, 0.25, 0.25), (0.8, 0.75, 0.7)
LOOKS = jnp.full((1, 3), 0.3), jnp.full((1, 3), 0.2)


@pytest.fixture(scope="module")
def told():
    """A mouth that is open about its upper teeth."""
    flat, _ = mouth.encode_lips(
        jnp.asarray(lips.open_lips(1)), jnp.zeros((1, SIZE, SIZE, 3)), POSE
    )
    shape = mouth.MouthShape(8)
    dynamics = jnp.zeros((1, 4))
    told, _ = shape.init_with_output(jax.random.key(0), flat, dynamics, dynamics)
    return told


def _portrait(told, inside):
    """A face of one colour, with another between its lips."""
    marks = mouth.posed_edge(told, POSE)
    places = geometry.image_grid(SIZE, SIZE)[None]
    is_inside = mouth_layer.edge_distance(places, marks) > 0
    image = jnp.where(is_inside, jnp.array(inside), jnp.array(SKIN))
    return marks, 2.0 * image - 1.0


def _rows(told, inside):
    marks, image = _portrait(told, inside)

    def color(rows):
        learnt = rows(*LOOKS)
        around = jnp.array([SKIN])
        return learnt, mouth_rows.with_own_teeth(
            rows, LOOKS, told, marks, around, image, POSE
        )

    return mouth_rows.MouthRows().init_with_output(jax.random.key(1), method=color)[0]


def test_teeth_that_a_portrait_shows_are_shown_in_its_frames(told):
    _, (upper, _) = _rows(told, TOOTH)
    is_own = np.asarray(upper[..., 3] > 0.999)
    assert is_own.mean() > 0.2
    full = np.asarray(upper)[is_own][:, :3]
    # In the shade of the lips the portrait shows less than full light.
    assert np.median(full, axis=0) == pytest.approx(TOOTH, abs=0.03)
    assert (full >= np.array(TOOTH) - 0.01).all()


def test_teeth_that_are_hidden_get_the_tint_of_those_that_are_seen(told):
    (_, learnt), (_, lower) = _rows(told, TOOTH)
    ratio = np.asarray(lower[..., :3] / learnt[..., :3]).mean((0, 1, 2))
    assert (ratio > 1.2).all() and ratio[0] > ratio[2]


@pytest.mark.parametrize("inside", [(0.1, 0.05, 0.05), LIP])
def test_cavities_and_tongues_are_no_teeth(told, inside):
    (learnt, _), (upper, _) = _rows(told, inside)
    expected = geometry.resize(learnt, *mouth_rows.OWN_SIZE)
    np.testing.assert_allclose(upper, expected, atol=1e-6)


def test_grey_teeth_of_grey_portraits_are_believed(told):
    marks, _ = _portrait(told, TOOTH)
    image = jnp.where(
        mouth_layer.edge_distance(geometry.image_grid(SIZE, SIZE)[None], marks) > 0,
        0.6,
        -0.2,
    )
    image = jnp.broadcast_to(image, (1, SIZE, SIZE, 3))

    def color(rows):
        around = jnp.full((1, 3), 0.4)
        return mouth_rows.with_own_teeth(rows, LOOKS, told, marks, around, image, POSE)

    (upper, _), _ = mouth_rows.MouthRows().init_with_output(
        jax.random.key(1), method=color
    )
    assert (upper[..., 3] > 0.999).mean() > 0.2
