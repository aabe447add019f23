"""Motion in files drives a face, whole or in parts."""

import numpy as np
import pytest

from vasa_jax import arkit, errors, types
from vasa_jax.animate import (
    arkit_csv,
    driving_motion,
    motion_edits,
    motion_files,
    motion_recorder,
)
from vasa_jax.animate.controls import Controls
from vasa_jax.face.dynamics_code import Expression

NUM_FRAMES = 60


@pytest.fixture(scope="module")
def face(taught_models):
    return motion_edits.FaceEditor(taught_models.face_config, taught_models.face_params)


def random_motion(number, num_frames=NUM_FRAMES):
    """Return motion `[n, 6 + 8]` of a face that could be."""
    motion = np.random.default_rng(number).normal(0, 0.3, (num_frames, 14))
    motion[:, 5] = 1.0
    return motion.astype(np.float32)


def driving(face, parts, number=1, num_frames=NUM_FRAMES):
    """Return motion that drives by parts."""
    motion = random_motion(number, num_frames)
    return driving_motion.DrivingMotion(
        parts=frozenset(parts),
        recorded=motion_files.RecordedMotion.of_motion(motion, face.code),
    )


def driven(face, parts, base, **asked):
    """Return what driving motion makes of other motion."""
    driver = driving_motion.Driver(driving(face, parts), Controls(**asked), face)
    pieces = np.split(base, [1, 8, 8 + 30]) if len(base) > 38 else [base]
    return np.concatenate(list(driver.drive(pieces)))


def test_whole_motion_replays_bit_for_bit(face):
    driver = driving_motion.Driver(
        driving(face, driving_motion.PARTS), Controls(), face
    )
    np.testing.assert_array_equal(
        np.concatenate(list(driver.whole())), random_motion(1)
    )
    again = driven(face, driving_motion.PARTS, random_motion(2))
    np.testing.assert_array_equal(again, random_motion(1))


def test_their_head_goes_with_our_face_and_the_other_way_round(face):
    base, theirs = random_motion(2), random_motion(1)
    headed = driven(face, {"head"}, base)
    np.testing.assert_array_equal(headed[:, :6], theirs[:, :6])
    np.testing.assert_array_equal(headed[:, 6:], base[:, 6:])
    faced = driven(face, {"mouth", "brows", "eyes"}, base)
    np.testing.assert_array_equal(faced[:, :6], base[:, :6])
    np.testing.assert_array_equal(faced[:, 6:], theirs[:, 6:])


@pytest.mark.parametrize("part", driving_motion.UNITS)
def test_a_part_of_the_face_is_theirs_and_the_rest_stays(face, taught_models, part):
    base, theirs = random_motion(2), random_motion(1)
    mixed = driven(face, {part}, base)
    before, other = face.read(base[:, 6:]), face.read(theirs[:, 6:])
    change = np.zeros((NUM_FRAMES, 54), np.float32)
    units = list(driving_motion.UNITS[part])
    change[:, units] = (other.arkit - before.arkit)[:, units]
    if part == "eyes":
        change[:, 52:] = other.gaze_in_head - before.gaze_in_head
    kernel = np.asarray(taught_models.face_params["dynamics_map"]["linear"]["kernel"])
    np.testing.assert_allclose(mixed[:, 6:] - base[:, 6:], change @ kernel, atol=1e-4)
    np.testing.assert_array_equal(mixed[:, :6], base[:, :6])


def test_the_shorter_of_both_ends_it(face):
    assert len(driven(face, {"head"}, random_motion(2, 20))) == 20
    assert len(driven(face, {"head"}, random_motion(2, 100))) == NUM_FRAMES


def test_a_capture_drives_the_face_and_leaves_the_head(face, tmp_path):
    generator = np.random.default_rng(0)
    gaze = generator.uniform(-0.3, 0.3, (NUM_FRAMES, 2)).astype(np.float32)
    weights = arkit.with_gaze(generator.random((NUM_FRAMES, 52)), gaze)
    path = tmp_path / "take.csv"
    arkit_csv.write(path, Expression(arkit=weights, gaze_in_head=gaze))
    capture = driving_motion.read(path)
    assert capture.parts == {"mouth", "brows", "eyes"} and not capture.is_whole
    assert capture.num_frames == NUM_FRAMES
    driver = driving_motion.Driver(capture, Controls(), face)
    held = driving_motion.hold(random_motion(2)[0], NUM_FRAMES)
    found = np.concatenate(list(driver.drive(held)))
    np.testing.assert_array_equal(
        found[:, :6], np.tile(random_motion(2)[0, :6], (NUM_FRAMES, 1))
    )
    written = face.write(Expression(arkit=weights, gaze_in_head=gaze))
    np.testing.assert_allclose(found[:, 6:], written, atol=1e-4)
    with pytest.raises(errors.UserError, match="has no head"):
        driving_motion.read(path, ["head"])


