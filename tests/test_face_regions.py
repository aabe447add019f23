"""Where crops of frames are cut."""

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.face import regions

CENTRES = jnp.linspace(-0.4, 0.4, 12).reshape(2, 3, 2)


def test_points_elsewhere_join_those_of_mouth_and_eyes():
    places = regions.places(CENTRES, jax.random.key(0), 50)
    assert places.shape == (2, 53, 2)
    np.testing.assert_array_equal(places[:, :3], CENTRES)
    drawn = np.array(places[:, 3:])
    assert 0.9 * regions.ELSEWHERE < abs(drawn).max() <= regions.ELSEWHERE
    assert abs(drawn.mean()) < 0.15
    assert len(np.unique(drawn)) == drawn.size  # each image its own
    other = regions.places(CENTRES, jax.random.key(1), 50)
    assert (np.array(other[:, 3:]) != drawn).all()


def test_no_points_elsewhere_leave_mouth_and_eyes():
    places = regions.places(CENTRES, jax.random.key(0), 0)
    np.testing.assert_array_equal(places, CENTRES)


def test_crops_show_what_lies_around_their_points():
    ramp = jnp.broadcast_to(jnp.linspace(-1, 1, 128)[None, :, None], (128, 128, 3))
    cut = regions.crops(ramp[None], jnp.array([[[0.0, 0.0], [0.5, 0.2]]]))
    assert cut.shape == (2, regions.CROP_SIZE, regions.CROP_SIZE, 3)
    middles = np.array(cut.mean((1, 2, 3)))
    np.testing.assert_allclose(middles, [0.0, 0.5], atol=0.02)
    assert np.ptp(np.array(cut[1, 0, :, 0])) > 1.8 * regions.CROP_REACH
