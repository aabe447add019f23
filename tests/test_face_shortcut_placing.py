"""What is drawn goes where frames show its corners."""

import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax import geometry, types
from vasa_jax.face.shortcut import placing

POSES = types.HeadPose.from_vector(
    jnp.array([[0.3, -0.2, 0.1, 0.05, -0.1, 1.2], [0, 0, 0, 0, 0, 1.0]])
)


def _points(count=24):
    rng = np.random.default_rng(0)
    return jnp.asarray(rng.uniform(-0.2, 0.2, (2, count, 2)), jnp.float32)


def test_flattened_points_come_back_to_where_the_image_shows_them():
    seen = _points()
    flat = placing.flatten(seen, POSES, -0.7)
    lifted = placing.lift(flat, -0.7)
    np.testing.assert_allclose(
        geometry.pose_points(lifted, POSES)[..., :2], seen, atol=1e-5
    )


def test_points_are_turned_resized_and_shifted_as_two_of_them_are():
    angle, size, shift = 0.4, 1.3, jnp.array([0.2, -0.1])
    turn = size * jnp.array(
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    )
    points = _points()
    expected = jnp.einsum("ij,bpj->bpi", turn, points) + shift[None, None]
    moved = placing.shifted(points, points[:, :2], expected[:, :2])
    np.testing.assert_allclose(moved, expected, atol=1e-5)


@pytest.mark.parametrize("off", [0.0, 0.06])
def test_corners_are_found_halfway_to_where_the_flow_comes_from_them(off):
    # A frame that shows the portrait shifted, a tenth smaller.
    grid = geometry.image_grid(64, 64)[None]
    shift = jnp.array([0.08, -0.05])
    flow = 1.1 * (grid - shift[None, None, None])
    own = jnp.array([[[-0.2, 0.3], [0.15, 0.28]]])
    true = own / 1.1 + shift[None, None]
    found = placing.find_in_frame(flow, own, true + off)
    np.testing.assert_allclose(found, true + 0.5 * off, atol=2e-3)
