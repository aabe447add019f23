"""Metric states: merged parts equal the whole, and numpy agrees."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.train import metric_states, sharding


def _data(seed=0, count=60):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 3)) * [1, 2, 0.1] + [50, 0, 3]
    y = 0.5 * x + rng.normal(size=(count, 3))
    mask = rng.uniform(size=count) < 0.7
    return x.astype(np.float32), y.astype(np.float32), mask


def _merged(make, *arrays, parts=4):
    cuts = [7, 20, 45]
    pieces = zip(*(np.split(array, cuts) for array in arrays), strict=True)
    states = [make(*map(jnp.asarray, piece)) for piece in pieces]
    return functools.reduce(lambda a, b: a.merge(b), states)


def test_a_merged_mean_is_the_mean_under_the_mask():
    x, _, mask = _data()
    state = _merged(metric_states.Mean.from_batch, x, mask)
    np.testing.assert_allclose(state.compute(), x[mask].mean(), rtol=1e-6)


def test_a_masked_value_may_be_anything():
    values = jnp.array([1.0, jnp.nan, 3.0])
    state = metric_states.Mean.from_batch(values, jnp.array([1, 0, 1]))
    assert state.compute() == 2.0


def test_the_mean_of_nothing_is_zero():
    state = metric_states.Mean.from_batch(jnp.ones(3), jnp.zeros(3))
    assert state.compute() == 0.0


def test_a_merged_correlation_is_that_of_the_whole():
    x, y, mask = _data()
    state = _merged(metric_states.Correlation.from_batch, x, y, mask)
    expected = [np.corrcoef(x[mask, c], y[mask, c])[0, 1] for c in range(3)]
    np.testing.assert_allclose(state.compute(), expected, atol=1e-5)


def test_the_correlation_with_a_constant_is_zero():
    x = jnp.arange(5.0)[:, None]
    state = metric_states.Correlation.from_batch(x, jnp.ones((5, 1)))
    assert state.compute() == 0.0


def test_a_part_without_weight_changes_nothing():
    x, y, mask = map(jnp.asarray, _data())
    state = metric_states.Correlation.from_batch(x, y, mask)
    empty = metric_states.Correlation.from_batch(x, y, jnp.zeros_like(mask))
    for merged in (state.merge(empty), empty.merge(state)):
        np.testing.assert_allclose(merged.compute(), state.compute(), atol=1e-6)


def test_merged_moments_are_those_of_the_whole():
    x, _, mask = _data()
    mean, covariance = _merged(metric_states.Moments.from_batch, x, mask).compute()
    np.testing.assert_allclose(mean, x[mask].mean(axis=0), rtol=1e-5)
    expected = np.cov(x[mask].astype(np.float64), rowvar=False, bias=True)
    np.testing.assert_allclose(covariance, expected, atol=1e-3)


def test_a_padded_batch_over_eight_devices_gives_what_one_device_gives_unpadded():
    x, y, mask = _data(count=61)
    filling = np.full((3, 3), np.nan, np.float32)
    padded = np.concatenate([x, filling]), np.concatenate([y, filling])
    counts = np.concatenate([mask, np.zeros(3, bool)])

    @jax.jit
    def states(x, y, mask):
        return (
            metric_states.Mean.from_batch(x, mask).compute(),
            metric_states.Correlation.from_batch(x, y, mask).compute(),
            *metric_states.Moments.from_batch(x, mask).compute(),
        )

    rows = jax.NamedSharding(sharding.make_mesh(), jax.P("data"))
    arrays = jax.device_put((*padded, counts), rows)
    assert len(arrays[0].addressable_shards) == 8
    mean, correlation, means, covariance = states(*arrays)
    kept_x, kept_y = x[mask].astype(np.float64), y[mask].astype(np.float64)
    np.testing.assert_allclose(mean, kept_x.mean(), rtol=1e-6)
    pairs = [np.corrcoef(kept_x[:, c], kept_y[:, c])[0, 1] for c in range(3)]
    np.testing.assert_allclose(correlation, pairs, atol=1e-5)
    np.testing.assert_allclose(means, kept_x.mean(axis=0), rtol=1e-5)
    expected = np.cov(kept_x, rowvar=False, bias=True)
    np.testing.assert_allclose(covariance, expected, atol=1e-3)


def test_frames_and_rows_count_alike():
    x, y, _ = _data()
    flat = metric_states.Correlation.from_batch(x, y).compute()
    framed = metric_states.Correlation.from_batch(
        x.reshape(6, 10, 3), y.reshape(6, 10, 3), jnp.ones((6, 10))
    )
    np.testing.assert_allclose(framed.compute(), flat, atol=1e-5)


def test_the_frechet_distance_of_diagonal_gaussians_has_a_closed_form():
    mean_a, mean_b = np.array([1.0, 2.0]), np.array([0.0, 4.0])
    spread_a, spread_b = np.array([1.0, 3.0]), np.array([2.0, 0.5])
    distance = metric_states.frechet_distance(
        mean_a, np.diag(spread_a**2), mean_b, np.diag(spread_b**2)
    )
    expected = np.sum((mean_a - mean_b) ** 2) + np.sum((spread_a - spread_b) ** 2)
    assert distance == pytest.approx(expected)


def test_the_frechet_distance_agrees_with_the_eigenvalues_of_the_product():
    x, y, _ = _data()
    (mean_x, a), (mean_y, b) = (
        (s.mean(axis=0), np.cov(s, rowvar=False)) for s in np.float64((x, y))
    )
    distance = metric_states.frechet_distance(mean_x, a, mean_y, b)
    # The trace of the root of a product is the sum of the roots of its eigenvalues.
    roots = np.sqrt(np.linalg.eigvals(a @ b).real)
    away = mean_x - mean_y
    expected = away @ away + np.trace(a + b) - 2 * roots.sum()
    assert float(distance) == pytest.approx(expected, rel=1e-9)


def test_equal_sets_have_no_frechet_distance():
    x, _, _ = _data()
    mean, covariance = metric_states.Moments.from_batch(jnp.asarray(x)).compute()
    distance = metric_states.frechet_distance(mean, covariance, mean, covariance)
    assert float(distance) == pytest.approx(0.0, abs=1e-4)
