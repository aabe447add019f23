"""Warps carry the volume to canonical space and back."""

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax import geometry, types
from vasa_jax.face import config as face_config
from vasa_jax.face import warping


def test_warps_return_the_volume_at_identity_pose_without_displacement():
    config = face_config.tiny()
    grid = warping.batched_volume_grid(config, 2)
    still = types.HeadPose.from_vector(jnp.tile(jnp.array([[0.0] * 5 + [1.0]]), (2, 1)))
    nothing = jnp.zeros_like(grid)
    volume = jax.random.normal(jax.random.key(0), (*grid.shape[:-1], 3))
    for warp in (warping.canonical_to_source, warping.driver_to_canonical):
        found = geometry.sample_volume(volume, warp(grid, nothing, still))
        np.testing.assert_allclose(found, volume, atol=1e-5)


def test_driving_by_the_portraits_own_motion_maps_points_to_themselves():
    config = face_config.tiny()
    grid = warping.batched_volume_grid(config, 1)
    pose = types.HeadPose.from_vector(jnp.array([[0.3, -0.2, 0.1, 0.1, 0.0, 1.2]]))
    nothing = jnp.zeros_like(grid)
    canonical = warping.driver_to_canonical(grid, nothing, pose)
    again = warping.canonical_to_source(canonical, nothing, pose)
    np.testing.assert_allclose(again, grid, atol=1e-5)
