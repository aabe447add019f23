"""Faces as curves in time, their statistics, and how sharp a moved portrait is."""

import dataclasses

import numpy as np
import pytest

from vasa_jax import errors
from vasa_jax.evaluation.metrics import (
    expression_curves,
    sharpness,
)
from vasa_jax.evaluation.networks import face_recognition
from vasa_jax.portrait import crop, gaze, landmarks, locate, networks, pose, track

SECONDS = np.arange(250) / 25


def landmarks_of(rotation, change=0.0):
    """The canonical face in T poses, the corners of its mouth raised by `change`."""
    points = pose.canonical_face()[0].copy()
    points[list(expression_curves.MOUTH_CORNERS), 1] -= change
    zeros = np.zeros(len(rotation))
    fit = pose.HeadFit(rotation=rotation, centre=zeros, unit=zeros)
    turned = points @ np.swapaxes(fit.matrix(), -1, -2)
    seen = 100 * turned + np.array([128.0, 128.0, 0.0])
    return track.ClipLandmarks(
        points=seen,
        eyes=np.full((len(rotation), 2, 21, 2), 128.0),
        present=np.ones(len(rotation), bool),
    )


def test_a_turn_of_the_head_changes_neither_mouth_nor_brows():
    rotation = np.zeros((30, 3))
    rotation[:, 0] = np.radians(np.linspace(-20, 20, 30))
    rotation[:, 1] = np.radians(np.linspace(-10, 10, 30))
    found = expression_curves.of_landmarks(landmarks_of(rotation))
    for curve in (found.mouth_width, found.corner_lift, found.inner_brows):
        assert np.ptp(curve) < 0.01
    assert np.ptp(np.degrees(found.rotation[:, 0])) == pytest.approx(40, abs=2)


def test_raised_corners_of_the_mouth_are_measured_in_distances_of_the_eyes():
    still = np.zeros((3, 3))
    before, after = (
        expression_curves.of_landmarks(landmarks_of(still, change))
        for change in (0.0, 0.1)
    )
    points = pose.canonical_face()[0]
    eyes = np.linalg.norm(points[263] - points[33])
    for curve in ("corner_height", "corner_lift"):
        rise = (getattr(after, curve) - getattr(before, curve)).mean()
        assert rise == pytest.approx(0.1 / eyes, rel=0.05)


def test_irises_behind_lids_are_taken_from_the_frames_beside():
    found = landmarks_of(np.zeros((5, 3)))
    lids = found.eyes[:, :, gaze.LID_POINTS]
    lids[:, :, gaze.LID_CORNER, 0] += 30
    lids[:, :, 1 : gaze.LID_CORNER, 1] += 9
    looking = dataclasses.replace(found, eyes=found.eyes.copy())
    looking.eyes[:, :, 0, 0] += np.array([0, 1, 99, 3, 4])[:, None]
    looking.eyes[2, :, gaze.LID_POINTS, 1] = 128
    curve = expression_curves.of_landmarks(looking)
    np.testing.assert_allclose(np.diff(curve.irises, n=2), 0, atol=1e-9)
    assert curve.irises[-1] > curve.irises[0]
    looking.eyes[2, :, gaze.LID_POINTS] = found.eyes[2, :, gaze.LID_POINTS]
    assert expression_curves.of_landmarks(looking).irises.argmax() == 2


def test_power_lies_in_the_band_of_a_movement():
    slow = np.sin(2 * np.pi * 0.3 * SECONDS)
    fast = np.sin(2 * np.pi * 3.0 * SECONDS)
    shares = expression_curves.power_shares(
        np.stack([3 * slow, fast], axis=-1), (0.5, 2.0)
    )
    np.testing.assert_allclose(shares, [0.9, 0.0, 0.1], atol=0.01)
    assert not expression_curves.power_shares(np.ones((50, 3)), (2.0,)).any()


def test_the_range_is_that_of_windows_or_of_a_shorter_curve():
    ramp = np.arange(100.0)
    assert expression_curves.range_within(ramp, 1.0) == 24
    assert expression_curves.range_within(ramp, 10.0) == 99


def test_a_still_face_has_no_movement_and_a_swaying_one_has_its_own():
    rotation = np.zeros((250, 3))
    still = expression_curves.statistics(
        expression_curves.of_landmarks(landmarks_of(rotation))
    )
    assert all(abs(value) < 1e-6 for value in still.values())
    rotation[:, 2] = np.radians(5) * np.sin(2 * np.pi * 0.5 * SECONDS)
    moved = expression_curves.statistics(
        expression_curves.of_landmarks(landmarks_of(rotation))
    )
    assert moved["std_roll"] == pytest.approx(5 / np.sqrt(2), rel=0.05)
    assert moved["range_roll"] == pytest.approx(10, rel=0.05)
    assert moved["std_yaw"] < 0.5
    assert moved["fast"] < 0.02


