"""Scores of curves against closed forms, alone, in padded batches and in shards."""

import numpy as np
import pytest

from vasa_jax import geometry
from vasa_jax.evaluation.metrics import (
    curves,
)

ALL = np.ones(100, bool)


@pytest.fixture(scope="module")
def curve():
    steps = np.random.default_rng(0).standard_normal(120)
    return np.convolve(steps, np.ones(5) / 5, mode="valid")


def waves(hertz, degrees, num_frames=100):
    """Yaw that swings, `[T, 3]` radians."""
    rotation = np.zeros((num_frames, 3))
    time = np.arange(num_frames) / 25
    rotation[:, 0] = np.radians(degrees) * np.sin(2 * np.pi * hertz * time)
    return rotation


def test_delta_pose_of_an_even_turn_is_its_speed_and_of_a_frozen_head_0():
    rotation = np.zeros((100, 3))
    rotation[:, 1] = np.radians(0.4) * np.arange(100)
    assert curves.delta_pose(rotation, ALL) == pytest.approx(0.4)
    assert curves.delta_pose(np.full((100, 3), 0.3), ALL) == 0


def test_a_jump_into_a_frame_that_does_not_count_is_left_out():
    rotation = np.zeros((10, 3))
    rotation[:, 0] = np.radians(0.5) * np.arange(10)
    rotation[4] = 1.0
    mask = np.arange(10) != 4
    assert curves.delta_pose(rotation, mask) == pytest.approx(0.5)


@pytest.mark.parametrize(
    "measure",
    [
        curves.delta_pose,
        curves.spread,
        curves.fast_movement,
        lambda r, m: curves.seam_ratio(r, m, 5),
        lambda r, m: curves.correlation(r[..., 0], r[..., 1], m, lag=2),
        lambda r, m: curves.count_blinks(r[..., 2] + 1, m),
    ],
    ids=["delta_pose", "spread", "jitter", "seams", "correlation", "blinks"],
)
def test_a_padded_batch_gives_what_each_clip_gives_alone(measure):
    generator = np.random.default_rng(1)
    clips = [generator.uniform(-0.4, 0.4, (n, 3)) for n in (30, 41, 25)]
    batch = np.full((3, 41, 3), 9.0)
    mask = np.zeros((3, 41), bool)
    for place, clip in enumerate(clips):
        batch[place, : len(clip)] = clip
        mask[place, : len(clip)] = True
    alone = [measure(clip, np.ones(len(clip), bool)) for clip in clips]
    np.testing.assert_allclose(measure(batch, mask), alone, rtol=1e-12)


def test_short_gaps_are_passed_straight_and_long_ones_are_not_known():
    values = np.arange(12.0)[:, None] * [1.0, -2.0]
    mask = np.array([0, 1, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0], bool)
    wild = np.where(mask[:, None], values, 77.0)
    found = curves.bridge_gaps(wild, mask, 2)
    unknown = np.array([0, 6, 7, 8, 11])
    assert np.isnan(found[unknown]).all()
    np.testing.assert_allclose(np.delete(found - values, unknown, axis=0), 0)
    np.testing.assert_allclose(curves.bridge_gaps(wild, mask, 3)[1:11], values[1:11])


def test_spread_is_numpys_deviation():
    values = np.random.default_rng(2).normal(size=(50, 3))
    expected = np.sqrt(values.var(axis=0).mean())
    assert curves.spread(values, np.ones(50, bool)) == pytest.approx(expected)


def test_jitter_counts_fast_movement_and_no_gap():
    fast, slow = waves(9, 1.0), waves(0.5, 8.0)
    found = np.degrees(curves.fast_movement(fast + slow, ALL))
    assert found == pytest.approx((1 / 6) ** 0.5, rel=0.05)
    assert np.degrees(curves.fast_movement(slow, ALL)) < 0.01
    broken = slow.copy()
    broken[50:52] = 1.0
    mask = ALL & (np.abs(np.arange(100) - 50.5) > 1)
    assert np.degrees(curves.fast_movement(broken, mask)) < 0.05


