"""The contrastive loss against its closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.evaluation.networks import contrastive

LOSS = jax.jit(contrastive.contrastive_loss)


def _cross_entropy(logits, right):
    """Return what softmax cross entropy is, row by row, in plain numpy."""
    return [
        float(np.log(np.exp(row).sum()) - row[place])
        for row, place in zip(logits, right, strict=True)
    ]


def test_partners_that_are_like_all_others_cost_the_logarithm_of_their_number():
    alike = contrastive.unit(jnp.ones((5, 3)))
    found = LOSS(alike, alike, jnp.log(7.0))
    np.testing.assert_allclose(found, np.log(5.0), rtol=1e-5)


def test_orthogonal_partners_cost_what_the_temperature_says():
    scale = 3.0
    rows = jnp.eye(4)
    found = LOSS(rows, rows, jnp.log(scale))
    np.testing.assert_allclose(found, np.log(1 + 3 * np.exp(-scale)), rtol=1e-5)


def test_the_loss_is_cross_entropy_both_ways_and_extra_rows_count_one_way():
    generator = np.random.default_rng(0)
    first, second, more = (
        np.asarray(contrastive.unit(jnp.asarray(generator.normal(size=(n, 6)))))
        for n in (3, 3, 2)
    )
    across = first @ second.T
    forth = _cross_entropy(2.0 * np.hstack([across, first @ more.T]), range(3))
    back = _cross_entropy(2.0 * across.T, range(3))
    found = LOSS(first, second, jnp.log(2.0), more)
    np.testing.assert_allclose(found, np.add(forth, back) / 2, rtol=1e-5)


def test_the_scale_of_logits_never_exceeds_a_hundred():
    assert contrastive.logit_scale(jnp.asarray(9.0)) == pytest.approx(100.0)
    assert contrastive.logit_scale(jnp.asarray(1.0)) == pytest.approx(np.e, rel=1e-5)


def test_a_partner_is_found_where_it_is_nearest():
    rows = jnp.eye(3)
    swapped = rows[jnp.array([1, 0, 2])]
    found = contrastive.found_partner(rows, swapped)
    np.testing.assert_array_equal(found, [0, 0, 1])


def test_zeros_have_no_direction_and_stay_zeros():
    assert np.all(np.asarray(contrastive.unit(jnp.zeros((2, 3)))) == 0)
