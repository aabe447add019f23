"""Controls of an animation: defaults of the paper, ranges, and their text forms."""

import numpy as np
import pytest

from datasets.synthetic_heads.performance import gaze
from datasets.synthetic_heads.records import plan
from vasa_jax import types
from vasa_jax.animate import controls as controls_lib
from vasa_jax.animate.controls import Controls
from vasa_jax.animate.curves import Curve
from vasa_jax.encode import clip_conditions
from vasa_jax.errors import UserError


def test_the_defaults_are_those_of_the_paper():
    controls = Controls()
    assert (controls.audio_guidance, controls.gaze_guidance) == (0.5, 1.0)
    np.testing.assert_array_equal(controls.gaze_vector(), np.zeros((1, 2)))
    np.testing.assert_array_equal(controls.distance_vector(), np.ones((1, 1)))
    np.testing.assert_array_equal(controls.emotion_vector(), np.zeros((1, 8)))


@pytest.mark.parametrize(
    "setting, words",
    [
        ({"seed": -1}, "seed is -1"),
        ({"num_steps": 0}, "num_steps is 0"),
        ({"audio_guidance": 10.5}, "audio_guidance is 10.5; give a number from 0 to"),
        ({"gaze_guidance": -0.1}, "gaze_guidance is -0.1"),
        ({"gaze": (26.0, 0.0)}, "gaze yaw (degrees) is 26; give a number from -25 to"),
        ({"gaze": (0.0, -16.0)}, "gaze pitch (degrees) is -16"),
        ({"gaze": (1.0,)}, "gaze has 1 numbers"),
        (
            {"head_distance": 0.8},
            "head_distance (--distance) is 0.8; give a number from 0.85 to 1.3",
        ),
        ({"head_distance": float("nan")}, "head_distance (--distance) is nan"),
        ({"liveliness": 0.0}, "liveliness is 0; give a number from 0.3 to 3"),
        ({"pose_scale": 2.1}, "pose_scale is 2.1; give a number from 0 to 2"),
        ({"pose_offset": (21.0, 0.0, 0.0)}, "pose_offset yaw (degrees) is 21; give a"),
        ({"pose_offset": (0.0, 0.0, -16.0)}, "pose_offset roll (degrees) is -16"),
        (
            {"pose_offset": (1.0, 2.0)},
            "pose_offset has 2 numbers; give 3, yaw, pitch a",
        ),
        ({"mouth_scale": -0.1}, "mouth_scale is -0.1; give a number from 0 to 2"),
        ({"brow_offset": 1.1}, "brow_offset is 1.1; give a number from -1 to 1"),
        ({"smile_offset": -2.0}, "smile_offset is -2"),
        ({"blink_rate": 61.0}, "blink_rate is 61; give a number from 0 to 60"),
        ({"emotion": {"joy": 1.0}}, "no emotion 'joy'; choose among neutral, happi"),
        ({"emotion": {"anger": 1.5}}, "the strength of anger is 1.5"),
        ({"liveliness": Curve((0, 2), (1, 4))}, "liveliness at 2 s is 4; give a nu"),
        ({"gaze": (0.0, Curve((1,), (-16,)))}, "gaze pitch (degrees) at 1 s is -16"),
    ],
)
def test_out_of_range_controls_are_refused_with_the_range(setting, words):
    with pytest.raises(UserError) as caught:
        Controls(**setting)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_more_is_accepted_than_the_synthetic_heads_show():
    trained_gaze = np.degrees([gaze.MAIN_YAW_RADIANS, gaze.MAIN_PITCH_RADIANS])
    np.testing.assert_allclose(controls_lib.MAX_GAZE_DEGREES, trained_gaze)
    distances = [
        clip.request.head_distance
        for identity in range(200)
        for clip in plan.clips_of(plan.Settings(), identity)
    ]
    nearest, farthest = controls_lib.HEAD_DISTANCE_RANGE
    assert nearest <= min(distances) < nearest + 0.005
    assert farthest - 0.005 < max(distances) <= farthest


