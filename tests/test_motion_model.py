"""Windows that continue one another: one recording, a stream, one window again."""

import dataclasses

import jax
import jax.numpy as jnp
import motion_windows
import numpy as np
import pytest

from vasa_jax.motion import config, model
from vasa_jax.motion import controls as motion_controls
from vasa_jax.motion import training as motion_training
from vasa_jax.motion.shaping.config import ShapingConfig

SIZES = dataclasses.replace(
    config.tiny(), window_frames=6, previous_frames=2, num_diffusion_steps=20
)
SHAPED = model.WindowConfig(
    denoiser=SIZES,
    sampling=config.SamplingConfig(num_steps=3),
    shaping=ShapingConfig(),
)
PAPER = dataclasses.replace(SHAPED, shaping=None)
KEY = jax.random.key(7)


@pytest.fixture(scope="module")
def setting():
    """Parameters away from the start, statistics, controls and features."""
    statistics = motion_windows.some_statistics(SIZES)
    task = motion_training.MotionTask(SIZES, statistics)
    params = motion_windows.filled(jax.eval_shape(task.init, jax.random.key(0)))
    params = params["motion"]
    controls = motion_controls.default_controls(statistics)
    features = np.random.default_rng(2).normal(size=(1, 15, SIZES.num_audio_channels))
    return params, statistics, controls, features.astype(np.float32)


def generate(setting, features, controls=None, windows=SHAPED):
    """Return motion for a whole recording, a window at a time."""
    params, statistics, default, _ = setting
    carry, parts = model.start_carry(windows), []
    for start in range(0, features.shape[1], SIZES.window_frames):
        window = features[:, start : start + SIZES.window_frames]
        carry, motion = model.next_window(
            params,
            statistics,
            carry,
            model.pad_window(window, SIZES.window_frames),
            controls or default,
            KEY,
            np.int32(window.shape[1]),
            config=windows,
        )
        parts.append(motion[:, : window.shape[1]])
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize("num_frames", [1, 6, 7, 15])
def test_motion_is_as_long_as_the_voice(setting, num_frames):
    motion = generate(setting, setting[3][:, :num_frames])
    assert motion.shape == (1, num_frames, SIZES.num_motion_channels)
    assert np.isfinite(motion).all()


def test_without_shaping_a_window_is_what_the_sampler_gives(setting):
    params, statistics, controls, features = setting
    shaped, plain = (
        generate(setting, features[:, :12], windows=windows)
        for windows in (SHAPED, PAPER)
    )
    assert np.abs(shaped - plain).max() > 1e-3
    carry = model.start_carry(PAPER)
    assert carry.means is None
    steps = model.sampling_schedule(PAPER).step
    np.testing.assert_array_equal(steps, [19, 12, 6])
    crowded = model.sampling_schedule(SHAPED).step
    assert crowded[0] == 19 and crowded[1] > 12


def test_a_window_may_be_shorter_and_the_next_goes_on_after_it(setting):
    params, statistics, controls, features = setting
    carry, motion = model.next_window(
        params,
        statistics,
        model.start_carry(SHAPED),
        features[:, :4],
        controls,
        KEY,
        config=SHAPED,
    )
    assert motion.shape == (1, 4, SIZES.num_motion_channels)
    np.testing.assert_allclose(
        statistics.motion.denormalise(carry.previous_motion), motion[:, 2:4], atol=1e-5
    )
    np.testing.assert_allclose(
        statistics.audio.denormalise(carry.previous_audio), features[:, 2:4], atol=1e-5
    )


def test_a_window_can_be_made_again_alone_from_its_carry(setting):
    params, statistics, controls, features = setting
    whole = generate(setting, features, windows=PAPER)
    normalised = statistics.motion.normalise(whole[:, 4:6])
    carry = model.MotionCarry(
        previous_motion=normalised,
        previous_audio=statistics.audio.normalise(features[:, 4:6]),
        window_index=jnp.array(1, jnp.int32),
    )
    _, motion = model.next_window(
        params, statistics, carry, features[:, 6:12], controls, KEY, config=PAPER
    )
    np.testing.assert_allclose(motion, whole[:, 6:12], atol=1e-3)


def test_the_past_reaches_a_window_through_its_carry_alone(setting):
    params, statistics, controls, features = setting
    whole = generate(setting, features)
    early = features.copy()
    early[:, 0] += 5.0
    changed = generate(setting, early)
    assert np.abs(changed[:, 6:12] - whole[:, 6:12]).max() > 1e-4
    future = features.copy()
    future[:, 6:] += 5.0
    np.testing.assert_array_equal(generate(setting, future)[:, :6], whole[:, :6])


def test_the_first_window_sees_nothing_of_its_carry(setting):
    params, statistics, controls, features = setting
    carry = model.start_carry(SHAPED)
    other = carry.replace(
        previous_motion=carry.previous_motion + 3,
        previous_audio=carry.previous_audio - 2,
    )
    first, second = (
        model.next_window(
            params, statistics, c, features[:, :6], controls, KEY, config=SHAPED
        )[1]
        for c in (carry, other)
    )
    np.testing.assert_array_equal(first, second)


def test_what_is_past_the_end_of_the_voice_is_not_heard(setting):
    params, statistics, controls, features = setting

    def last(window):
        carry = model.start_carry(SHAPED)
        return model.next_window(
            params, statistics, carry, window, controls, KEY, np.int32(3), config=SHAPED
        )[1][:, :3]

    louder = features[:, :6].copy()
    louder[:, 3:] += 5.0
    np.testing.assert_array_equal(last(louder), last(features[:, :6]))
    louder[:, 2] += 5.0
    assert np.abs(last(louder) - last(features[:, :6])).max() > 1e-4


def test_controls_that_are_left_open_take_no_part(setting):
    _, _, controls, features = setting
    is_open = controls.replace(gaze=None, head_distance=None)
    aside = controls.replace(gaze=jnp.array([[0.3, 0.1]]))
    whole = generate(setting, features)
    assert np.abs(generate(setting, features, is_open) - whole).max() > 1e-4
    assert np.abs(generate(setting, features, aside) - whole).max() > 1e-4
