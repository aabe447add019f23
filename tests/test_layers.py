"""Convolutions with own gradients, norms and residual blocks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from vasa_jax import layers


def _gradients(convolve, x, kernel):
    def loss(x, kernel):
        return jnp.square(convolve(x, kernel)).sum()

    return jax.grad(loss, (0, 1))(x, kernel)


@pytest.mark.parametrize("size", [1, 3, 5])
def test_own_gradients_equal_those_of_xla(size):
    keys = jax.random.split(jax.random.key(0), 2)
    x = jax.random.normal(keys[0], (2, 6, 7, 3))
    kernel = jax.random.normal(keys[1], (size, size, 3, 4))
    ours = _gradients(layers.convolve_by_taps, x, kernel)
    theirs = _gradients(layers.convolve, x, kernel)
    for own, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(own, other, rtol=2e-5, atol=2e-3)


def test_a_volume_convolved_by_taps_equals_the_3d_convolution():
    keys = jax.random.split(jax.random.key(0), 2)
    x = jax.random.normal(keys[0], (2, 4, 5, 6, 3))
    kernel = jax.random.normal(keys[1], (3, 3, 3, 3, 2))
    direct = lax.conv_general_dilated(
        x,
        kernel,
        (1, 1, 1),
        "SAME",
        dimension_numbers=("NDHWC", "DHWIO", "NDHWC"),
    )
    np.testing.assert_allclose(
        layers.convolve_volume_by_taps(x, kernel), direct, rtol=1e-4, atol=1e-4
    )


def test_standardised_kernels_have_no_mean_and_keep_variance():
    kernel = 3.0 + 5.0 * jax.random.normal(jax.random.key(0), (3, 3, 16, 8))
    fixed = layers.standardise(kernel)
    np.testing.assert_allclose(fixed.mean((0, 1, 2)), 0.0, atol=1e-6)
    np.testing.assert_allclose(fixed.var((0, 1, 2)) * 3 * 3 * 16, 1.0, rtol=1e-3)


@pytest.mark.parametrize("channels", [1, 3, 4, 56, 96, 512])
def test_groups_divide_the_channels(channels):
    groups = layers.num_groups(channels)
    assert channels % groups == 0
    assert groups <= 32


def test_doubling_then_halving_returns_the_image():
    x = jax.random.normal(jax.random.key(0), (1, 3, 4, 2))
    grown = layers.double(x)
    assert grown.shape == (1, 6, 8, 2)
    np.testing.assert_allclose(layers.halve(grown), x, atol=1e-6)


def test_a_code_steers_a_residual_block_only_after_its_affine_has_learned():
    x = jax.random.normal(jax.random.key(0), (2, 4, 4, 8))
    code = jax.random.normal(jax.random.key(1), (2, 5))
    block = layers.ResidualBlock(8)
    variables = block.init(jax.random.key(2), x, code)
    plain = block.apply(variables, x, 0.0 * code)
    np.testing.assert_allclose(block.apply(variables, x, code), plain, atol=1e-6)
    louder = jax.tree.map(lambda leaf: leaf + 0.1, variables)
    changed = block.apply(louder, x, code) - block.apply(louder, x, 0.0 * code)
    assert float(jnp.abs(changed).max()) > 1e-3


def test_spatial_order_of_a_batch_does_not_matter():
    x = jax.random.normal(jax.random.key(0), (3, 4, 4, 8))
    block = layers.ResidualBlock(6)
    variables = block.init(jax.random.key(1), x)
    straight, turned = block.apply(variables, x), block.apply(variables, x[::-1])
    np.testing.assert_allclose(turned[::-1], straight, atol=1e-5)


def test_stock_convolutions_are_traced_without_taps():
    module = layers.Convolution(4)
    x = jnp.ones((1, 6, 6, 2))
    params = jax.jit(module.init)(jax.random.key(0), x)

    def gradient():
        # A function of its own, since what was traced before is kept.
        def loss(p):
            return jnp.square(module.apply(p, x)).sum()

        return jax.make_jaxpr(jax.grad(loss))(params)

    with layers.stock_convolutions():
        stock = str(gradient())
    ours = str(gradient())
    # The loop over taps of the weight's gradient.
    assert "scan" in ours and "scan" not in stock
