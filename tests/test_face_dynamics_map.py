"""What a change of the code says about expression weights and gaze."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax import arkit
from vasa_jax.face import dynamics_map

STILL = jnp.zeros((1, arkit.NUM_UNITS)), jnp.zeros((1, 2))


@pytest.fixture(scope="module", params=[32, 64])
def learnt(request):
    """Return a map into a code narrower than what it is made of, and a wider one."""
    network = dynamics_map.DynamicsMap(request.param)
    params = jax.jit(network.init)(jax.random.key(1), *STILL)
    # No map is bent so much that a half of each weight would not tell its way.
    params["params"]["bent"]["kernel"] *= 0.01
    return network, params


def _slope(network, params):
    rows = jnp.concatenate([jnp.diag(dynamics_map.STEPS), jnp.zeros((1, 54))])
    codes = network.apply(params, rows[:, :52], rows[:, 52:])
    return (codes[:-1] - codes[-1:]) / dynamics_map.STEPS[:, None]


def test_weights_that_are_read_make_the_change_of_the_code(learnt):
    network, params = learnt
    weights = jax.random.normal(jax.random.key(2), (5, dynamics_map.NUM_KNOWN))
    slope = _slope(network, params)
    read = network.apply(params, weights @ slope, method="read_change")
    np.testing.assert_allclose(read @ slope, weights @ slope, atol=0.02)
    # The least of all changes that make it: no longer than the true one.
    assert (jnp.square(read).sum(-1) <= jnp.square(weights).sum(-1) + 1e-3).all()
    if network.channels > dynamics_map.NUM_KNOWN:
        np.testing.assert_allclose(read, weights, atol=0.05)


def test_no_change_is_read_as_none_and_teaches_the_map_nothing(learnt):
    network, params = learnt
    still = jnp.zeros((1, network.channels))
    found = network.apply(params, still, method="read_change")
    np.testing.assert_array_equal(found, 0.0)

    def read(params):
        return network.apply(params, still + 1.0, method="read_change").sum()

    for gradient in jax.tree.leaves(jax.grad(read)(params)):
        np.testing.assert_array_equal(gradient, 0.0)