@pytest.fixture(scope="module")
def photo(rendered_photo):
    """A picture, its face, and its crop at 256 pixels with the face's place in it."""
    found = locate.locate_face(rendered_photo)
    place = sharpness.FacePlacement.of(found.landmarks)
    portrait = crop.extract(rendered_photo, found.box, 256)
    return rendered_photo, place, portrait, place.within(found.box, 256)


def blurred(image):
    """Average five pixels by five."""
    padded = np.pad(image.astype(np.float64), ((2, 2), (2, 2), (0, 0)), mode="edge")
    size = len(image)
    parts = (padded[y : y + size, x : x + size] for y in range(5) for x in range(5))
    return np.uint8(sum(parts) / 25)


def test_the_photograph_itself_is_as_sharp_as_itself_and_a_blurred_one_is_not(photo):
    picture, place, portrait, own = photo
    same = sharpness.over_portrait(picture, place, portrait, own)
    assert same == pytest.approx({"eyes": 1.0, "mouth": 1.0, "face": 1.0})
    soft = sharpness.over_portrait(picture, place, blurred(portrait), own)
    assert max(soft.values()) < 0.3
    anywhere = np.ones(portrait.shape[:2], bool)
    ring = sharpness.ring_over_portrait(portrait, own, blurred(portrait), own, anywhere)
    assert ring < 0.5
    nowhere = ~anywhere
    filled = sharpness.ring_over_portrait(portrait, own, portrait, own, nowhere)
    assert np.isnan(filled)


def test_the_photograph_is_cut_so_that_its_head_lies_as_in_the_frame(photo):
    picture, place, _, own = photo
    shown = sharpness.FacePlacement(
        points=own.points, centre=own.centre + 9, unit=own.unit / 2
    )
    box = sharpness.cut_alike(place, shown, 256)
    again = place.within(box, 256)
    np.testing.assert_allclose(again.centre, shown.centre)
    assert again.unit == pytest.approx(shown.unit)


def test_only_what_changes_beside_the_person_is_a_ghost(photo):
    _, _, portrait, own = photo
    beside = sharpness.beside_person(portrait)
    distance = sharpness.head_distance(own, 256)
    assert not beside[distance < 0.5].any()
    assert beside[:20, :20].all()
    frame = portrait.copy()
    frame[distance < 0.5] = 0
    assert sharpness.still_difference(portrait, frame, beside) == 0
    frame[:20, :20] = 255 - portrait[:20, :20]
    assert sharpness.still_difference(portrait, frame, beside) > 0.5


def test_a_smear_where_the_head_was_is_softer_than_what_is_around_it(photo):
    _, _, _, own = photo
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    far = sharpness.FacePlacement(
        points=own.points, centre=own.centre, unit=own.unit / 1.3
    )
    good = sharpness.uncovered_over_ring(noise, own, noise, far)
    bad = sharpness.uncovered_over_ring(noise, own, blurred(noise), far)
    assert good == pytest.approx(1.0, abs=0.1)
    assert bad < 0.2


def test_the_inside_of_an_outline_has_its_area():
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    circle = 60 + 30 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    points = np.zeros((468, 2))
    points[list(landmarks.OVAL)] = circle[: len(landmarks.OVAL)]
    outline = circle[: len(landmarks.OVAL)]
    x, y = outline.T
    area = 0.5 * abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())
    place = sharpness.FacePlacement(points=points, centre=np.array([60, 60]), unit=30.0)
    inside = sharpness.face_masks(place, 128)["face"]
    assert inside.sum() == pytest.approx(area, rel=0.02)


def test_an_emotion_is_told_by_what_changes_in_the_face():
    neutral = np.array([0.05, 0.05, 0.05, 0.05, 0.2, 0.55, 0.05])
    happy = np.array([0.05, 0.05, 0.05, 0.3, 0.1, 0.4, 0.05])
    sad = neutral + np.array([0, 0, 0, 0, -0.1, 0.1, 0])
    scores = {"happiness": happy, "sadness": sad}
    assert face_recognition.share_named(scores) == 0.5
    assert face_recognition.share_rising(scores, neutral) == 1.0
    unseen = {"happiness": np.full(7, np.nan)}
    assert np.isnan(face_recognition.share_rising(unseen, neutral))


def test_another_network_is_refused_as_one_of_expressions(tmp_path):
    for path in (tmp_path / "none.tflite", networks.ASSETS / "iris_landmark.tflite"):
        with pytest.raises(errors.UserError, match="facex"):
            face_recognition.ExpressionNetwork(path)
    torn = tmp_path / "torn.tflite"
    torn.write_bytes(b"no network")
    with pytest.raises(errors.UserError, match="holds no network"):
        face_recognition.ExpressionNetwork(torn)
