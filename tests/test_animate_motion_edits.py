"""Edits of motion: what is asked for changes, and nothing else does."""

import numpy as np
import pytest

from vasa_jax import arkit, errors, types
from vasa_jax.animate import blinks, motion_edits, motion_stream
from vasa_jax.animate.controls import Controls
from vasa_jax.animate.curves import Curve

NUM_FRAMES = 50
REST = np.tile(np.array([0, 0, 0, 0, 0, 1], np.float32), (NUM_FRAMES, 1))
SECONDS = (np.arange(NUM_FRAMES) + 0.5) / 25


@pytest.fixture(scope="module")
def face(taught_models):
    return motion_edits.FaceEditor(taught_models.face_config, taught_models.face_params)


@pytest.fixture(scope="module")
def motion(tiny_models):
    channels = types.POSE_CHANNELS + tiny_models.face_config.dynamics_channels
    generator = np.random.default_rng(0)
    return generator.normal(0, 0.3, (NUM_FRAMES, channels)).astype(np.float32)


def edited(face, motion, **asked):
    clock = blinks.BlinkClock(seed=0)
    asked = Controls(**asked)
    return motion_edits.edit(motion, asked, SECONDS, REST, clock, face)[0]


def told(taught_models, weights):
    """Return the change of code that a change of weights `[n, 52]` makes."""
    kernel = np.asarray(taught_models.face_params["dynamics_map"]["linear"]["kernel"])
    return weights @ kernel[: arkit.NUM_UNITS]


def test_nothing_asked_changes_no_bit(face, motion):
    np.testing.assert_array_equal(edited(face, motion), motion)


def test_an_offset_turns_the_head_by_its_degrees_and_a_curve_over_time(face, motion):
    turned = edited(face, motion, pose_offset=(10.0, Curve((0, 2), (0, 10)), -5.0))
    expected = np.zeros_like(motion)
    expected[:, 0], expected[:, 2] = np.radians(10), np.radians(-5)
    expected[:, 1] = np.radians(5 * SECONDS)
    np.testing.assert_allclose(turned - motion, expected, atol=1e-6)


def test_a_scale_of_movement_goes_about_the_rest_before_the_offset(face, motion):
    scaled = edited(face, motion, pose_scale=0.5, pose_offset=(10.0, 0.0, 0.0))
    expected = REST + (motion[:, :6] - REST) / 2
    expected[:, 0] += np.radians(10)
    np.testing.assert_allclose(scaled[:, :6], expected, atol=1e-6)
    np.testing.assert_array_equal(scaled[:, 6:], motion[:, 6:])


def test_the_mouth_moves_as_far_as_asked(face, motion, taught_models):
    half = edited(face, motion, mouth_scale=0.5)
    weights = np.zeros((NUM_FRAMES, arkit.NUM_UNITS), np.float32)
    lips = list(arkit.LIPS)
    weights[:, lips] = -0.5 * face.read(motion[:, 6:]).arkit[:, lips]
    np.testing.assert_allclose(
        half[:, 6:] - motion[:, 6:], told(taught_models, weights), atol=1e-4
    )
    np.testing.assert_array_equal(half[:, :6], motion[:, :6])


@pytest.mark.parametrize(
    "name, value, units",
    [
        ("brow_offset", 0.5, motion_edits.RAISED_BROWS),
        ("brow_offset", -0.5, motion_edits.LOWERED_BROWS),
        ("smile_offset", 0.5, motion_edits.SMILE),
        ("smile_offset", -0.5, motion_edits.FROWN),
    ],
)
def test_an_offset_adds_to_the_units_of_its_direction(
    face, motion, taught_models, name, value, units
):
    changed = edited(face, motion, **{name: value})
    weights = np.zeros((NUM_FRAMES, arkit.NUM_UNITS), np.float32)
    weights[:, list(units)] = 0.5
    np.testing.assert_allclose(
        changed[:, 6:] - motion[:, 6:], told(taught_models, weights), atol=1e-4
    )


def test_blinks_take_the_place_of_those_generated(face, motion, taught_models):
    before = face.read(motion[:, 6:]).arkit[:, arkit.BLINKS]
    changed = edited(face, motion, blink_rate=60.0)
    rates = np.full(NUM_FRAMES, 60.0)
    _, lids = blinks.blink(blinks.BlinkClock(seed=0), rates)
    weights = np.zeros((NUM_FRAMES, arkit.NUM_UNITS), np.float32)
    kept = np.minimum(before, blinks.LIDS_LEFT)
    weights[:, list(arkit.BLINKS)] = np.maximum(kept, lids[:, None]) - before
    np.testing.assert_allclose(
        changed[:, 6:] - motion[:, 6:], told(taught_models, weights), atol=1e-4
    )


def test_a_copied_stream_blinks_as_the_one_it_was_copied_from(taught_models, voice):
    model = motion_stream.SpeechModel(taught_models)
    stream = model.stream(Controls(step_frames=4, blink_rate=60.0))
    list(stream.push(voice[:8000]))
    kept = stream.copy()
    first, again = (
        np.concatenate(list(one.push(voice[8000:]))) for one in (stream, kept)
    )
    np.testing.assert_array_equal(first, again)


def test_edits_of_a_face_whose_map_nothing_has_taught_are_refused(tiny_models):
    model = motion_stream.SpeechModel(tiny_models)
    model.stream(Controls(pose_offset=(5.0, 0.0, 0.0)))
    for asked in ({"mouth_scale": 0.5}, {"blink_rate": 10.0}, {"smile_offset": 1.0}):
        with pytest.raises(errors.UserError, match="no trained map"):
            model.stream(Controls(**asked))
    stream = model.stream(Controls())
    with pytest.raises(errors.UserError, match="no trained map"):
        stream.set_controls(Controls(brow_offset=1.0))