def test_gaze_turns_from_degrees_to_radians():
    vector = Controls(gaze=(18.0, -9.0)).gaze_vector()
    np.testing.assert_allclose(vector, [[np.pi / 10, -np.pi / 20]], rtol=1e-6)


def test_a_window_is_steered_by_the_means_of_curves_over_its_time():
    asked = Controls(
        gaze=(Curve((0, 4), (-20, 20)), -9.0),
        head_distance=Curve((0, 4), (0.9, 1.3)),
        emotion={"anger": Curve((2, 4), (0, 1))},
    )
    seconds = np.array([2.5, 3.5])
    np.testing.assert_allclose(
        asked.gaze_vector(seconds), [[np.pi / 18, -np.pi / 20]], rtol=1e-6
    )
    np.testing.assert_allclose(asked.distance_vector(seconds), [[1.2]], rtol=1e-6)
    anger = types.EMOTIONS.index("anger")
    np.testing.assert_allclose(asked.emotion_vector(seconds)[0, anger], 0.5)


def test_only_curves_that_steer_windows_count_as_such():
    curve = Curve((0, 1), (1, 1.2))
    assert not Controls(pose_scale=curve).has_steering_curve
    for steering in (
        {"gaze": (0.0, curve)},
        {"head_distance": curve},
        {"emotion": {"fear": Curve((0,), (1,))}},
        {"liveliness": curve},
        {"audio_guidance": curve},
        {"gaze_guidance": curve},
    ):
        assert Controls(**steering).has_steering_curve


def test_emotions_take_their_place_in_the_order_of_types():
    vector = Controls(emotion={"surprise": 0.25, "anger": 1.0}).emotion_vector()
    expected = {"surprise": 0.25, "anger": 1.0}
    assert dict(zip(types.EMOTIONS, vector[0].tolist(), strict=True)) == {
        name: expected.get(name, 0.0) for name in types.EMOTIONS
    }


@pytest.mark.parametrize("name", types.EMOTIONS)
def test_an_emotion_is_asked_for_as_training_is_told_of_it(name):
    told = clip_conditions.emotion(
        {"emotion": types.EMOTIONS.index(name), "emotion_strength": np.float32(0.5)}
    )
    asked = Controls(emotion={name: 0.5}).emotion_vector()[0]
    np.testing.assert_array_equal(asked, told)
    assert told.sum() == (0.0 if name == "neutral" else 0.5)
    # As a recogniser of emotions scores its classes.
    scores = np.full(8, 0.25, np.float32)
    asked = Controls(emotion=dict.fromkeys(types.EMOTIONS, 0.25)).emotion_vector()[0]
    np.testing.assert_array_equal(clip_conditions.emotion({"emotion": scores}), asked)


def test_gaze_and_emotion_are_read_from_text():
    assert controls_lib.parse_gaze("10,-5.5") == (10.0, -5.5)
    assert controls_lib.parse_pose_offset("10,-5.5,0") == (10.0, -5.5, 0.0)
    assert controls_lib.parse_emotion("") == {}
    assert controls_lib.parse_emotion("happiness") == {"happiness": 1.0}
    assert controls_lib.parse_emotion("fear:0.5, anger:0.2") == {
        "fear": 0.5,
        "anger": 0.2,
    }


@pytest.mark.parametrize(
    "parse, text, words",
    [
        (controls_lib.parse_gaze, "10", "gaze is '10'"),
        (controls_lib.parse_gaze, "left,up", "give yaw and pitch in degrees"),
        (controls_lib.parse_pose_offset, "1,2", "give yaw, pitch and roll in degrees"),
        (controls_lib.parse_emotion, "anger:much", "give a name and a strength"),
        (controls_lib.parse_emotion, "anger,anger", "names anger twice"),
    ],
)
def test_unreadable_texts_are_refused_with_an_example(parse, text, words):
    with pytest.raises(UserError) as caught:
        parse(text)
    assert words in str(caught.value)
