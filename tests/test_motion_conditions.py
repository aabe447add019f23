"""How often conditions are dropped, and that rows do not depend on their batch."""

import jax
import numpy as np
import pytest
from test_motion_sampler import some_conditions

from vasa_jax.animate import motion_stream, trained
from vasa_jax.animate.controls import Controls
from vasa_jax.errors import UserError
from vasa_jax.motion import conditions
from vasa_jax.motion import config as motion_config


def test_conditions_are_dropped_at_the_paper_s_rates():
    given = some_conditions(batch=4000, window=12)
    keys = jax.random.split(jax.random.key(0), 4000)
    dropped = conditions.drop_at_random(keys, given, conditions.DropoutConfig())
    for name, rate in {
        "audio": 0.1,
        "gaze": 0.1,
        "distance": 0.1,
        "emotion": 0.1,
        "liveliness": 0.1,
        "previous": 0.5,
    }.items():
        share = getattr(dropped, f"{name}_dropped").mean()
        np.testing.assert_allclose(share, rate, atol=0.025, err_msg=name)


def _is_offered(step_frames, sizes, animation):
    """Return whether a stream takes a step of so many frames."""
    controls = Controls(step_frames=step_frames)
    try:
        motion_stream.check_controls(controls, sizes, animation)
    except UserError:
        return False
    return True


@pytest.mark.parametrize("preset", sorted(motion_config.PRESETS))
def test_training_meets_windows_of_every_length_that_a_stream_takes_short_ones_more(
    preset,
):
    sizes = motion_config.PRESETS[preset]()
    window, batch = sizes.window_frames, 4000
    given = some_conditions(batch=batch, window=window, previous=sizes.previous_frames)
    keys = jax.random.split(jax.random.key(1), batch)
    config = conditions.DropoutConfig(last_frames=0.5)
    cut = np.asarray(conditions.drop_at_random(keys, given, config).past_end)
    lengths = cut.sum(1)
    np.testing.assert_allclose((lengths > 0).mean(), 0.5, atol=0.05)
    for row, length in zip(cut, lengths, strict=True):
        assert not row[: window - length].any()
    animation = trained.PRESETS[preset]()
    offered = {n for n in range(1, window + 2) if _is_offered(n, sizes, animation)}
    assert {window - length for length in lengths} == offered
    middle = (window + sizes.previous_frames) // 2
    is_short = window - lengths[lengths > 0] <= middle
    np.testing.assert_allclose(is_short.mean(), np.sqrt(0.5), atol=0.1)


def test_dropping_a_row_does_not_depend_on_the_rest_of_the_batch():
    given = some_conditions(batch=8)
    keys = jax.random.split(jax.random.key(2), 8)
    config = conditions.DropoutConfig(last_frames=0.5, liveliness=0.5)
    whole = conditions.drop_at_random(keys, given, config)
    order = np.array([3, 0, 7])
    part = conditions.drop_at_random(
        keys[order], jax.tree.map(lambda rows: rows[order], given), config
    )
    jax.tree.map(lambda w, p: np.testing.assert_array_equal(w[order], p), whole, part)


def test_what_is_missing_stays_dropped():
    given = conditions.without(some_conditions(batch=50), "previous", "gaze")
    keys = jax.random.split(jax.random.key(3), 50)
    dropped = conditions.drop_at_random(keys, given, conditions.DropoutConfig())
    assert dropped.previous_dropped.all() and dropped.gaze_dropped.all()


def test_a_window_ends_where_it_is_told_or_where_it_had_ended_before():
    given = some_conditions(batch=2, window=5)
    ended = conditions.end_at(given, np.int32(3))
    np.testing.assert_array_equal(ended.past_end, [[False] * 3 + [True] * 2] * 2)
    twice = conditions.end_at(ended, np.array([2, 4])).past_end
    np.testing.assert_array_equal(twice.sum(1), [3, 2])


def test_impossible_rates_and_steps_of_streams_that_are_not_trained_are_refused():
    with pytest.raises(UserError, match="liveliness is 1.5"):
        conditions.DropoutConfig(liveliness=1.5)
    with pytest.raises(UserError, match="must be trained"):
        conditions.DropoutConfig(last_frames=0.0)
