"""Backgrounds filled behind the person, and colours that go on beyond it."""

import numpy as np

from vasa_jax.portrait import background_fill


def test_a_plain_background_is_filled_with_its_own_colour():
    image = np.full((60, 60, 3), (90, 140, 200), np.uint8)
    mask = np.zeros((60, 60), np.float32)
    mask[20:, 20:40] = 1
    image[20:, 20:40] = (10, 20, 30)
    filled, is_own = background_fill.fill_background(
        image, mask, np.ones((60, 60), bool)
    )
    np.testing.assert_allclose(filled, np.broadcast_to((90, 140, 200), (60, 60, 3)))
    assert not is_own[mask > 0].any()
    assert is_own[:10].all()


def test_what_is_filled_goes_no_further_than_the_margin():
    image = np.random.default_rng(0).integers(0, 255, (100, 100, 3)).astype(np.uint8)
    mask = np.zeros((100, 100), np.float32)
    mask[40:60, 40:60] = 1
    whole = np.ones((100, 100), bool)
    filled, is_own = background_fill.fill_background(image, mask, whole, margin=0.05)
    assert is_own[:34].all() and is_own[:, 66:].all()
    np.testing.assert_array_equal(filled[is_own], image[is_own])
    assert not is_own[36:64, 36:64].any()


def test_a_persons_colours_go_on_where_the_background_shines_through():
    image = np.zeros((20, 20, 3), np.uint8)
    image[:, :8] = (200, 100, 50)
    image[:, 8:10] = (100, 150, 125)
    mask = np.zeros((20, 20), np.float32)
    mask[:, :8], mask[:, 8:10] = 1, 0.5
    spread = background_fill.spread_person(image, mask)
    np.testing.assert_array_equal(spread, np.broadcast_to(image[0, 0], image.shape))


def test_without_a_person_the_picture_stays():
    image = np.random.default_rng(1).integers(0, 255, (8, 8, 3)).astype(np.uint8)
    nobody = np.zeros((8, 8), np.float32)
    np.testing.assert_array_equal(background_fill.spread_person(image, nobody), image)