def test_driving_motion_is_edited_as_controls_ask(face):
    base = random_motion(2)
    asked = {"pose_offset": (10.0, 0.0, 0.0), "smile_offset": 0.5, "blink_rate": 30.0}
    edited = driven(face, driving_motion.PARTS, base, seed=3, **asked)
    seconds = (np.arange(NUM_FRAMES) + 0.5) / types.FRAME_RATE_HZ
    expected, _ = motion_edits.edit(
        random_motion(1),
        Controls(**asked),
        seconds,
        np.zeros((NUM_FRAMES, 6), np.float32),
        motion_edits.blinks.BlinkClock(3),
        face,
    )
    np.testing.assert_allclose(edited, expected, atol=1e-5)
    assert np.any(edited != random_motion(1))


def test_motion_of_another_code_drives_the_head_alone(face, tiny_models):
    motion = motion_files.RecordedMotion.of_motion(random_motion(1), "another")
    for parts, is_refused in (({"head"}, False), ({"head", "mouth"}, True)):
        one = driving_motion.DrivingMotion(parts=frozenset(parts), recorded=motion)
        if is_refused:
            with pytest.raises(errors.UserError, match="of the code 'another'"):
                driving_motion.Driver(one, Controls(), face)
        else:
            driving_motion.Driver(one, Controls(), face)


def test_a_map_that_nothing_has_taught_is_refused_where_it_is_needed(tiny_models):
    untaught = motion_edits.FaceEditor(tiny_models.face_config, tiny_models.face_params)
    for parts, is_refused in (
        (driving_motion.PARTS, False),
        ({"head"}, False),
        ({"mouth", "brows", "eyes"}, False),
        ({"mouth"}, True),
        ({"head", "mouth", "eyes"}, True),
    ):
        one = driving(untaught, parts)
        if is_refused:
            with pytest.raises(errors.UserError, match="no trained map"):
                driving_motion.Driver(one, Controls(), untaught)
        else:
            driving_motion.Driver(one, Controls(), untaught)


def test_models_share_a_code_if_their_heads_are_the_same(face, tiny_models):
    same = motion_edits.FaceEditor(tiny_models.face_config, tiny_models.face_params)
    assert face.code == same.code
    heads = tiny_models.face_params["dynamics_heads"]["linear"]
    other = {"linear": {**heads, "bias": np.asarray(heads["bias"]) + 1}}
    other = motion_edits.FaceEditor(tiny_models.face_config, {"dynamics_heads": other})
    assert face.code != other.code


@pytest.mark.parametrize(
    "parts, words",
    [
        ({"nose"}, "Unknown part 'nose'"),
        (set(), "No part is named; choose among head, mouth, brows, eyes."),
    ],
)
def test_parts_that_there_are_not_are_refused(face, parts, words):
    with pytest.raises(errors.UserError, match=words):
        driving(face, parts)


@pytest.mark.parametrize("name", ["a.npz", "a.json", "a.csv"])
def test_motion_that_passes_by_is_written_when_it_is_whole(face, tmp_path, name):
    motion, path = random_motion(1), tmp_path / name
    motion_recorder.check_path(path)
    passed = np.split(motion, [5]), path, face, "portrait"
    with motion_recorder.recorded(*passed) as passing:
        np.testing.assert_array_equal(np.concatenate(list(passing)), motion)
        assert not path.exists()
    found = driving_motion.read(path)
    if name == "a.csv":
        shown = face.read(motion[:, 6:])
        weights = np.clip(arkit.with_gaze(shown.arkit, shown.gaze_in_head), 0, 1)
        np.testing.assert_allclose(found.expression.arkit, weights, atol=1e-5)
    else:
        np.testing.assert_array_equal(found.recorded.motion, motion)
        assert found.recorded.code == face.code
        assert found.recorded.turns_about == "portrait"


def test_nothing_is_written_after_an_error(face, tmp_path):
    with (
        pytest.raises(ZeroDivisionError),
        motion_recorder.recorded(
            [random_motion(1)], tmp_path / "a.npz", face, "camera"
        ) as passing,
    ):
        next(iter(passing))
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())
