"""Where rims and irises of a frame lie."""

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax import types
from vasa_jax.face import dynamics_map
from vasa_jax.face.shortcut import eyes
from vasa_jax.portrait import eyes as portrait_eyes

POSES = types.HeadPose.from_vector(
    jnp.array([[0.3, -0.2, 0.1, 0.05, -0.1, 1.2], [0, 0, 0, 0, 0, 1.0]])
)


def _told(seen):
    """Return what an untaught network tells of eyes, in the portrait's own pose."""
    shape = eyes.EyeShape(16)
    own = eyes.encode_eyes(seen.rims, seen.discs, POSES)
    still = jnp.zeros((2, 8)), jnp.zeros((2, dynamics_map.NUM_KNOWN))
    params = shape.init(jax.random.key(0), own, *still)
    return shape.apply(params, own, *still)


def test_an_untaught_network_keeps_the_portraits_own_eyes():
    seen = portrait_eyes.open_eyes(2)
    rims, discs = eyes.posed(_told(seen), POSES)
    np.testing.assert_allclose(rims, seen.rims, atol=0.01)
    np.testing.assert_allclose(discs, seen.discs, atol=0.01)


def test_eyes_of_a_head_that_moves_stay_where_they_are_on_it():
    told = _told(portrait_eyes.open_eyes(2))
    seen = eyes.encode_eyes(*eyes.posed(told, POSES), POSES)
    flat = jnp.concatenate([told.rims, told.discs], axis=2)[..., :2]
    np.testing.assert_allclose(seen, flat, atol=0.01)


def test_corners_are_the_ends_of_the_rims():
    rims = portrait_eyes.open_eyes(1).rims
    corners = np.asarray(eyes.corners(jnp.asarray(rims)))
    np.testing.assert_allclose(corners[0, :, 0, 0], rims[0, :, :, 0].min(axis=-1))
    np.testing.assert_allclose(corners[0, :, 1, 0], rims[0, :, :, 0].max(axis=-1))
