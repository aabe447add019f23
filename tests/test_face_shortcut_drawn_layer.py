"""Windows are placed about points, and laid where they were cut."""

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.face.shortcut import drawn_layer

SIZE, SIDES = 32, (8, 12)


def _layer(points):
    corner, places = drawn_layer.place(points, SIDES, SIZE)
    colours = jax.random.uniform(jax.random.key(0), (*places.shape[:3], 3))
    return drawn_layer.DrawnLayer(colours, jnp.ones((*places.shape[:3], 1)), corner)


def test_cells_of_a_window_lie_where_its_pixels_are():
    points = jnp.array([[[0.2, -0.3], [0.4, -0.1]]])
    corner, places = drawn_layer.place(points, SIDES, SIZE)
    row, column = np.asarray(corner[0])
    pixels = np.stack(np.meshgrid(np.arange(12) + column, np.arange(8) + row), -1)
    np.testing.assert_allclose(places[0], (2 * pixels + 1) / SIZE - 1, atol=1e-6)
    middle = np.asarray(places[0]).mean((0, 1))
    np.testing.assert_allclose(middle, [0.3, -0.2], atol=1.5 / SIZE)


def test_a_window_at_the_border_stays_within_the_frame():
    corner, _ = drawn_layer.place(jnp.array([[[0.95, 1.2], [1.0, 1.0]]]), SIDES, SIZE)
    np.testing.assert_array_equal(corner, [[SIZE - 8, SIZE - 12]])


def test_a_window_is_cut_from_where_it_is_laid():
    layer = _layer(jnp.array([[[0.2, -0.3], [0.4, -0.1]]]))
    image = jnp.zeros((1, SIZE, SIZE, 3))
    laid = drawn_layer.lay(image, layer)
    np.testing.assert_allclose(drawn_layer.cut(laid, layer), layer.colours, atol=1e-6)
    assert float(laid.sum()) == np.float32(layer.colours.sum())


def test_half_a_share_shows_half_of_what_lies_below():
    layer = _layer(jnp.array([[[0.2, -0.3], [0.4, -0.1]]]))
    half = layer.replace(share=0.5 * layer.share)
    image = jnp.ones((1, SIZE, SIZE, 3))
    seen = drawn_layer.cut(drawn_layer.lay(image, half), layer)
    np.testing.assert_allclose(seen, 0.5 + 0.5 * layer.colours, atol=1e-6)
