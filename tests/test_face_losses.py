"""Losses of stage one against closed forms and plain numpy."""

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax import types
from vasa_jax.face.losses import distances, perceptual


def test_equal_images_have_no_reconstruction_loss_and_a_shift_of_value_has_its_size():
    image = jax.random.normal(jax.random.key(0), (2, 16, 16, 3))
    weight = jnp.ones((2, 16, 16, 1))
    np.testing.assert_allclose(distances.reconstruction(image, image, weight), 0.0)
    shifted = distances.reconstruction(image + 0.25, image, weight)
    np.testing.assert_allclose(shifted, 0.25, rtol=1e-5)


def test_region_weight_peaks_at_its_keypoints_and_is_one_far_away():
    keypoints = jnp.array([[[0.5, -0.5]]])
    weight = distances.region_weight(keypoints, jnp.array([0.1]), jnp.array([4.0]), 64)
    weight = np.asarray(weight)[0, ..., 0]
    row, column = np.unravel_index(weight.argmax(), weight.shape)
    assert (row, column) in {(r, c) for r in (15, 16) for c in (47, 48)}
    assert weight.max() > 4.8
    np.testing.assert_allclose(weight[-1, 0], 1.0, atol=1e-6)


def test_flow_loss_counts_only_what_is_visible_and_weighs_detail_more():
    smooth = jnp.zeros((1, 16, 16, 2))
    seen = jnp.ones((1, 16, 16)).at[:, :8].set(0.0)
    wrong_where_hidden = smooth.at[:, :8].add(0.3)
    loss = distances.flow(wrong_where_hidden, smooth, seen)
    np.testing.assert_allclose(loss, 0.0, atol=2e-4)

    detailed = smooth.at[0, 3, 3].set(0.2)
    everywhere = jnp.ones((1, 16, 16))
    miss_detail = distances.flow(detailed.at[0, 3, 3].set(0.0), detailed, everywhere)
    miss_plain = distances.flow(detailed.at[0, 12, 12].add(0.2), detailed, everywhere)
    assert float(miss_detail[0]) > 4 * float(miss_plain[0])


def test_end_point_error_of_a_constant_offset_is_its_length():
    target = jax.random.normal(jax.random.key(0), (2, 8, 8, 2))
    offset = jnp.array([0.3, 0.4]).reshape((1, 1, 1, 2))
    error = distances.end_point_error(target + offset, target, jnp.ones((2, 8, 8)))
    np.testing.assert_allclose(error, 0.5, rtol=1e-4)


def test_visibility_loss_is_the_cross_entropy_of_numpy():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(1, 4, 4)).astype(np.float32)
    visible = (rng.random((1, 4, 4)) > 0.5).astype(np.float32)
    weight = rng.random((1, 4, 4)).astype(np.float32)
    chance = 1 / (1 + np.exp(-logits))
    entropy = -(visible * np.log(chance) + (1 - visible) * np.log(1 - chance))
    expected = (entropy * weight).sum() / weight.sum()
    found = distances.visibility(*map(jnp.asarray, (logits, visible, weight)))
    np.testing.assert_allclose(found[0], expected, rtol=1e-5)


def test_background_loss_is_ln_2_for_doubt_and_none_for_sure_truth():
    truth = jnp.array([[[1.0, 0.0], [0.0, 1.0]]])
    doubt = distances.background(jnp.zeros((1, 2, 2)), truth)
    np.testing.assert_allclose(doubt, np.log(2.0), rtol=1e-6)
    sure = 40.0 * (2.0 * truth - 1.0)
    assert float(distances.background(sure, truth)[0]) < 1e-6
    assert float(distances.background(-sure, truth)[0]) > 30.0


def test_stillness_loss_is_the_logarithm_of_what_is_right():
    # Cells of background, torso, and head.
    still, body = jnp.array([[[0.8, 0.5, 0.2]]]), jnp.array([[[0.1, 0.4, 0.1]]])
    around, torso = jnp.array([[[1.0, 1.0, 0.0]]]), jnp.array([[[0.0, 1.0, 0.0]]])
    expected = -(np.log(0.8) + np.log(0.4) + np.log(0.7)) / 3
    found = distances.stillness(still, body, around, torso)
    np.testing.assert_allclose(found[0], expected, rtol=1e-3)
    sure = distances.stillness(around - torso, torso, around, torso)
    wrong = distances.stillness(torso, 1.0 - torso, around, torso)
    assert float(sure[0]) < 1e-3 and 5.0 < float(wrong[0]) < 20.0


def test_head_pose_loss_adds_angles_place_and_relative_size():
    truth = types.HeadPose.from_vector(jnp.array([[0.1, 0.2, 0.3, 0.0, 0.0, 1.0]]))
    found = types.HeadPose.from_vector(
        jnp.array([[0.2, 0.2, 0.1, 0.05, 0.0, float(np.e)]])
    )
    np.testing.assert_allclose(
        distances.head_pose(found, truth), [0.1 + 0.2 + 0.05 + 1.0], rtol=1e-5
    )


