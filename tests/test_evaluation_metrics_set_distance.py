"""The Frechet distance of feature sets against closed forms and SciPy."""

import numpy as np
import pytest

from vasa_jax import errors
from vasa_jax.evaluation.metrics import set_distance

Moments = set_distance.Moments


def _draw(seed, count, channels, offset=0.0):
    generator = np.random.default_rng(seed)
    mix = generator.standard_normal((channels, channels))
    return generator.standard_normal((count, channels)) @ mix + offset


def test_moments_are_numpys_mean_and_unbiased_covariance():
    features = _draw(0, 30, 4)
    found = Moments.from_batch(features.reshape(5, 6, 4))
    assert found.count == 30
    np.testing.assert_allclose(found.mean, features.mean(axis=0))
    np.testing.assert_allclose(found.covariance(), np.cov(features.T))


def test_parts_with_filled_batches_merge_to_the_whole_even_far_from_zero():
    features = _draw(1, 23, 5, offset=1e6)
    whole = Moments.from_batch(features)
    merged = Moments.empty(5)
    for start in range(0, 23, 4):
        part = features[start : start + 4]
        filled = np.full((4, 5), np.nan)
        filled[: len(part)] = part
        mask = np.arange(4) < len(part)
        merged = merged.merge(Moments.from_batch(filled, mask))
    nobody = Moments.from_batch(np.full((4, 5), np.nan), np.zeros(4, bool))
    merged = nobody.merge(merged).merge(nobody)
    assert merged.count == whole.count
    np.testing.assert_allclose(merged.mean, whole.mean, rtol=1e-12)
    np.testing.assert_allclose(merged.scatter, whole.scatter, rtol=1e-6)
    assert set_distance.frechet_distance(whole, merged) < 1e-6


def test_diagonal_gaussians_have_a_closed_form():
    a = Moments(count=11, mean=np.array([1.0, 2.0]), scatter=10 * np.diag([4.0, 9.0]))
    b = Moments(count=6, mean=np.array([0.0, 4.0]), scatter=5 * np.diag([1.0, 25.0]))
    assert set_distance.frechet_distance(a, b) == pytest.approx(
        1 + 4 + (2 - 1) ** 2 + (3 - 5) ** 2
    )
    assert set_distance.frechet_distance(a, a) == 0


def test_the_distance_is_that_of_scipys_matrix_root():
    linalg = pytest.importorskip("scipy.linalg")
    x, y = _draw(2, 60, 8), _draw(3, 80, 8, offset=0.5)
    a, b = np.cov(x.T), np.cov(y.T)
    away = x.mean(axis=0) - y.mean(axis=0)
    expected = away @ away + np.trace(a + b - 2 * linalg.sqrtm(a @ b).real)
    found = set_distance.frechet_distance(Moments.from_batch(x), Moments.from_batch(y))
    assert found == pytest.approx(expected, rel=1e-9)


def test_fewer_clips_than_features_do_not_upset_the_root():
    x, y = _draw(4, 5, 40), _draw(5, 7, 40)
    # tr (A B)^(1/2) is the sum of singular values of the centred sets' product.
    p, q = x - x.mean(axis=0), y - y.mean(axis=0)
    root = np.linalg.svd(p @ q.T, compute_uv=False).sum() / np.sqrt(4 * 6)
    away = x.mean(axis=0) - y.mean(axis=0)
    expected = away @ away + (p**2).sum() / 4 + (q**2).sum() / 6 - 2 * root
    found = set_distance.frechet_distance(Moments.from_batch(x), Moments.from_batch(y))
    assert found == pytest.approx(expected, rel=1e-6)


def test_what_has_no_distance_is_refused():
    one = Moments.from_batch(np.zeros((1, 3)))
    two = Moments.from_batch(np.eye(3))
    with pytest.raises(errors.UserError, match="at least 2 clips in each set, not 1"):
        set_distance.frechet_distance(one, two)
    with pytest.raises(errors.UserError, match="3 and 4 features"):
        set_distance.frechet_distance(two, Moments.from_batch(np.eye(4)))
    with pytest.raises(ValueError, match="not finite"):
        Moments.from_batch(np.array([[0.0, np.nan]]))


def test_sets_of_one_distribution_are_hundreds_apart_where_they_are_few():
    """With as many features as I3D has; so sets of other sizes tell nothing."""
    generator = np.random.default_rng(0)
    for count, least, most in ((32, 620, 660), (2048, 38, 42)):
        a, b = (
            Moments.from_batch(generator.standard_normal((count, 400))) for _ in "ab"
        )
        assert least < set_distance.frechet_distance(a, b) < most
