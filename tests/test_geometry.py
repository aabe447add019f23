"""Rotations, rigid transforms and sampling against numpy and closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax import geometry, types


def _pose(yaw=0.0, pitch=0.0, roll=0.0, x=0.0, y=0.0, scale=1.0):
    return types.HeadPose.from_vector(jnp.array([[yaw, pitch, roll, x, y, scale]]))


@pytest.mark.parametrize(
    ("angles", "direction"),
    [
        ((0.3, 0.0, 0.0), (np.sin(0.3), 0.0, -np.cos(0.3))),
        ((0.0, 0.3, 0.0), (0.0, np.sin(0.3), -np.cos(0.3))),
        ((0.0, 0.0, 0.3), (0.0, 0.0, -1.0)),
    ],
)
def test_a_face_turns_where_the_glossary_says(angles, direction):
    forward = jnp.array([0.0, 0.0, -1.0])
    turned = geometry.rotation_matrix(jnp.array(angles)) @ forward
    np.testing.assert_allclose(turned, direction, atol=1e-6)


def test_positive_roll_leans_the_crown_to_the_left_of_the_image():
    crown = jnp.array([0.0, -1.0, 0.0])
    leaning = geometry.rotation_matrix(jnp.array([0.0, 0.0, 0.4])) @ crown
    np.testing.assert_allclose(leaning, [-np.sin(0.4), -np.cos(0.4), 0.0], atol=1e-6)


def test_angles_read_from_a_matrix_are_those_it_was_made_of():
    angles = jax.random.uniform(jax.random.key(0), (20, 3), minval=-1.2, maxval=1.2)
    read = geometry.rotation_angles(geometry.rotation_matrix(angles))
    np.testing.assert_allclose(read, angles, atol=1e-5)


def test_unposing_undoes_posing():
    points = jax.random.normal(jax.random.key(1), (1, 2, 3, 3))
    pose = _pose(0.4, -0.2, 0.3, 0.1, -0.2, 1.3)
    again = geometry.unpose_points(geometry.pose_points(points, pose), pose)
    np.testing.assert_allclose(again, points, atol=1e-5)


def test_posing_follows_weak_perspective():
    point = jnp.array([[[0.2, 0.1, -0.4]]])
    posed = geometry.pose_points(point, _pose(np.pi / 2, x=0.3, y=-0.1, scale=2.0))
    np.testing.assert_allclose(posed[0, 0], [0.8 + 0.3, 0.2 - 0.1, 0.4], atol=1e-6)


@pytest.mark.parametrize("shape", [(5, 7), (4, 4)])
def test_the_identity_grid_returns_the_image(shape):
    image = jax.random.normal(jax.random.key(0), (2, *shape, 3))
    grid = jnp.broadcast_to(geometry.image_grid(*shape), (2, *shape, 2))
    np.testing.assert_allclose(geometry.sample_image(image, grid), image, atol=1e-5)


def test_the_identity_grid_returns_the_volume():
    volume = jax.random.normal(jax.random.key(0), (2, 3, 4, 5, 2))
    grid = jnp.broadcast_to(geometry.volume_grid(3, 4, 5), (2, 3, 4, 5, 3))
    np.testing.assert_allclose(geometry.sample_volume(volume, grid), volume, atol=1e-5)


def test_sampling_between_cells_matches_numpy():
    image = np.random.default_rng(0).normal(size=(1, 6, 8, 1)).astype(np.float32)
    x, y = 0.31, -0.42
    column, row = (x + 1) * 4 - 0.5, (y + 1) * 3 - 0.5
    left, top = int(column), int(row)
    a, b = column - left, row - top
    patch = image[0, top : top + 2, left : left + 2, 0]
    expected = np.array([1 - b, b]) @ patch @ np.array([1 - a, a])
    sampled = geometry.sample_image(jnp.asarray(image), jnp.array([[[x, y]]]))
    np.testing.assert_allclose(sampled[0, 0, 0], expected, rtol=1e-5)


def test_beyond_the_border_the_nearest_cell_counts():
    image = jnp.arange(4.0).reshape((1, 2, 2, 1))
    corners = jnp.array([[[-9.0, -9.0], [9.0, -9.0], [9.0, 9.0]]])
    np.testing.assert_allclose(
        geometry.sample_image(image, corners)[0, :, 0], [0.0, 1.0, 3.0]
    )


def test_a_turn_of_the_pose_turns_the_volume_as_numpy_says():
    volume = np.random.default_rng(0).normal(size=(6, 6, 6)).astype(np.float32)
    grid = geometry.volume_grid(6, 6, 6)[None]
    # Quarter turns map cells onto cells, so that numpy can say where each goes.
    points = geometry.unpose_points(grid, _pose(roll=np.pi / 2))
    turned = geometry.sample_volume(jnp.asarray(volume)[None, ..., None], points)
    expected = np.rot90(volume, 1, axes=(1, 2))
    np.testing.assert_allclose(turned[0, ..., 0], expected, atol=1e-4)


def test_resizing_a_ramp_keeps_it_a_ramp_at_cell_centres():
    ramp = jnp.broadcast_to(geometry.cell_centres(8)[:, None], (1, 8, 8))[..., None]
    grown = geometry.resize(ramp, 16, 16)[0, 1:-1, 0, 0]
    np.testing.assert_allclose(grown, geometry.cell_centres(16)[1:-1], atol=1e-6)


def test_gradients_of_a_bfloat16_image_lose_nothing_where_many_points_meet():
    image = jnp.zeros((1, 2, 2, 1), jnp.bfloat16)
    beyond = jnp.full((1, 2000, 2), 3.0)
    gradient = jax.grad(lambda i: geometry.sample_image(i, beyond).sum())(image)
    # bfloat16 alone would stop at 256, where adding 1 changes nothing.
    assert gradient.dtype == jnp.bfloat16
    np.testing.assert_allclose(gradient[0, 1, 1, 0], 2000, rtol=0.01)


@pytest.mark.parametrize("sizes", [(10, 12), (10, 9), (20, 3), (7, 12)])
def test_growing_by_whole_numbers_is_the_linear_resizing_of_jax(sizes):
    values = jax.random.normal(jax.random.key(0), (2, 5, 6, 3))
    expected = jax.image.resize(values, (2, *sizes, 3), "linear")
    np.testing.assert_allclose(geometry.resize(values, *sizes), expected, atol=1e-6)


@pytest.mark.parametrize(("axis", "shape"), [(-1, (2, 5, 4)), (0, (4, 2, 5))])
def test_what_is_computed_once_is_what_it_was(axis, shape):
    values = jnp.asarray(np.random.default_rng(0).normal(size=shape), jnp.float32)
    np.testing.assert_array_equal(geometry.once(values, axis), values)
    slope = jax.grad(lambda x: (geometry.once(x, axis) * values).sum())(values)
    np.testing.assert_array_equal(slope, values)


def test_small_matrices_are_inverted():
    matrix = np.random.default_rng(0).normal(size=(3, 4, 2, 2))
    found = geometry.inverse_2d(jnp.asarray(matrix))
    np.testing.assert_allclose(
        found @ matrix, np.broadcast_to(np.eye(2), matrix.shape), atol=1e-4
    )
