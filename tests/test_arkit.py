"""ARKit's units against the order in which they are published."""

import numpy as np
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


def test_mouth_brows_and_eyes_part_the_units_among_them():
    parts = (*arkit.MOUTH, *arkit.BROWS, *arkit.EYES)
    assert sorted(parts) == list(range(52))
    assert set(arkit.LIPS) < set(arkit.MOUTH) and set(arkit.BLINKS) < set(arkit.EYES)
    assert len(arkit.BROWS) == 5 and arkit.index("cheekSquintLeft") in arkit.EYES


def test_a_gaze_to_the_right_of_the_image_turns_the_persons_left_eye_out():
    gaze = np.radians([[14.0, 0.0], [0.0, 7.0], [-14.0, -7.0]])
    weights = arkit.with_gaze(np.full((3, 52), 0.25), gaze)
    looks = {
        name: weights[:, arkit.index(f"eyeLook{name}")].tolist()
        for name in ("OutLeft", "InRight", "InLeft", "OutRight", "DownLeft", "UpRight")
    }
    assert looks == {
        "OutLeft": [0.5, 0, 0],
        "InRight": [0.5, 0, 0],
        "InLeft": [0, 0, 0.5],
        "OutRight": [0, 0, 0.5],
        "DownLeft": [0, 0.25, 0],
        "UpRight": [0, 0, 0.25],
    }
    assert (weights == 0.25).sum() == 3 * 44 + 4
    np.testing.assert_allclose(arkit.gaze_of(weights), gaze, atol=1e-6)


def test_an_unknown_unit_is_refused_with_the_nearest_name():
    with pytest.raises(errors.UserError, match="did you mean 'jawOpen'"):
        arkit.index("jaw_open")


def test_a_unit_of_two_sides_is_found_on_both():
    assert arkit.sides("jawOpen") == (arkit.index("jawOpen"),)
    both = arkit.indices(("browDownLeft", "browDownRight"))
    assert arkit.sides("browDown") == both
    with pytest.raises(errors.UserError, match="jawOpn"):
        arkit.sides("jawOpn")
