"""What is exactly known of the eyes of a rendered head."""

import numpy as np
import pytest

from datasets import exact_features
from datasets.synthetic_heads import names
from datasets.synthetic_heads.person import avatar, geometry
from datasets.synthetic_heads.rendering import correspondence, ground_truth, scene
from vasa_jax import arkit
from vasa_jax.portrait import eyes


@pytest.fixture(scope="module")
def person():
    return avatar.build_avatar(5)


def _find(person, blink=0.0, gaze=(0.0, 0.0), rotation=(0.0, 0.0, 0.0)):
    weights = np.zeros(52, np.float32)
    weights[list(arkit.indices(("eyeBlinkLeft", "eyeBlinkRight")))] = blink
    state = geometry.FrameState(
        weights,
        np.float32(gaze),
        np.float32(rotation),
        geometry.FrameState.neutral().translation,
    )
    camera = scene.random_camera(1)
    packed = correspondence.pack_geometry(person, camera, [state])
    posed = geometry.pose_head(
        geometry.build_geometry(person.identity_seed, person.exaggeration), state
    )
    marks = ground_truth.keypoints(posed, camera)
    return exact_features.find({"geometry": packed}, 0), marks


def _gap(found):
    rims = found["eye_rims"]
    upper = rims[:, 1 : eyes.NUM_UPPER - 1]
    return (rims[:, : eyes.NUM_UPPER - 1 : -1] - upper)[..., 1].mean(axis=1)


def test_rims_and_irises_lie_about_the_eyes(person):
    found, marks = _find(person)
    # The image's left eye is the head's right one.
    for eye, name in enumerate(("right_eye", "left_eye")):
        mark = marks[names.KEYPOINT_NAMES.index(name)]
        rim, disc = found["eye_rims"][eye], found["eye_discs"][eye]
        np.testing.assert_allclose(rim.mean(axis=0), mark, atol=0.04)
        np.testing.assert_allclose(disc[0], mark, atol=0.04)
        assert (np.diff(rim[: eyes.NUM_UPPER, 0]) > 0).all()
        assert (disc[1] - disc[0])[0] > 0.02 and (disc[2] - disc[0])[1] > 0.02


def test_lids_that_shut_leave_no_gap(person):
    (rest, _), (shut, _) = _find(person), _find(person, blink=1.0)
    assert (_gap(rest) > 0.03).all()
    assert (_gap(shut) < 0.25 * _gap(rest)).all()


def test_irises_follow_the_gaze(person):
    (rest, _), (aside, _) = _find(person), _find(person, gaze=(0.3, 0.0))
    moved = aside["eye_discs"][:, 0] - rest["eye_discs"][:, 0]
    assert (moved[:, 0] > 0.01).all() and (np.abs(moved[:, 1]) < 0.01).all()


def test_all_of_it_turns_with_the_head(person):
    (rest, _), (turned, _) = _find(person), _find(person, rotation=(0.3, 0.0, 0.0))
    for name in ("eye_rims", "eye_discs"):
        assert (np.abs(turned[name] - rest[name])[..., 0] > 0.05).all()
