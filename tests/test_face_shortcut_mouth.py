"""Where mouths open, and where frames show their corners."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax import types
from vasa_jax.face import dynamics_map
from vasa_jax.face.shortcut import mouth
from vasa_jax.portrait import lips

POSES = types.HeadPose.from_vector(
    jnp.array([[0.3, -0.2, 0.1, 0.05, -0.1, 1.2], [0, 0, 0, 0, 0, 1.0]])
)


def _edge(seed=0):
    rng = np.random.default_rng(seed)
    count = lips.NUM_EDGE
    return jnp.asarray(rng.uniform(-0.2, 0.2, (2, count, 2)), jnp.float32)


def _mouth():
    return mouth.Mouth(
        edge=jnp.zeros((2, lips.NUM_EDGE, 3)),
        anchors=jnp.broadcast_to(jnp.array([0.0, 0.3, -0.6]), (2, 2, 3)),
        size=jnp.ones((2, 1)),
    )


def _parted(edge, by):
    """Move the lower lip down."""
    return edge.at[:, lips.NUM_UPPER :, 1].add(by)


def test_lips_come_back_to_where_a_portrait_shows_them():
    seen = _edge()
    lips = mouth.flat_lips(seen, POSES)
    np.testing.assert_allclose(mouth.seen_lips(lips, POSES), seen, atol=1e-5)


def test_lips_of_a_head_that_moves_stay_where_they_are_on_it():
    lips = _edge() + jnp.array(mouth.CENTRE[:2])[None, None]
    seen = mouth.seen_lips(lips, POSES)
    found = mouth.flat_lips(seen, POSES)
    np.testing.assert_allclose(found, lips, atol=1e-5)


def test_an_untaught_network_keeps_the_portraits_own_lips():
    shape = mouth.MouthShape(16)
    lips = mouth.flat_lips(_edge(), POSES)
    still = jnp.zeros((2, 8)), jnp.zeros((2, dynamics_map.NUM_KNOWN))
    params = shape.init(jax.random.key(0), lips, *still)
    told = shape.apply(params, lips, *still)
    np.testing.assert_allclose(told.edge[..., :2], lips, atol=0.01)
    np.testing.assert_allclose(told.size, 1.0, atol=0.01)


def test_the_inside_is_drawn_as_lips_part_further_than_the_portraits_own():
    told = _mouth()
    own = mouth.gaps(told.edge)
    further = [told.replace(edge=_parted(told.edge, by)) for by in (0.0, 0.011, 0.1)]
    found = [float(mouth.presence(mouth_, own)[0, 0]) for mouth_ in further]
    assert found[0] == 0.0 and found[2] == 1.0
    assert found[1] == pytest.approx(0.5, abs=0.01)
    assert mouth.presence(told, mouth.gaps(further[2].edge))[0, 0] == 0.0


def test_teeth_turn_with_the_head():
    told = _mouth()
    teeth = mouth.posed_teeth(told, POSES)
    still = teeth[1]
    np.testing.assert_allclose(still[:, 0, 0], -still[:, 1, 0], atol=1e-6)
    np.testing.assert_allclose(
        still[:, 2, 1] - still[:, 0, 1], mouth.TEETH_HEIGHT, atol=1e-6
    )
    # A head that turns to the image's right takes what lies in front of it there.
    assert np.asarray(teeth[0, ..., 0]).mean() != pytest.approx(0.05, abs=0.05)
