"""Faces are cut out of images by their pose."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax import geometry, types
from vasa_jax.face import augmentation, encoders


def test_an_aligned_face_stays_put_when_the_head_moves_in_the_image():
    y, x = jnp.meshgrid(geometry.cell_centres(64), geometry.cell_centres(64))
    ramp = jnp.stack([x, y, x + y], axis=-1)[None]
    pose = types.HeadPose.from_vector(jnp.array([[0.0, 0.0, 0.0, 0.0, 0.0, 0.7]]))
    config = dataclasses.replace(
        augmentation.AMOUNTS["severe"], shift=0.1, zoom=0.2, turn=0.3
    )
    moved, seen = augmentation.move(
        jax.random.key(3),
        ramp[0],
        jax.tree.map(lambda leaf: leaf[0], pose),
        config,
        64,
    )
    seen = jax.tree.map(lambda leaf: leaf[None], seen)
    before = encoders.align_face(ramp, pose, 16)
    after = encoders.align_face(moved[None], seen, 16)
    np.testing.assert_allclose(after, before, atol=0.02)
