"""Schedules, rates by path, freezing, clipping and averages against numpy."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.errors import UserError
from vasa_jax.train import optimizer

SETTINGS = optimizer.OptimizerConfig(
    learning_rate=0.1,
    final_fraction=1.0,  # no fall
    warmup_steps=0,
    weight_decay=0.0,
    clip_norm=None,
)


def _params():
    layer = {"kernel": jnp.ones((2, 3)), "bias": jnp.ones(3)}
    return {"stem": layer, "stem_wide": layer, "head": {"inner": layer}}


def _step(settings, gradients=None, num_steps=1):
    params = _params()
    chain = optimizer.make(settings, 100, params)
    state = chain.init(params)
    gradients = gradients or jax.tree.map(lambda p: 0.5 * p, params)
    for _ in range(num_steps):
        updates, state = chain.update(gradients, state, params)
        params = jax.tree.map(jnp.add, params, updates)
    return params, state


def test_the_schedule_rises_and_falls_to_its_fraction():
    settings = dataclasses.replace(SETTINGS, warmup_steps=9, final_fraction=0.2)
    fraction = optimizer.schedule(settings, 109)
    assert float(fraction(0)) == pytest.approx(0.1)
    assert float(fraction(9)) == pytest.approx(1.0)
    assert float(fraction(59)) == pytest.approx(0.6)
    assert float(fraction(109)) == pytest.approx(0.2)
    assert float(fraction(10_000)) == pytest.approx(0.2)


def test_without_a_warmup_the_first_step_is_at_the_peak():
    fraction = optimizer.schedule(
        dataclasses.replace(SETTINGS, final_fraction=0.2), 100
    )
    assert float(fraction(0)) == 1.0
    assert float(fraction(50)) == pytest.approx(0.6)


def test_adam_steps_as_numpy_says():
    settings = dataclasses.replace(SETTINGS, beta1=0.5, beta2=0.9, weight_decay=0.3)
    params, _ = _step(settings, num_steps=3)
    kernel, bias = 1.0, 1.0
    first, second = 0.0, 0.0
    for step in range(1, 4):
        first = 0.5 * first + 0.5 * 0.5
        second = 0.9 * second + 0.1 * 0.25
        change = (first / (1 - 0.5**step)) / (np.sqrt(second / (1 - 0.9**step)) + 1e-8)
        kernel -= 0.1 * (change + 0.3 * kernel)
        bias -= 0.1 * change  # biases do not decay
    np.testing.assert_allclose(params["stem"]["kernel"], kernel, rtol=1e-5)
    np.testing.assert_allclose(params["stem"]["bias"], bias, rtol=1e-5)


def test_the_longest_path_that_fits_gives_the_rate():
    settings = dataclasses.replace(
        SETTINGS,
        rates=(
            optimizer.PathRate(path="stem", learning_rate=None),
            optimizer.PathRate(path="head", learning_rate=0.3),
            optimizer.PathRate(path="head/inner/bias", learning_rate=0.5),
        ),
    )
    params, _ = _step(settings)
    assert float(params["stem"]["kernel"][0, 0]) == 1.0
    assert float(params["stem_wide"]["kernel"][0, 0]) == pytest.approx(0.9, abs=1e-5)
    inner = params["head"]["inner"]
    assert float(inner["kernel"][0, 0]) == pytest.approx(0.7, abs=1e-5)
    assert float(inner["bias"][0]) == pytest.approx(0.5, abs=1e-5)


def test_frozen_parameters_have_no_state_and_do_not_count_in_the_norm():
    settings = dataclasses.replace(
        SETTINGS,
        learning_rate=None,
        rates=(optimizer.PathRate(path="head", learning_rate=0.1),),
        clip_norm=1.0,
    )
    gradients = jax.tree.map(lambda p: jnp.full_like(p, 1e6), _params())
    gradients["head"] = jax.tree.map(lambda p: 1e-3 * jnp.ones_like(p), _params())[
        "head"
    ]
    params, state = _step(settings, gradients)
    moments = [leaf for leaf in jax.tree.leaves(state) if leaf.ndim == 2]
    assert len(moments) == 2  # both moments of the one kernel that is trained
    np.testing.assert_allclose(moments[0], 0.5 * 1e-3, rtol=1e-5)  # not clipped
    assert float(params["stem"]["kernel"][0, 0]) == 1.0


def test_gradients_are_clipped_to_the_norm():
    settings = dataclasses.replace(SETTINGS, clip_norm=1.0)
    gradients = jax.tree.map(lambda p: jnp.full_like(p, 100.0), _params())
    _, state = _step(settings, gradients)
    moment = next(leaf for leaf in jax.tree.leaves(state) if leaf.ndim == 2)
    np.testing.assert_allclose(moment, 0.5 / np.sqrt(27), rtol=1e-5)


def test_an_unknown_path_fails_with_the_nearest():
    settings = dataclasses.replace(
        SETTINGS, rates=(optimizer.PathRate(path="haed", learning_rate=0.1),)
    )
    with pytest.raises(UserError, match="did you mean 'head/inner'"):
        optimizer.make(settings, 100, _params())


def test_a_group_that_is_frozen_altogether_is_refused():
    with pytest.raises(UserError, match="is frozen"):
        optimizer.make(
            dataclasses.replace(SETTINGS, learning_rate=None), 100, _params()
        )


def test_the_average_has_a_short_memory_at_first():
    average, value = {"x": jnp.array(0.0)}, {"x": jnp.array(1.0)}
    young = optimizer.update_average(average, value, 0.99, jnp.array(0))
    old = optimizer.update_average(average, value, 0.99, jnp.array(100_000))
    assert float(young["x"]) == pytest.approx(0.9)
    assert float(old["x"]) == pytest.approx(0.01)


def test_a_warmup_below_zero_is_refused():
    with pytest.raises(UserError, match="warmup_steps is -1"):
        dataclasses.replace(SETTINGS, warmup_steps=-1)
