"""What the denoiser sees, does not see, and how large it is."""

import dataclasses

import jax
import jax.numpy as jnp
import motion_windows
import numpy as np
import pytest
from test_motion_sampler import some_conditions

from vasa_jax import types
from vasa_jax.errors import UserError
from vasa_jax.motion import conditions, config, denoiser, diffusion

TINY = dataclasses.replace(config.tiny(), window_frames=6, previous_frames=2)


def tiny_conditions(batch=2):
    return some_conditions(
        batch,
        TINY.window_frames,
        TINY.previous_frames,
        TINY.num_motion_channels,
        TINY.num_audio_channels,
    )


def inputs(batch=2):
    shape = (batch, TINY.window_frames, TINY.num_motion_channels)
    noisy = jax.random.normal(jax.random.key(5), shape)
    return noisy, jnp.arange(batch) * 30 + 10, tiny_conditions(batch)


@pytest.fixture(scope="module")
def variables():
    module = denoiser.MotionDenoiser(TINY)
    return motion_windows.filled(
        jax.eval_shape(module.init, jax.random.key(0), *inputs())
    )


@jax.jit
def predict(variables, noisy, step, given):
    return denoiser.MotionDenoiser(TINY).apply(variables, noisy, step, given)


def count_parameters(sizes):
    module = denoiser.MotionDenoiser(sizes)
    given = jax.eval_shape(
        lambda: some_conditions(
            1,
            sizes.window_frames,
            sizes.previous_frames,
            sizes.num_motion_channels,
            sizes.num_audio_channels,
        )
    )
    noisy = jax.ShapeDtypeStruct(
        (1, sizes.window_frames, sizes.num_motion_channels), jnp.float32
    )
    step = jax.ShapeDtypeStruct((1,), jnp.int32)
    shapes = jax.eval_shape(module.init, jax.random.key(0), noisy, step, given)
    return sum(leaf.size for leaf in jax.tree.leaves(shapes))


def test_the_presets_have_their_published_sizes():
    assert 27e6 < count_parameters(config.vasa1()) < 30e6
    assert 4e6 < count_parameters(config.demo()) < 6e6
    assert count_parameters(config.tiny()) < 0.5e6


def test_half_precision_computes_but_neither_stores_nor_returns(variables):
    module = denoiser.MotionDenoiser(dataclasses.replace(TINY, dtype="bfloat16"))
    shapes = jax.eval_shape(module.init, jax.random.key(0), *inputs())
    assert {leaf.dtype for leaf in jax.tree.leaves(shapes)} == {jnp.dtype("float32")}
    out = jax.eval_shape(module.apply, variables, *inputs())
    assert out.shape == inputs()[0].shape and out.dtype == jnp.float32


def test_rows_of_a_batch_do_not_see_one_another(variables):
    noisy, step, given = inputs(batch=3)
    out = predict(variables, noisy, step, given)
    order = np.array([2, 0, 1])
    turned = predict(
        variables, noisy[order], step[order], jax.tree.map(lambda x: x[order], given)
    )
    np.testing.assert_allclose(turned, out[order], atol=1e-5)


FIELDS = {
    "audio": ["audio"],
    "previous": ["previous_motion", "previous_audio"],
    "gaze": ["gaze"],
    "distance": ["head_distance"],
    "emotion": ["emotion"],
    "liveliness": ["liveliness"],
}


def test_a_condition_counts_until_it_is_dropped(variables):
    noisy, step, given = inputs()

    @jax.jit
    def sensitivity(given):
        def total(values):
            out = predict(variables, noisy, step, given.replace(**values))
            return jnp.square(out).sum()

        names = [field for fields in FIELDS.values() for field in fields]
        return jax.grad(total)({name: getattr(given, name) for name in names})

    kept = sensitivity(given)
    for name, fields in FIELDS.items():
        dropped = sensitivity(conditions.without(given, name))
        for field in fields:
            assert np.abs(kept[field]).max() > 1e-4, field
            np.testing.assert_array_equal(dropped[field], 0, err_msg=field)


def test_a_window_is_predicted_from_where_the_head_was(variables):
    noisy, step, given = inputs()
    given = given.replace(previous_dropped=jnp.array([False, True]))
    turn = np.zeros(TINY.num_motion_channels, np.float32)
    turn[: types.POSE_CHANNELS] = [5.0, -3.0, 1.0, 0.5, -0.5, 2.0]
    signal = diffusion.cosine_schedule(TINY.num_diffusion_steps).signal[step]
    turned = given.replace(previous_motion=given.previous_motion + turn[None, None])
    elsewhere = noisy + signal[:, None, None] * turn * [[[1.0]], [[0.0]]]
    # Where heads face is told by one projection; without it, all places are alike.
    place = jax.tree.map(jnp.zeros_like, variables["params"]["place_in"])
    blind = {"params": {**variables["params"], "place_in": place}}
    change = predict(blind, elsewhere, step, turned)
    change = change - predict(blind, noisy, step, given)
    np.testing.assert_allclose(change[0], np.tile(turn, (len(change[0]), 1)), atol=1e-4)
    np.testing.assert_array_equal(change[1], 0.0)
    seen = predict(variables, elsewhere, step, turned)
    seen = seen - predict(variables, noisy, step, given)
    assert np.abs(seen - change)[0].max() > 1e-3


def test_a_window_that_ends_early_is_a_shorter_window(variables):
    noisy, step, given = inputs()
    end = TINY.window_frames - 2
    ended = predict(variables, noisy, step, conditions.end_at(given, end))
    short = given.replace(audio=given.audio[:, :end], past_end=given.past_end[:, :end])
    cut = predict(variables, noisy[:, :end], step, short)
    np.testing.assert_allclose(ended[:, :end], cut, atol=1e-5)
    whole = predict(variables, noisy, step, given)
    assert np.abs(whole[:, :end] - cut).max() > 1e-3


def test_audio_moves_its_own_frame_most_from_the_start():
    module = denoiser.MotionDenoiser(TINY)
    noisy, step, given = inputs()
    variables = jax.jit(module.init)(jax.random.key(0), noisy, step, given)
    out = predict(variables, noisy, step, given)
    for frame in range(TINY.window_frames):
        moved = given.replace(audio=given.audio.at[:, frame].add(3.0))
        change = jnp.abs(predict(variables, noisy, step, moved) - out).mean((0, 2))
        assert int(change.argmax()) == frame


def test_a_gradient_reaches_every_parameter(variables):
    noisy, step, given = inputs()
    first = jnp.array([True, False])
    # One row shows every condition, the other every null token.
    given = given.replace(**{f"{name}_dropped": first for name in conditions.NAMES})
    gradients = jax.jit(
        jax.grad(lambda v: jnp.square(predict(v, noisy, step, given)).sum())
    )(variables)
    for path, gradient in jax.tree_util.tree_leaves_with_path(gradients):
        assert np.abs(gradient).max() > 0, jax.tree_util.keystr(path)


def test_remat_changes_no_prediction(variables):
    module = denoiser.MotionDenoiser(dataclasses.replace(TINY, use_remat=True))
    out = jax.jit(module.apply)(variables, *inputs())
    np.testing.assert_allclose(out, predict(variables, *inputs()), atol=1e-5)


@pytest.mark.parametrize(
    "change",
    [{"num_motion_channels": 6}, {"width": 66}, {"previous_frames": 99}, {"width": 0}],
)
def test_sizes_that_do_not_fit_are_refused(change):
    with pytest.raises(UserError, match=next(iter(change))):
        dataclasses.replace(config.tiny(), **change)
