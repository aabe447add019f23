"""Compiled loops sample frames as plain numpy does, bit for bit."""

import numpy as np
import pytest

pytest.importorskip("numba")

from datasets.video_clips import sampling
from vasa_jax.portrait import resample


@pytest.fixture(scope="module")
def frame():
    return np.random.default_rng(0).integers(0, 256, (90, 130, 3), np.uint8)


@pytest.mark.parametrize("pixel", [0.4, 1.0, 2.7, 5.3])
@pytest.mark.parametrize("corner", [(20.0, 10.0), (-9.5, -30.0), (110.0, 70.0)])
@pytest.mark.parametrize("angle", [0.0, -0.6])
def test_a_turned_rectangle_has_the_same_bits(frame, pixel, corner, angle):
    turn = pixel * resample.rotation_2d(angle)
    matrix = np.concatenate([turn, np.array(corner)[:, None]], axis=1)
    sampled = sampling.sample_affine(frame, matrix, 31, 23)
    expected = resample.sample_affine(frame, matrix, 31, 23)
    np.testing.assert_array_equal(sampled, expected)
    assert sampled.dtype == np.float32 and np.ptp(expected) > 0


@pytest.mark.parametrize("side", [11.3, 64.0, 88.7, 700.0])
@pytest.mark.parametrize("corner", [(20.25, 1.0), (-9.5, -30.0), (110.0, 70.0)])
def test_a_window_has_the_same_bits(frame, side, corner):
    window = (frame, *corner, side, side, 27, 32)
    sampled = sampling.sample_window(*window)
    expected = resample.sample_window(*window)
    np.testing.assert_array_equal(sampled, expected)
    assert sampled.dtype == np.float32 and np.ptp(expected) > 0


def test_a_view_of_a_larger_picture_is_sampled_as_well(frame):
    view, matrix = frame[5:, ::-1], np.array([[1.5, 0, 3], [0, 1.5, 4]])
    np.testing.assert_array_equal(
        sampling.sample_affine(view, matrix, 20, 20),
        resample.sample_affine(view, matrix, 20, 20),
    )
    window = (view, 3.5, 4.25, 50.0, 50.0, 20, 20)
    np.testing.assert_array_equal(
        sampling.sample_window(*window), resample.sample_window(*window)
    )


def test_a_picture_of_one_row_or_column_is_sampled_as_well(frame):
    matrix = np.array([[0.5, 0, 0], [0, 0.5, 0]])
    for thin in (frame[:1], frame[:, :1]):
        np.testing.assert_array_equal(
            sampling.sample_affine(thin, matrix, 8, 8),
            resample.sample_affine(thin, matrix, 8, 8),
        )
