"""Where crops of frames are cut."""

import face_pairs
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.face import scene
from vasa_jax.face.losses import regions

CENTRES = jnp.linspace(-0.4, 0.4, 12).reshape(2, 3, 2)


def test_points_elsewhere_join_those_of_mouth_and_eyes():
    centres = regions.crop_centres(CENTRES, jax.random.key(0), 50)
    assert centres.shape == (2, 53, 2)
    np.testing.assert_array_equal(centres[:, :3], CENTRES)
    drawn = np.array(centres[:, 3:])
    assert 0.9 * regions.ELSEWHERE < abs(drawn).max() <= regions.ELSEWHERE
    assert abs(drawn.mean()) < 0.15
    assert len(np.unique(drawn)) == drawn.size  # each image its own
    other = regions.crop_centres(CENTRES, jax.random.key(1), 50)
    assert (np.array(other[:, 3:]) != drawn).all()


def test_hidden_cells_of_the_head_are_drawn_about_as_often_as_their_odds_say():
    hidden = jnp.zeros((1, 16, 16)).at[0, 6, 9].set(1.0)
    centres = regions.crop_centres(CENTRES[:1], jax.random.key(0), 20_000, hidden)
    np.testing.assert_array_equal(centres[:, :3], CENTRES[:1])
    drawn = np.array(centres[0, 3:])
    there = np.array([(9 + 0.5) / 8 - 1, (6 + 0.5) / 8 - 1])
    share = (np.abs(drawn - there).max(1) < 0.01).mean()
    odds = regions.HIDDEN_ODDS
    np.testing.assert_allclose(share, odds / (odds + 255), rtol=0.07)
    assert abs(drawn).max() <= regions.ELSEWHERE


def test_half_hidden_cells_have_half_the_further_odds_and_each_image_its_own():
    hidden = jnp.zeros((2, 4, 4)).at[0, 1, 1].set(0.5).at[1, 2, 2].set(1.0)
    centres = regions.crop_centres(CENTRES, jax.random.key(1), 8000, hidden)
    for row, cell, odds in ((0, (-0.25, -0.25), 11.0), (1, (0.25, 0.25), 21.0)):
        near = np.abs(np.array(centres[row, 3:]) - np.array(cell)).max(1) < 0.01
        np.testing.assert_allclose(near.mean(), odds / (odds + 15), rtol=0.07)


def test_hidden_are_the_cells_of_the_head_that_the_portrait_does_not_show():
    visible = jnp.array([[[1.0, 0.0], [0.25, 0.0]]])
    around = jnp.array([[[0.0, 0.0], [0.0, 1.0]]])
    every = jnp.ones_like(visible)
    truth = face_pairs.only(scene.Correspondence, visible=visible, learnable=every)
    around = face_pairs.only(scene.Surroundings, driver=around)
    hidden = regions.hidden_head(truth, around)
    np.testing.assert_allclose(hidden, [[[0, 1], [0.75, 0]]])
    np.testing.assert_allclose(regions.hidden_head(truth, None), 1.0 - visible)


def test_no_points_elsewhere_leave_mouth_and_eyes():
    centres = regions.crop_centres(CENTRES, jax.random.key(0), 0)
    np.testing.assert_array_equal(centres, CENTRES)


def test_crops_show_what_lies_around_their_points():
    ramp = jnp.broadcast_to(jnp.linspace(-1, 1, 128)[None, :, None], (128, 128, 3))
    cut = regions.crops(ramp[None], jnp.array([[[0.0, 0.0], [0.5, 0.2]]]))
    assert cut.shape == (2, regions.CROP_SIZE, regions.CROP_SIZE, 3)
    middles = np.array(cut.mean((1, 2, 3)))
    np.testing.assert_allclose(middles, [0.0, 0.5], atol=0.02)
    assert np.ptp(np.array(cut[1, 0, :, 0])) > 1.8 * regions.CROP_REACH


def test_networks_see_crops_or_whole_frames():
    image = jax.random.uniform(jax.random.key(0), (2, 128, 128, 3))
    np.testing.assert_array_equal(regions.views(image, None), image)
    cut = regions.views(image, CENTRES)
    np.testing.assert_array_equal(cut, regions.crops(image, CENTRES))
