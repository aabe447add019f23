"""Scores of curves against closed forms, alone, in padded batches and in shards."""

import numpy as np
import pytest

from vasa_jax.evaluation.metrics import curves, definition, frame_similarity

ALL = np.ones(100, bool)


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


def test_ssim_is_that_of_windows_weighed_one_by_one():
    generator = np.random.default_rng(4)
    image, truth = generator.integers(0, 256, (2, 13, 12, 3)).astype(np.uint8)
    x, y = (one.astype(float) @ [0.299, 0.587, 0.114] for one in (image, truth))
    away = np.arange(-5, 6)
    window = np.exp(-(away[:, None] ** 2 + away**2) / (2 * 1.5**2))
    window /= window.sum()
    found = []
    for row in range(3):
        for column in range(2):
            a, b = (one[row : row + 11, column : column + 11] for one in (x, y))
            mean_a, mean_b = (window * a).sum(), (window * b).sum()
            var_a = (window * (a - mean_a) ** 2).sum()
            var_b = (window * (b - mean_b) ** 2).sum()
            both = (window * (a - mean_a) * (b - mean_b)).sum()
            light = (2 * mean_a * mean_b + 6.5025) / (mean_a**2 + mean_b**2 + 6.5025)
            found.append(light * (2 * both + 58.5225) / (var_a + var_b + 58.5225))
    assert frame_similarity.ssim(image, truth) == pytest.approx(np.mean(found))
    assert frame_similarity.ssim(image[None], image[None]) == pytest.approx([1.0])


def measured(values):
    score = definition.Score(*map(float, values))
    return definition.Measured(scores={"m": score})


def states(count):
    values = np.random.default_rng(5).normal(3.0, 1.0, (count, 3))
    return {f"clip{i:02d}": measured(values[i]) for i in range(count)}


def test_shards_in_any_order_give_bit_for_bit_what_one_process_gives():
    clips = states(11)
    whole = definition.summarise(definition.State(clips).scores("m"))
    merged = definition.State()
    for shard in (slice(2, None, 3), slice(0, None, 3), slice(1, None, 3)):
        part = definition.State(dict(list(clips.items())[shard]))
        merged = part.merge(merged)
    assert definition.summarise(merged.scores("m")) == whole
    assert whole.low < whole.mean < whole.high
    assert whole.num_clips == 11
    with pytest.raises(ValueError, match="in both parts"):
        merged.merge(merged)


def test_clips_that_were_left_out_are_not_known_and_have_no_scores():
    out = definition.Measured(left_out="it has no sound")
    state = definition.State({"b": measured([1, 2, 3]), "a": out})
    assert state.known() == [state.clips["b"]]
    assert list(state.scores("m")) == ["b"]


def test_floor_and_ceiling_are_of_the_clips_that_the_mean_is_of():
    scores = {
        "a": definition.Score(1.0, 0.0, 5.0),
        "b": definition.Score(np.nan, 100.0, 100.0),
        "c": definition.Score(3.0, 0.2),
    }
    found = definition.summarise(scores)
    assert (found.mean, found.floor, found.ceiling) == (2.0, 0.1, 5.0)
    assert (found.num_clips, found.num_floors, found.num_ceilings) == (2, 2, 1)
    assert list(found.values) == ["a", "c"]


def test_one_clip_has_no_interval_and_none_no_mean():
    one = definition.summarise({"a": definition.Score(2.0)})
    assert (one.mean, one.low, one.num_clips) == (2.0, None, 1)
    assert definition.summarise({}) == definition.Summary()