def test_expression_loss_is_the_weighted_square_of_typical_deviations():
    truth = jax.random.uniform(jax.random.key(0), (2, 52))
    off = truth + distances.EXPRESSION_STANDARD_DEVIATION
    np.testing.assert_allclose(
        distances.expression(off, truth, jnp.ones(52)), 1.0, 1e-5
    )
    weight = jnp.zeros(52).at[24].set(52.0)
    one = (
        truth.at[1, 24]
        .add(-3 * distances.EXPRESSION_STANDARD_DEVIATION)
        .at[:, 0]
        .add(9.0)
    )
    np.testing.assert_allclose(
        distances.expression(one, truth, weight), [0.0, 9.0], rtol=1e-5
    )


def test_gaze_loss_adds_the_errors_of_both_angles():
    found = distances.gaze(
        jnp.array([[0.1, -0.2], [0.0, 0.3]]), jnp.array([[0.4, 0.2], [0.0, 0.3]])
    )
    np.testing.assert_allclose(found, [0.3 + 0.4, 0.0], rtol=1e-6)


def test_agreement_is_the_mean_difference_of_images_and_of_volumes():
    for shape in ((2, 4, 4, 3), (2, 3, 4, 4, 5)):
        first = jax.random.normal(jax.random.key(0), shape)
        second = first.at[1, 0].add(-0.6)
        expected = [0.0, 0.6 / shape[1]]
        for pair in ((first, second), (second, first)):
            np.testing.assert_allclose(distances.agreement(*pair), expected, atol=1e-6)


def test_hinge_losses_match_their_definition():
    real, fake = jnp.array([[2.0, 0.0]]), jnp.array([[-3.0, 1.0]])
    np.testing.assert_allclose(distances.hinge_discriminator(real, fake), [0.5 + 1.0])
    np.testing.assert_allclose(distances.hinge_generator(fake), [1.0])


def test_contrast_falls_when_the_frame_shows_its_own_drivers_motion():
    keys = jax.random.split(jax.random.key(0), 3)
    own = jax.random.normal(keys[0], (4, 8))
    others = jax.random.normal(keys[1], (4, 2, 8))
    right = distances.contrast(own, own, others)
    wrong = distances.contrast(own, others[:, 0], own[:, None])
    assert np.all(np.asarray(right) < np.asarray(wrong))
    logits = np.array([1.0 - 0.2, -1.0]) * 5.0
    expected = -logits[0] + np.log(np.exp(logits).sum())
    one = jnp.ones((1, 3))
    np.testing.assert_allclose(
        distances.contrast(one, one, -one[:, None])[0], expected, atol=1e-6
    )


def test_cosine_distance_ignores_length():
    vector = jnp.array([[1.0, 2.0, 3.0]])
    np.testing.assert_allclose(
        distances.cosine_distance(vector, 7 * vector), [0.0], atol=1e-5
    )
    np.testing.assert_allclose(
        distances.cosine_distance(vector, -vector), [2.0], atol=1e-5
    )


def test_vgg_features_halve_from_block_to_block_and_tell_images_apart():
    weights = perceptual.random_vgg16(jax.random.key(0), num_blocks=2)
    image = jax.random.uniform(jax.random.key(1), (1, 16, 16, 3), minval=-1.0)
    maps = perceptual.vgg16_features(weights, image)
    assert [m.shape for m in maps] == [(1, 16, 16, 64), (1, 8, 8, 128)]
    same = distances.feature_distance(maps, maps)
    other = perceptual.vgg16_features(weights, -image)
    np.testing.assert_allclose(same, 0.0)
    assert float(distances.feature_distance(other, maps)[0]) > 0.01


def test_vgg_weights_are_read_from_npz_and_a_lack_is_named(tmp_path):
    weights = perceptual.random_vgg16(jax.random.key(0), num_blocks=1)
    arrays = {name: np.asarray(value) for name, value in weights.items()}
    np.savez(tmp_path / "vgg.npz", **arrays)
    read = perceptual.load_vgg16(str(tmp_path / "vgg.npz"), num_blocks=1)
    np.testing.assert_array_equal(read["conv_1/kernel"], arrays["conv_1/kernel"])
    with np.testing.assert_raises_regex(ValueError, "conv_2/kernel"):
        perceptual.load_vgg16(str(tmp_path / "vgg.npz"), num_blocks=2)


def test_a_pyramid_compares_whole_images_at_every_scale():
    sides = []

    def network(image):
        sides.append(image.shape[1])
        return (image,)

    image = jnp.zeros((2, 32, 32, 3))
    even = distances.pyramid_distance(network, image + 0.5, image)
    np.testing.assert_allclose(even, 0.5, rtol=1e-6)
    assert sides[::2] == sides[1::2] == [32, 16, 8, 4]
    # What evens out from pixel to pixel counts at the first scale alone.
    stripes = jnp.where(jnp.arange(32) % 2, 0.4, -0.4)[None, :, None, None]
    fine = distances.pyramid_distance(network, image + stripes, image)
    np.testing.assert_allclose(fine, 0.4 / 4, rtol=1e-5)
