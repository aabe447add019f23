"""Traces of some steps of a run."""

import jax.numpy as jnp
import pytest

from vasa_jax.errors import UserError
from vasa_jax.train import step_profile


def _traces_of(folder, steps, num_steps=5):
    with step_profile.StepProfile(folder, steps) as profile:
        for number in range(1, num_steps + 1):
            profile.before_step(number)
            profile.after_step(number, jnp.ones(3) * number)
    return list(folder.rglob("*.xplane.pb"))


def test_the_steps_asked_for_are_traced(tmp_path):
    assert len(_traces_of(tmp_path, (3, 4))) == 1


def test_a_run_that_ends_inside_a_trace_keeps_what_there_is(tmp_path):
    assert len(_traces_of(tmp_path, (3, 9))) == 1


def test_nothing_is_traced_unless_it_is_asked_for(tmp_path):
    assert not _traces_of(tmp_path, None) and not _traces_of(tmp_path, (8, 9))


@pytest.mark.parametrize("text", ["5", "0:3", "4:3", "a:b", ":4"])
def test_steps_to_trace_that_are_no_range_are_refused(text):
    with pytest.raises(UserError, match="first and the last step"):
        step_profile.parse(text)
    assert step_profile.parse("10:13") == (10, 13)
