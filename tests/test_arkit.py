"""ARKit's units against the order in which they are published."""

import pytest

from vasa_jax import arkit, errors


def test_the_order_is_the_published_one():
    # Of Apple's documentation of ARFaceAnchor.BlendShapeLocation, sorted by name; the
    # places beside them are those that other tools' tables give.
    published = {
        "browDownLeft": 0,
        "browInnerUp": 2,
        "cheekPuff": 5,
        "eyeBlinkLeft": 8,
        "eyeBlinkRight": 9,
        "eyeLookUpRight": 17,
        "jawForward": 22,
        "jawOpen": 24,
        "mouthClose": 26,
        "mouthPressLeft": 35,
        "mouthPressRight": 36,
        "mouthPucker": 37,
        "mouthRollLower": 39,
        "mouthRollUpper": 40,
        "mouthUpperUpRight": 48,
        "noseSneerLeft": 49,
        "tongueOut": 51,
    }
    assert {name: arkit.index(name) for name in published} == published
    assert arkit.NUM_UNITS == len(set(arkit.NAMES)) == 52
    assert list(arkit.NAMES) == sorted(arkit.NAMES)


def test_what_has_two_sides_has_both():
    left = {name.removesuffix("Left") for name in arkit.NAMES if name.endswith("Left")}
    right = {name.removesuffix("Right") for name in arkit.NAMES if "Right" in name}
    # jawLeft and mouthLeft are directions, which also come in pairs.
    assert left == right
    assert len(left) == 20


def test_groups_hold_the_units_they_are_named_for():
    assert arkit.BLINKS == (8, 9)
    assert arkit.LIPS == tuple(range(22, 49))
    assert [arkit.NAMES[place] for place in arkit.LIP_CLOSURE] == [
        "mouthClose",
        "mouthPressLeft",
        "mouthPressRight",
        "mouthRollLower",
        "mouthRollUpper",
    ]
    assert arkit.indices(["tongueOut", "jawOpen"]) == (51, 24)


def test_an_unknown_unit_is_refused_with_the_nearest_name():
    with pytest.raises(errors.UserError, match="did you mean 'jawOpen'"):
        arkit.index("jaw_open")
