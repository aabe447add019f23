"""Weights of losses that change with the steps, and which schedules are refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.errors import UserError
from vasa_jax.face.losses import loss_weights
from vasa_jax.train import loss_schedule


def _ramp(**changes):
    given = {"term": "flow", "first_step": 10, "last_step": 30, "last": 0.2}
    return loss_schedule.Ramp(**{**given, **changes})


def test_a_weight_goes_in_a_straight_line_between_two_steps():
    steps = np.array([0, 10, 15, 20, 30, 99])
    found = [float(loss_schedule.factor([_ramp()], "flow", step)) for step in steps]
    np.testing.assert_allclose(found, np.interp(steps, [10, 30], [1.0, 0.2]), rtol=1e-6)
    assert loss_schedule.factor([_ramp()], "other", 5) == 1.0


def test_two_ramps_of_a_term_multiply():
    ramps = [_ramp(first=0.0, last=1.0), _ramp(first_step=20, last_step=40, last=0.5)]
    assert float(loss_schedule.factor(ramps, "flow", 30)) == pytest.approx(1.0 * 0.75)


def test_terms_are_summed_by_their_weight_at_the_step():
    weights = loss_weights.FaceLossConfig(schedule=(_ramp(),))
    terms = {"flow": jnp.array(2.0), "reconstruction": jnp.array(3.0)}
    total = jax.jit(lambda step: loss_schedule.weighted_sum(weights, terms, step))
    assert float(total(20)) == pytest.approx(30.0 * 0.6 * 2.0 + 4.0 * 3.0)


@pytest.mark.parametrize(
    "ramp, sentence",
    [
        ({"term": "flwo"}, "did you mean 'flow'"),
        ({"term": "perceptual"}, "whose weight is 0"),
        ({"term": "expensive_every"}, "Unknown term"),
        ({"last_step": 10}, "a last step after the first"),
        ({"last": -1.0}, "0 or more"),
    ],
)
def test_a_ramp_that_fits_no_term_is_refused(ramp, sentence):
    with pytest.raises(UserError, match=sentence):
        loss_weights.FaceLossConfig(schedule=(_ramp(**ramp),))
    with pytest.raises(UserError, match="did you mean 'gaze'"):
        loss_weights.FaceLossConfig(schedule=(_ramp(term="gazee"),))
