"""How the warped portrait is lit where it is shown."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax import geometry
from vasa_jax.face.shortcut import flows


def _image(size):
    return jax.random.uniform(jax.random.key(0), (2, size, size, 3), minval=-1.0)


@pytest.mark.parametrize("cells, size", [(64, 128), (16, 32), (12, 36), (4, 4)])
def test_even_light_multiplies_all_colours_alike(cells, size):
    image = _image(size)
    even = flows.relight(image, jnp.full((2, cells, cells, 3), 0.5))
    gain = np.exp(flows.LIGHT_REACH * np.tanh(0.5))
    np.testing.assert_allclose(even, (image + 1.0) * gain - 1.0, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("cells, size", [(64, 128), (16, 32)])
def test_light_is_smooth(cells, size):
    image = _image(size)
    # What changes from cell to cell evens out; what changes over the head stays.
    row = jnp.where(jnp.arange(cells) % 2, 1.0, -1.0)
    fine = jnp.broadcast_to(row[None, None, :, None], (2, cells, cells, 3))
    np.testing.assert_allclose(flows.relight(image, fine), image, atol=1e-5)
    sides = jnp.where(jnp.arange(cells) < cells // 2, -1.0, 1.0)
    broad = jnp.broadcast_to(sides[None, None, :, None], (2, cells, cells, 3))
    white = flows.relight(jnp.zeros_like(image), broad) + 1.0
    assert float(white[:, :, 0].max()) < 0.6 and float(white[:, :, -1].min()) > 1.8


def test_the_flow_of_a_person_goes_on_where_the_still_grid_takes_over():
    size, way = 16, 0.3
    still = geometry.image_grid(size, size)[None]
    share = jnp.zeros((1, size, size, 1)).at[:, :, 8:].set(1.0).at[:, :, 7].set(0.5)
    flow = still + way * (1.0 - share)
    drawn_on = flows._drawn_on(flow, share)
    inside = np.s_[:, 2:-2, :7]
    np.testing.assert_allclose(drawn_on[inside], flow[inside], atol=1e-6)
    edge = np.s_[:, 2:-2, 7:9]
    assert float(jnp.abs(flow - still)[edge].mean()) < 0.6 * way / 2
    np.testing.assert_allclose((drawn_on - still)[edge], way, atol=0.02)
