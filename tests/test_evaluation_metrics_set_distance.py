"""The Frechet distance of feature sets against closed forms and SciPy."""

import numpy as np
import pytest

from vasa_jax import errors
from vasa_jax.evaluation.metrics import set_distance


def _draw(seed, count, channels, offset=0.0):
    generator = np.random.default_rng(seed)
    mix = generator.standard_normal((channels, channels))
    return generator.standard_normal((count, channels)) @ mix + offset


def _of_variances(mean, variances):
    """Return four rows of some mean and unbiased diagonal covariance."""
    signs = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    return mean + signs * np.sqrt(0.75 * np.array(variances))


def test_diagonal_gaussians_have_a_closed_form():
    a = _of_variances([1.0, 2.0], [4.0, 9.0])
    b = _of_variances([0.0, 4.0], [1.0, 25.0])
    np.testing.assert_allclose(np.cov(a.T), np.diag([4.0, 9.0]), atol=1e-9)
    assert set_distance.frechet_distance(a, b) == pytest.approx(
        1 + 4 + (2 - 1) ** 2 + (3 - 5) ** 2
    )
    assert set_distance.frechet_distance(a, a) < 1e-9


def test_a_large_mean_costs_no_digits():
    features = _draw(1, 23, 5)
    near = set_distance.frechet_distance(features[:12], features[12:])
    far = set_distance.frechet_distance(features[:12] + 1e6, features[12:] + 1e6)
    assert far == pytest.approx(near, rel=1e-6)


def test_the_distance_is_that_of_scipys_matrix_root():
    linalg = pytest.importorskip("scipy.linalg")
    x, y = _draw(2, 60, 8), _draw(3, 80, 8, offset=0.5)
    a, b = np.cov(x.T), np.cov(y.T)
    away = x.mean(axis=0) - y.mean(axis=0)
    expected = away @ away + np.trace(a + b - 2 * linalg.sqrtm(a @ b).real)
    found = set_distance.frechet_distance(x, y)
    assert found == pytest.approx(expected, rel=1e-9)


def test_fewer_clips_than_features_do_not_upset_the_root():
    x, y = _draw(4, 5, 40), _draw(5, 7, 40)
    # tr (A B)^(1/2) is the sum of singular values of the centred sets' product.
    p, q = x - x.mean(axis=0), y - y.mean(axis=0)
    root = np.linalg.svd(p @ q.T, compute_uv=False).sum() / np.sqrt(4 * 6)
    away = x.mean(axis=0) - y.mean(axis=0)
    expected = away @ away + (p**2).sum() / 4 + (q**2).sum() / 6 - 2 * root
    found = set_distance.frechet_distance(x, y)
    assert found == pytest.approx(expected, rel=1e-6)


def test_what_has_no_distance_is_refused():
    one, two = np.zeros((1, 3)), np.eye(3)
    with pytest.raises(errors.UserError, match="at least 2 clips in each set, not 1"):
        set_distance.frechet_distance(one, two)
    with pytest.raises(errors.UserError, match="3 and 4 features"):
        set_distance.frechet_distance(two, np.eye(4))
    with pytest.raises(ValueError, match="not finite"):
        set_distance.frechet_distance(two, np.full((2, 3), np.nan))


def test_sets_of_one_distribution_are_hundreds_apart_where_they_are_few():
    """With as many features as I3D has; so sets of other sizes tell nothing."""
    generator = np.random.default_rng(0)
    for count, least, most in ((32, 620, 660), (2048, 38, 42)):
        a, b = (generator.standard_normal((count, 400)) for _ in "ab")
        assert least < set_distance.frechet_distance(a, b) < most