def test_a_jump_at_every_seam_shows_and_elsewhere_does_not():
    rotation = waves(1, 3.0)
    even = curves.seam_ratio(rotation, ALL, 20)
    rotation[:, 1] = np.radians(4.0) * (np.arange(100) // 20)
    assert curves.seam_ratio(rotation, ALL, 20) > 4 * even
    assert curves.seam_ratio(rotation, ALL, 17) < 1.0
    assert np.isnan(curves.seam_ratio(rotation[:10], ALL[:10], 20))


@pytest.mark.parametrize("lag", [-3, 0, 4])
def test_correlation_is_1_at_the_lag_of_a_late_curve_and_lower_beside_it(lag):
    late = np.random.default_rng(3).normal(size=100)
    early = np.roll(late, -lag)
    assert curves.correlation(late, early, ALL, lag) == pytest.approx(1)
    assert curves.correlation(late, early, ALL, lag + 1) < 0.5
    assert curves.correlation(late, np.zeros(100), ALL) == 0


def test_blinks_are_counted_and_small_dips_are_not():
    eyes = np.full(100, 0.34)
    eyes[[20, 21, 60]] = 0.2, 0.22, 0.18
    eyes[40:43] = 0.29
    eyes[61] = 0.27
    assert curves.count_blinks(eyes, ALL) == 2
    assert curves.minutes(ALL) == pytest.approx(4 / 60)


def test_a_blink_counts_where_it_begins():
    eyes = np.full(100, 0.2)
    eyes[97:] = 0.1
    assert curves.count_blinks(eyes, ALL) == 1
    assert curves.count_blinks(eyes[::-1], ALL) == 0


def test_the_error_of_a_gaze_is_the_angle_between_directions():
    aim = np.radians([[10.0, 0.0], [0.0, 12.0], [0.0, 0.0]])
    found = curves.direction_error(np.zeros((3, 2)), aim)
    np.testing.assert_allclose(found, [10, 12, 0], atol=1e-6)


def test_correlation_is_numpys_and_zero_where_nothing_moves(curve):
    other = curve[::-1] + 0.5 * curve
    expected = np.corrcoef(curve, other)[0, 1]
    assert curves.correlation(curve, other) == pytest.approx(expected)
    assert curves.correlation(curve, np.full_like(curve, 3.0)) == 0


def test_shifting_the_truth_lowers_the_correlation(curve):
    assert curves.correlation(curve, 2 * curve + 1) == pytest.approx(1)
    assert abs(curves.shifted_correlation(curve, 2 * curve + 1)) < 0.4


@pytest.mark.parametrize("lag", [-4, 0, 3])
def test_the_best_lag_is_by_how_much_a_curve_comes_late(curve, lag):
    assert curves.best_lag(np.roll(curve, lag), curve) == lag


def test_angles_are_those_of_the_turn_between_two_rotations():
    generator = np.random.default_rng(1)
    a, b = generator.uniform(-0.6, 0.6, (2, 5, 3)).astype(np.float32)
    turn = np.einsum(
        "nij,nkj->nik", geometry.rotation_matrix(a), geometry.rotation_matrix(b)
    )
    expected = np.degrees(np.arccos((np.trace(turn, axis1=1, axis2=2) - 1) / 2))
    np.testing.assert_allclose(curves.angles_between(a, b), expected, rtol=1e-3)


def test_an_offset_of_the_heads_own_frame_is_found_and_taken_out():
    generator = np.random.default_rng(4)
    truth = generator.uniform(-0.5, 0.5, (40, 3)).astype(np.float32)
    own = np.float32([0.01, 0.1, -0.02])
    turned = geometry.rotation_matrix(truth) @ geometry.rotation_matrix(own)
    noise = generator.normal(0, 0.01, (40, 3))
    seen = np.asarray(geometry.rotation_angles(turned)) + noise
    offset = curves.mean_offset(seen, truth)
    np.testing.assert_allclose(offset, geometry.rotation_matrix(own), atol=0.01)
    assert curves.angles_between(seen, truth).mean() > 5
    left = curves.without_offset(seen, offset)
    assert curves.angles_between(left, truth).mean() < 1.5
    mirrored = curves.mean_offset(truth * np.float32([1, -1, 1]), truth)
    assert np.linalg.det(mirrored) == pytest.approx(1)


def test_jitter_counts_fast_movement_and_not_slow():
    time = np.arange(100) / 25
    fast, slow = np.sin(2 * np.pi * 10 * time), np.sin(2 * np.pi * time)
    assert curves.fast_movement((fast + 5 * slow)[:, None]) == pytest.approx(
        0.5**0.5, rel=0.05
    )
    assert curves.fast_movement(slow[:, None]) < 1e-3
