"""Messages that set controls: numbers, and curves from the next step on."""

import json

import pytest

from vasa_jax.animate.controls import Controls
from vasa_jax.animate.curves import Curve
from vasa_jax.errors import UserError
from vasa_jax.live import control_messages


class Listener:
    """Stands for a session: remembers its controls."""

    def set_controls(self, controls):
        """Remember what was asked for."""
        self.controls = controls


def controls_of(**message):
    """Return the controls that a message sets."""
    one = Listener()
    control_messages.follow(json.dumps({"type": "controls", **message}), one)
    return one.controls


def test_numbers_and_curves_are_set():
    assert controls_of() == Controls()
    assert controls_of(
        gaze=[[[0, -20], [2, 20]], 5],
        pose_offset=[1, 2, [[1, 3]]],
        emotion={"fear": 0.5, "anger": [[0, 0], [1, 1]]},
        mouth_scale=[[0, 1], [1, 2]],
        brow_offset=-1,
        blink_rate=10,
        audio_guidance=2,
    ) == Controls(
        gaze=(Curve((0, 2), (-20, 20)), 5.0),
        pose_offset=(1.0, 2.0, Curve((1,), (3,))),
        emotion={"fear": 0.5, "anger": Curve((0, 1), (0, 1))},
        mouth_scale=Curve((0, 1), (1, 2)),
        brow_offset=-1.0,
        blink_rate=10.0,
        audio_guidance=2.0,
    )


@pytest.mark.parametrize(
    "message, words",
    [
        ({"gaze": 5}, "The control gaze is not made of numbers"),
        ({"gaze": [1, None]}, "The control gaze is not made of numbers"),
        ({"gaze": [1, 2, 3]}, "gaze has 3 numbers; give 2"),
        ({"emotion": [[0, 1]]}, "The control emotion is not made of numbers"),
        ({"emotion": {"fear": "much"}}, "The control emotion is not made of numbers"),
        ({"blink_rate": None}, "The control blink_rate is not made of numbers"),
        ({"blink_rate": 10**400}, "blink_rate is inf; give a number from 0 to 60"),
        ({"mouth_scale": [[1, 1], [0, 1]]}, "mouth_scale: A curve has the times 1, 0"),
        ({"step_frames": 10}, "'step_frames' cannot change while a session lives"),
    ],
)
def test_what_is_no_control_is_refused(message, words):
    with pytest.raises(UserError) as caught:
        controls_of(**message)
    assert words in str(caught.value)
