"""The crop cuts, resamples and pastes as plain arithmetic says."""

import numpy as np
import PIL.Image
import pytest

from vasa_jax.portrait import crop, resample


def _ramp(height, width):
    """An image whose first two channels are linear in x and y, at pixel centres."""
    y, x = np.mgrid[0:height, 0:width] + 0.5
    return np.stack([x, y, np.full_like(x, 100)], axis=-1).astype(np.float32)


def _noise(height, width, seed=0):
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (height, width, 3)).astype(np.uint8)


@pytest.mark.parametrize("size", [10, 23, 40, 90])
def test_a_window_of_a_linear_image_is_linear(size):
    window = resample.sample_window(_ramp(200, 150), 40.25, 60.5, 50, 50, size, size)
    centres = (np.arange(size) + 0.5) * 50 / size
    a_twentieth_of_a_pixel = 0.05
    np.testing.assert_allclose(
        window[3, :, 0], 40.25 + centres, atol=a_twentieth_of_a_pixel
    )
    np.testing.assert_allclose(
        window[:, 3, 1], 60.5 + centres, atol=a_twentieth_of_a_pixel
    )
    np.testing.assert_allclose(window[..., 2], 100, atol=1e-3)


def test_a_window_on_whole_pixels_copies_them():
    image = _noise(30, 40)
    window = resample.sample_window(image, 5, 7, 20, 10, 10, 20)
    np.testing.assert_allclose(window, image[7:17, 5:25], atol=1e-4)


def test_shrinking_averages_a_fine_checkerboard():
    y, x = np.mgrid[0:400, 0:400]
    board = (255 * ((x + y) % 2)).astype(np.uint8)[..., None]
    for size in (30, 90, 170):
        window = resample.sample_window(board, 0, 0, 400, 400, size, size)
        np.testing.assert_allclose(window, 127.5, atol=8)


@pytest.mark.parametrize("pixel", [0.7, 1.0, 5.3])
def test_a_turned_sample_of_a_linear_image_follows_the_matrix(pixel):
    angle = 0.4
    cos, sin = np.cos(angle) * pixel, np.sin(angle) * pixel
    matrix = np.array([[cos, -sin, 120.0], [sin, cos, 90.0]])
    sampled = resample.sample_affine(_ramp(400, 400), matrix, 16, 16)
    for row, column in ((0, 0), (3, 11), (15, 15)):
        expected = matrix @ np.array([column + 0.5, row + 0.5, 1])
        np.testing.assert_allclose(sampled[row, column, :2], expected, atol=1e-3)


def test_beyond_the_picture_its_edge_goes_on_and_grows_blurred():
    image = _noise(40, 60)
    box = crop.CropBox(center_x=0, center_y=20, half_size=20)
    cut = crop.extract(image, box, 40)
    np.testing.assert_array_equal(cut[:, 20:], image[:, :20])

    def roughness(column):
        return np.abs(np.diff(cut[:, column].astype(int), axis=0)).mean()

    assert np.abs(cut[:, 19].astype(int) - image[:, 0]).mean() < roughness(20) / 3
    assert roughness(19) > roughness(18) > roughness(17)
    assert roughness(10) < roughness(20) / 4
    assert crop.share_outside(box, 40, 60) == 0.5


@pytest.mark.parametrize("degrees", [-35, 20, 90])
def test_a_turned_crop_shows_what_a_turned_picture_does(degrees):
    image = np.rint(_ramp(200, 240)).astype(np.uint8)
    box = crop.CropBox(
        center_x=120, center_y=90, half_size=40, angle=np.deg2rad(degrees)
    )
    cut = crop.extract(image, box, 80)
    turned = PIL.Image.fromarray(image).rotate(
        degrees, PIL.Image.Resampling.BICUBIC, center=(120, 90)
    )
    expected = np.asarray(turned).astype(int)[50:130, 80:160]
    assert np.abs(cut - expected).max() <= 2
    pasted = crop.paste(image, box, cut)
    assert np.abs(pasted.astype(int) - image).max() <= 2
    marked = crop.paste(image, box, np.zeros_like(cut))
    far = np.hypot(*(np.mgrid[:200, :240] - np.array([90, 120])[:, None, None])) > 57
    np.testing.assert_array_equal(marked[far], image[far])
    assert not marked[80:100, 110:130].any()


def test_pasting_what_was_cut_changes_nothing():
    image = _noise(60, 80)
    box = crop.CropBox(center_x=35, center_y=28, half_size=32)
    pasted = crop.paste(image, box, crop.extract(image, box, 64))
    np.testing.assert_array_equal(pasted, image)


def test_pasting_a_smooth_crop_of_another_size_changes_little():
    image = np.rint(_ramp(100, 120)).astype(np.uint8)
    box = crop.CropBox(center_x=51.3, center_y=47.9, half_size=33.6)
    pasted = crop.paste(image, box, crop.extract(image, box, 48))
    assert np.abs(pasted.astype(int) - image).max() <= 1


def test_pasting_into_a_large_picture_shows_the_enlarged_face():
    image = _noise(400, 300)
    face = _noise(48, 48, seed=1)
    box = crop.CropBox(center_x=150, center_y=200, half_size=140)
    pasted = crop.paste(image, box, face)
    enlarged = resample.sample_window(face, 0, 0, 48, 48, 280, 280)
    np.testing.assert_allclose(
        pasted[160:250, 110:190], enlarged[100:190, 100:180], atol=0.51
    )


def test_pasting_shows_the_face_inside_and_the_picture_outside():
    image = np.zeros((100, 100, 3), np.uint8)
    face = np.full((32, 32, 3), 200, np.uint8)
    box = crop.CropBox(center_x=50, center_y=50, half_size=20)
    pasted = crop.paste(image, box, face, feather=0.25)
    assert (pasted[36:64, 36:64] == 200).all()
    assert (pasted[:30] == 0).all() and (pasted[:, 70:] == 0).all()
    across = pasted[50, 30:50, 0].astype(int)
    assert (np.diff(across) >= 0).all() and np.abs(np.diff(across)).max() < 80


def test_a_mask_hides_what_it_leaves_out():
    image = _noise(64, 64)
    box = crop.CropBox(center_x=32, center_y=32, half_size=32)
    mask = np.zeros((32, 32), np.float32)
    face = np.full((32, 32, 3), 255, np.uint8)
    np.testing.assert_array_equal(crop.paste(image, box, face, mask=mask), image)


def test_a_box_outside_of_the_picture_pastes_nothing():
    image = _noise(20, 20)
    box = crop.CropBox(center_x=100, center_y=100, half_size=10)
    pasted = crop.paste(image, box, np.zeros((8, 8, 3), np.uint8))
    np.testing.assert_array_equal(pasted, image)
