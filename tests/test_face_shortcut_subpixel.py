"""Sub-pixel convolutions paint detail without the pattern of their cells."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax import errors, geometry, layers
from vasa_jax.face import config as face_config
from vasa_jax.face.shortcut import (
    subpixel,
)


def test_a_painter_begins_with_broad_colours_and_adds_detail_across_cells():
    painter = subpixel.Painter(features=4, channels=8, upsampling=4, dtype=jnp.float32)
    x = jax.random.normal(jax.random.key(1), (1, 6, 6, 5))
    params = painter.init(jax.random.key(0), x)["params"]
    kernel = params["broad"]["kernel"]
    broad = geometry.resize(layers.convolve(x, kernel), 24, 24)
    painted = painter.apply({"params": params}, x)
    np.testing.assert_allclose(painted, broad, atol=1e-5)

    # Detail at the edge of a cell answers to its neighbour in the layer between.
    rng = np.random.default_rng(0)
    fine = rng.normal(0, 0.3, params["fine"]["kernel"].shape)
    params["fine"]["kernel"] = jnp.asarray(fine, jnp.float32)
    middle = jnp.zeros_like(params["middle"]["kernel"])
    params["middle"]["kernel"] = middle.at[1, 1].set(params["middle"]["kernel"][1, 1])
    one_cell = jnp.zeros_like(x).at[0, 3, 3].set(x[0, 3, 3])
    params["broad"]["kernel"] = jnp.zeros_like(kernel)
    seen = np.abs(painter.apply({"params": params}, one_cell)).sum((0, 3)) > 0
    rows, columns = np.nonzero(seen)
    assert (rows.min(), rows.max()) == (10, 17)  # rows 12 to 15, and two beyond each
    assert (columns.min(), columns.max()) == (10, 17)


@pytest.mark.parametrize("changes", [{"output_upsampling": 3}, {"detail_channels": 0}])
def test_a_painter_needs_an_even_upsampling_and_channels(changes):
    with pytest.raises(errors.UserError, match="give output_upsampling 1, or an even"):
        dataclasses.replace(face_config.tiny(), **changes)


@pytest.mark.parametrize("period", [2, 4])
@pytest.mark.parametrize("axis", [1, 2])
def test_smoothing_leaves_no_ripple_of_a_cells_side(period, axis):
    steps = np.arange(16)
    ripple = 0.3 + np.cos(2 * np.pi * steps / period + 0.4)
    shape = [1, 1, 1, 1]
    shape[axis] = 16
    image = jnp.broadcast_to(ripple.reshape(shape), (1, 16, 16, 3))
    found = subpixel.smooth(image)
    assert found.shape == image.shape
    inner = found[:, 2:-2, 2:-2]
    np.testing.assert_allclose(inner, 0.3, atol=1e-6)
    flat = jnp.full((1, 8, 8, 2), 0.7)
    np.testing.assert_allclose(subpixel.smooth(flat), flat, atol=1e-6)
