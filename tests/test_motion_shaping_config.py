"""Shaping that makes no sense is refused."""

import pytest

from vasa_jax.errors import UserError
from vasa_jax.motion.shaping.config import ShapingConfig


@pytest.mark.parametrize(
    "change, words",
    [
        ({"step_spacing": 0.5}, "give 1 .even. or more"),
        ({"lip_noise": 1.5}, "lip_noise is 1.5"),
        ({"blink_noise": 0.0}, "blink_noise is 0.0"),
        ({"liveliness": -1.0}, "liveliness is -1.0"),
        ({"dynamics_gain": 3.0}, "dynamics_gain is 3.0"),
        ({"dynamics_gain": 0.0}, "dynamics_gain is 0.0"),
    ],
)
def test_shaping_that_makes_no_sense_is_refused(change, words):
    with pytest.raises(UserError, match=words):
        ShapingConfig(**change)
