"""Where mouths open, and where frames show their corners."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax import types
from vasa_jax.face.shortcut import mouth
from vasa_jax.portrait import lips

POSES = types.HeadPose.from_vector(
    jnp.array([[0.3, -0.2, 0.1, 0.05, -0.1, 1.2], [0, 0, 0, 0, 0, 1.0]])
)


def _edge(seed=0):
    rng = np.random.default_rng(seed)
    count = lips.NUM_EDGE
    return jnp.asarray(rng.uniform(-0.2, 0.2, (2, count, 2)), jnp.float32)


def test_lips_come_back_to_where_a_portrait_shows_them():
    seen, image = _edge(), jnp.zeros((2, 32, 32, 3))
    lips, colours = mouth.encode_lips(seen, image, POSES)
    np.testing.assert_allclose(mouth.seen_lips(lips, POSES), seen, atol=1e-5)
    assert colours.shape == (2, 3 * mouth.SEEN_CELLS**2)


def test_lips_of_a_head_that_moves_stay_where_they_are_on_it():
    lips = _edge() + jnp.array(mouth.CENTRE[:2])[None, None]
    seen = mouth.seen_lips(lips, POSES)
    found, _ = mouth.encode_lips(seen, jnp.zeros((2, 32, 32, 3)), POSES)
    np.testing.assert_allclose(found, lips, atol=1e-5)


def test_an_untaught_network_keeps_the_portraits_own_lips():
    shape = mouth.MouthShape(16)
    lips, _ = mouth.encode_lips(_edge(), jnp.zeros((2, 32, 32, 3)), POSES)
    dynamics, colours = jnp.zeros((2, 8)), jnp.zeros((2, 48))
    params = shape.init(jax.random.key(0), lips, colours, dynamics, dynamics)
    told = shape.apply(params, lips, colours, dynamics, dynamics)
    np.testing.assert_allclose(told.edge[..., :2], lips, atol=0.01)
    np.testing.assert_allclose(told.size, 1.0, atol=0.01)


def test_a_mouth_in_the_dark_is_dark():
    shape = mouth.MouthShape(16)
    own, _ = mouth.encode_lips(_edge(), jnp.zeros((2, 32, 32, 3)), POSES)
    dynamics = jnp.zeros((2, 8))
    colours = jnp.full((2, 48), -0.4)
    params = shape.init(jax.random.key(0), own, colours, dynamics, dynamics)
    told = shape.apply(params, own, colours, dynamics, dynamics)
    dark = shape.apply(params, own, 0.5 * (colours + 1.0) - 1.0, dynamics, dynamics)
    for name in ("tooth", "flesh"):
        ratio = getattr(dark, name) / getattr(told, name)
        np.testing.assert_allclose(ratio, 0.5, atol=0.05)


def test_teeth_turn_with_the_head():
    count = lips.NUM_EDGE
    told = mouth.Mouth(
        edge=jnp.zeros((2, count, 3)),
        anchors=jnp.broadcast_to(jnp.array([0.0, 0.3, -0.6]), (2, 2, 3)),
        size=jnp.ones((2, 1)),
        tooth=jnp.ones((2, 3)),
        flesh=jnp.ones((2, 3)),
        presence_logits=jnp.zeros((2, 1)),
    )
    teeth = mouth.posed_teeth(told, POSES)
    still = teeth[1]
    np.testing.assert_allclose(still[:, 0, 0], -still[:, 1, 0], atol=1e-6)
    np.testing.assert_allclose(
        still[:, 2, 1] - still[:, 0, 1], mouth.TEETH_HEIGHT, atol=1e-6
    )
    # A head that turns to the image's right takes what lies in front of it there.
    assert np.asarray(teeth[0, ..., 0]).mean() != pytest.approx(0.05, abs=0.05)
