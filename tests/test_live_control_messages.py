"""Messages that set controls: numbers, and curves from the next step on."""

import html.parser
import json
import pathlib

import pytest

from vasa_jax import types
from vasa_jax.animate import control_files
from vasa_jax.animate.controls import Controls
from vasa_jax.animate.curves import Curve
from vasa_jax.errors import UserError
from vasa_jax.live import control_messages

PAGE = pathlib.Path(control_messages.__file__).parent / "page" / "page.html"


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


class _Fields(html.parser.HTMLParser):
    """The sliders and lists of the page, and the labels that name them."""

    def __init__(self):
        super().__init__()
        self.sliders, self.labels, self.emotions = {}, set(), []
        self._is_emotion = False

    def handle_starttag(self, tag, attributes):
        """Remember a slider by its name."""
        found = dict(attributes)
        if found.get("type") == "range":
            self.sliders[found["id"]] = found
        elif tag == "label" and "for" in found:
            self.labels.add(found["for"])
        self._is_emotion = tag == "option" and found.get("value") is None

    def handle_data(self, data):
        """Remember what may be chosen."""
        if self._is_emotion and data.strip():
            self.emotions.append(data.strip())


def test_the_page_has_a_slider_for_every_control_over_its_whole_range():
    fields = _Fields()
    fields.feed(PAGE.read_text(encoding="utf-8"))
    assert sorted(fields.emotions) == sorted(types.EMOTIONS)
    strength = fields.sliders.pop("strength")
    assert (strength["min"], strength["max"]) == ("0", "1")
    named = (*control_files.ANGLES, *control_files.NUMBERS)
    assert sorted(fields.sliders) == sorted(named)
    assert {"emotion", "strength", *named} <= fields.labels
    for name, slider in fields.sliders.items():
        low, high, usual = (float(slider[key]) for key in ("min", "max", "value"))
        for value in (low, high, usual):
            Controls(**control_files.to_fields({name: value}))
        for value in (low - 0.01, high + 0.01):
            with pytest.raises(UserError, match="give a number from"):
                Controls(**control_files.to_fields({name: value}))
        if "data-unset" not in slider:
            assert Controls(**control_files.to_fields({name: usual})) == Controls()
