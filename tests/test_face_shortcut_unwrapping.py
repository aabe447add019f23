"""What lies on the unwrapped face is laid back into the view."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax import geometry, types
from vasa_jax.face.shortcut import unwrapping


@pytest.mark.parametrize("turn", [(0.0, 0.0, 0.0), (0.5, 0.0, 0.0), (-0.4, 0.2, 0.1)])
def test_what_is_unwrapped_is_laid_back_where_it_was(turn):
    pose = types.HeadPose.from_vector(jnp.array([[*turn, 0.05, -0.03, 1.1]]))
    marks = geometry.image_grid(32, 32)[None]
    seen = jax.jit(unwrapping.wrap, static_argnums=2)(marks, pose, 256)
    again = jax.jit(unwrapping.unwrap, static_argnums=2)(seen, pose, 32)
    inner = (slice(None), slice(4, 28), slice(6, 26))
    np.testing.assert_allclose(again[inner], marks[inner], atol=0.02)
    # Beside the face, in the corners of the image, there is nothing.
    np.testing.assert_array_equal(seen[0, :4, :4], 0.0)
