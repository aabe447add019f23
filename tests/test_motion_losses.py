"""Losses and normalisation of stage two against numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax import arkit
from vasa_jax.errors import UserError
from vasa_jax.motion import losses, normalization


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_the_motion_loss_is_the_weighted_mean_over_frames_of_the_mask():
    prediction, target = normal(0, 2, 5, 3), normal(1, 2, 5, 3)
    mask = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)
    weights = np.array([2.0, 1.0, 1.0], np.float32)
    expected = [
        np.average(
            (prediction[b] - target[b])[mask[b]] ** 2, axis=1, weights=weights
        ).mean()
        for b in range(2)
    ]
    out = losses.motion_loss(prediction, target, mask, jnp.asarray(weights))
    np.testing.assert_allclose(out, expected, rtol=1e-5)


def test_the_velocity_loss_ignores_a_constant_shift_but_not_at_the_seam():
    target = normal(2, 2, 6, 3)
    mask = np.ones((2, 6), bool)
    last = normal(3, 2, 3)
    out = losses.velocity_loss(
        jnp.asarray(target + 1.5),
        jnp.asarray(target),
        mask,
        jnp.asarray(last),
        np.array([True, False]),
        jnp.ones(3),
        seam_weight=4.0,
    )
    # One step of six is off by 1.5, and counts four times.
    np.testing.assert_allclose(out, [4 * 1.5**2 / 6, 0], atol=1e-5)


def test_padding_does_not_reach_the_velocity_loss():
    target = normal(4, 1, 6, 2)
    prediction = target.copy()
    prediction[:, 4:] += 9
    mask = np.arange(6)[None] < 4
    out = losses.velocity_loss(
        prediction,
        target,
        mask,
        jnp.zeros((1, 2)),
        np.array([False]),
        jnp.ones(2),
    )
    np.testing.assert_allclose(out, 0, atol=1e-6)


def movement_loss(prediction, target, mask, last=None):
    shown = np.full(2, last is not None)
    last = np.zeros((2, 3), np.float32) if last is None else last
    return losses.movement_loss(prediction, target, mask, last, shown)


def test_without_a_frame_before_the_movement_loss_is_blind_to_where_a_head_faces():
    target, error = normal(5, 2, 8, 3), normal(6, 2, 8, 3)
    mask = np.arange(8)[None] < np.array([[8], [5]])
    expected, moved = [], []
    for row in range(2):
        seen, truth = error[row][mask[row]], target[row][mask[row]]
        moved.append(seen.var(axis=0).mean())
        expected.append(moved[-1] / truth.var(axis=0).mean())
    shift = np.array([1.0, -2.0, 3.0], np.float32)[None, None]
    out = movement_loss(target + error + shift, target, mask)
    np.testing.assert_allclose(out, expected, rtol=1e-4)
    # Calmer, with an error as much smaller, is the same; a still head divides by 0.04.
    calm = movement_loss(0.3 * (target + error), 0.3 * target, mask)
    np.testing.assert_allclose(calm, expected, rtol=1e-4)
    still = movement_loss(0.1 * error, 0.0 * target, mask)
    np.testing.assert_allclose(still, 0.01 * np.array(moved) / 0.04, rtol=1e-4)
    np.testing.assert_array_equal(movement_loss(error, target, np.zeros_like(mask)), 0)


def test_with_a_frame_before_movement_is_told_from_it():
    target, error, last = normal(5, 2, 8, 3), normal(6, 2, 8, 3), normal(7, 2, 3)
    mask = np.ones((2, 8), bool)
    out = movement_loss(target + error, target, mask, last)
    expected = np.square(error).mean((1, 2))
    expected = expected / np.square(target - last[:, None]).mean((1, 2))
    np.testing.assert_allclose(out, expected, rtol=1e-4)
    stays = movement_loss(np.tile(last[:, None], (1, 8, 1)), target, mask, last)
    np.testing.assert_allclose(stays, 1.0, rtol=1e-5)
    # Moved together, frame before and window are the same movement.
    shift = np.array([1.0, -2.0, 3.0], np.float32)
    there = (x + shift[None, None] for x in (target + error, target))
    moved = movement_loss(*there, mask, last + shift[None])
    np.testing.assert_allclose(moved, expected, rtol=1e-3)


def test_the_lip_loss_weighs_closed_frames_more_and_sees_only_the_mouth():
    read = lambda dynamics: dynamics  # noqa: E731
    target = np.zeros((2, 4, 52), np.float32)
    target[1, :, arkit.LIP_CLOSURE[0]] = 1.0
    mask = np.ones((2, 4), bool)
    eyes, jaw = target.copy(), target.copy()
    eyes[..., arkit.index("eyeBlinkLeft")] += 0.5
    jaw[..., arkit.index("jawOpen")] += 0.5
    np.testing.assert_allclose(losses.lip_loss(eyes, target, mask, read, 4.0), 0)
    opened, closed = losses.lip_loss(jaw, target, mask, read, 4.0)
    np.testing.assert_allclose(opened, 0.25 / len(arkit.LIPS), rtol=1e-5)
    np.testing.assert_allclose(closed, 5 * opened, rtol=1e-5)


def test_no_gradient_of_the_lip_loss_reaches_the_truth():
    read = lambda dynamics: jnp.tile(dynamics, (1, 1, 52))  # noqa: E731
    gradient = jax.grad(
        lambda target: losses.lip_loss(
            jnp.ones((1, 3, 1)), target, jnp.ones((1, 3), bool), read, 4.0
        ).sum()
    )(jnp.zeros((1, 3, 1)))
    np.testing.assert_array_equal(gradient, 0)


def records(seed=0, count=5):
    generator = np.random.default_rng(seed)
    for length in generator.integers(3, 30, count):
        yield {
            "motion": generator.normal(3, [1, 2, 0.5, 1, 1, 1, 3, 0.2], (length, 8)),
            "audio_features": generator.normal(-1, 4, (length, 2)).astype(np.float16),
            "gaze": generator.normal(size=2),
            "head_distance": generator.normal(1, 0.1, 1),
        }


def test_statistics_over_records_equal_those_of_all_frames_at_once():
    statistics = normalization.measure(records(), 10)
    motion = np.concatenate([record["motion"] for record in records()])
    np.testing.assert_allclose(statistics.motion.mean, motion.mean(0), rtol=1e-5)
    deviation = statistics.motion.deviation
    np.testing.assert_allclose(deviation[6:], motion.std(0)[6:], rtol=1e-5)
    gaze = np.stack([record["gaze"] for record in records()])
    np.testing.assert_allclose(statistics.gaze.deviation, gaze.std(0), rtol=1e-5)


def test_head_pose_is_scaled_by_its_movement_but_facial_dynamics_are_not():
    clips = [dict(record) for record in records(count=40)]
    places = np.random.default_rng(1).normal(size=(40, 8)) * ([0, 3, 9] + [3] * 5)
    for clip, place in zip(clips, places, strict=True):
        clip["motion"] = clip["motion"] + place
    frames = np.concatenate([clip["motion"] for clip in clips])
    moved = [clip["motion"] - clip["motion"].mean(0) for clip in clips]
    moved, whole = np.concatenate(moved).std(0), frames.std(0)
    found = normalization.measure(clips, 10).motion.deviation
    np.testing.assert_allclose(found[:2], moved[:2], rtol=1e-5)
    # Where places tell more than five times as much apart, a fifth of them.
    np.testing.assert_allclose(found[2], whole[2] / 5, rtol=1e-5)
    np.testing.assert_allclose(found[6:], whole[6:], rtol=1e-5)


def test_denormalise_undoes_normalise():
    statistics = normalization.measure(records(), 10).motion
    motion = normal(5, 4, 7, 8)
    normalised = statistics.normalise(motion)
    np.testing.assert_allclose(statistics.denormalise(normalised), motion, atol=1e-5)


def test_a_channel_that_never_varies_stays_finite():
    still = [
        dict(record, motion=record["motion"] * ([1] * 7 + [0])) for record in records()
    ]
    statistics = normalization.measure(still, 10)
    assert np.isfinite(statistics.motion.normalise(normal(6, 4, 8))).all()
    constant = [{name: np.ones((3, 2)) for name in record} for record in records()]
    measured = normalization.measure(constant, 10)
    np.testing.assert_array_equal(measured.audio.deviation, 1)


def test_statistics_of_nothing_are_refused():
    with pytest.raises(UserError, match="no record at all"):
        normalization.measure([], 10)
