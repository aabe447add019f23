"""What is spread behind the head."""

import face_pairs
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax import types
from vasa_jax.face.shortcut import background


def pose(x=0.0, y=0.0, scale=1.0):
    vector = jnp.array([[0.0, 0.0, 0.0, x, y, scale]])
    return types.HeadPose.from_vector(vector)


def hole(size=16):
    share = np.ones((1, size, size, 1), np.float32)
    share[:, 5:11, 4:12] = 0.0
    return share


def test_what_is_believed_stays_and_a_hole_takes_the_colour_around_it():
    values = np.full((1, 16, 16, 2), 0.25, np.float32)
    share = hole()
    values[np.broadcast_to(share == 0, values.shape)] = 9.0
    np.testing.assert_allclose(background.fill(values, share), 0.25, atol=1e-6)
    noise = np.random.default_rng(0).normal(size=(1, 16, 16, 2)).astype(np.float32)
    filled = np.asarray(background.fill(noise, share))
    kept = np.broadcast_to(share == 1, noise.shape)
    np.testing.assert_allclose(filled[kept], noise[kept], atol=1e-6)
    assert np.abs(filled[~kept]).max() < np.abs(noise[kept]).max()


def test_a_hole_in_a_slope_is_filled_between_its_sides():
    ramp = np.broadcast_to(np.linspace(-1, 1, 16, dtype=np.float32), (1, 16, 16))
    filled = np.asarray(background.fill(ramp[..., None], hole()))[0, 8, :, 0]
    assert filled[4] < -0.1 and filled[11] > 0.1
    assert (np.diff(filled[3:13]) > -1e-6).all()


def test_the_background_keeps_a_margin_to_the_head():
    found = np.asarray(background.shrink(jnp.asarray(hole()), 5))[0, :, :, 0]
    expected = np.ones((16, 16))
    expected[3:13, 2:14] = 0.0
    np.testing.assert_array_equal(found, expected)


def test_nothing_believed_leaves_finite_values_and_gradients():
    def total(share):
        return background.fill(jnp.ones((1, 4, 4, 1)), share).sum()

    value, gradient = jax.value_and_grad(total)(jnp.zeros((1, 4, 4, 1)))
    assert np.isfinite(value) and np.isfinite(gradient).all()


@pytest.mark.parametrize("x, y, scale", [(0.0, 0.0, 0.8), (0.3, -0.2, 0.5)])
def test_the_ellipse_goes_with_the_head(x, y, scale):
    logits = np.asarray(background.prior(pose(x, y, scale), 64, 64))[0, :, :, 0]
    rows, columns = np.nonzero(logits < 0)
    found = (np.array([columns.mean(), rows.mean()]) + 0.5) / 32 - 1
    middle = np.array([x, y]) + scale * np.array(background.CENTRE)
    np.testing.assert_allclose(found, middle, atol=0.02)
    width, height = (np.ptp(place) + 1 for place in (columns, rows))
    np.testing.assert_allclose(
        np.array([width, height]) / 64, scale * np.array(background.RADII), atol=0.04
    )


def test_the_background_shows_where_the_frame_keeps_still_and_the_head_has_been():
    is_head = np.zeros((1, 16, 16, 1), np.float32)
    is_head[:, :, :8] = 1.0
    colours = np.full((1, 16, 16, 3), 0.5, np.float32)
    seen = jnp.concatenate([jnp.zeros((1, 16, 16, 5)), colours], axis=-1)
    pixels = face_pairs.only(
        types.PortraitPixels, behind_head=seen, background_logits=20 - 40 * is_head
    )
    still = np.zeros((1, 16, 16, 1), np.float32)
    still[:, :4] = 0.7
    share, features, behind = background.uncover(pixels, jnp.asarray(still))
    assert features.shape == (1, 16, 16, 5) and not features.any()
    np.testing.assert_allclose(share[0, :4, :10, 0], 0.7, atol=1e-5)  # with its margin
    np.testing.assert_allclose(share[0, :, 10:, 0], 0.0, atol=1e-5)
    np.testing.assert_allclose(share[0, 4:, :, 0], 0.0, atol=1e-5)
    np.testing.assert_array_equal(behind, colours)
