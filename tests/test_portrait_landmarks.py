"""Measures of mouth and eyes, and regions of interest, on made-up landmarks."""

import os
import sys

import numpy as np
import pytest

from vasa_jax import errors
from vasa_jax.portrait import detection, gaze, landmarks, networks, pose, resample


def _canonical_points(unit=100.0):
    points, _ = pose.canonical_face()
    return points * unit


def _parted(points, pairs, gap):
    """Set lip or lid pairs apart by `gap`, symmetrically."""
    points = points.copy()
    for upper, lower in pairs:
        middle = (points[upper] + points[lower]) / 2
        points[upper] = middle - (0, gap / 2, 0)
        points[lower] = middle + (0, gap / 2, 0)
    return points


def test_mouth_aperture_is_the_gap_of_the_lips_in_eye_distances():
    points = _parted(_canonical_points(), landmarks.INNER_LIPS, 12.0)
    eyes = points[np.array(landmarks.EYE_CORNERS)].mean(axis=1)
    expected = 12.0 / np.linalg.norm(eyes[1] - eyes[0])
    np.testing.assert_allclose(landmarks.mouth_aperture(points), expected)


def test_mouth_aperture_ignores_pose_and_size():
    points = _parted(_canonical_points(), landmarks.INNER_LIPS, 12.0)
    fit = pose.HeadFit(rotation=np.array([0.5, 0.2, 2.0]), centre=None, unit=None)
    turned = 3 * points @ fit.matrix().T + 50
    many = np.stack([points, turned])
    first, second = landmarks.mouth_aperture(many)
    np.testing.assert_allclose(first, second)


def test_the_region_of_landmarks_turns_with_the_face():
    points = _canonical_points()
    level = landmarks.Landmarks(points=points, presence=1.0)
    turn = resample.rotation_2d(0.7)
    rolled = points.copy()
    rolled[:, :2] = points[:, :2] @ turn.T
    region = landmarks.region_of_landmarks(level)
    other = landmarks.region_of_landmarks(
        landmarks.Landmarks(points=rolled, presence=1.0)
    )
    np.testing.assert_allclose(other.angle - region.angle, 0.7, atol=1e-6)
    np.testing.assert_allclose(other.size, region.size, rtol=1e-6)
    centre = turn @ (region.center_x, region.center_y)
    np.testing.assert_allclose((other.center_x, other.center_y), centre, atol=1e-4)


def test_the_middle_of_a_region_is_its_centre_and_its_x_axis_turns():
    region = landmarks.Region(center_x=30, center_y=40, size=64, angle=np.pi / 2)
    matrix = region.matrix(128)
    np.testing.assert_allclose(matrix @ (64, 64, 1), (30, 40), atol=1e-9)
    np.testing.assert_allclose(matrix @ (66, 64, 1), (30, 41), atol=1e-9)


def test_gaze_is_read_from_irises_placed_for_it():
    points, _ = pose.canonical_face()
    rotation = np.array([0.3, -0.1, 0.2])
    fit = pose.HeadFit(rotation=rotation, centre=np.zeros(2), unit=np.array(50.0))
    turned = 50 * points @ fit.matrix().T
    yaw, pitch = 0.25, -0.15
    direction = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch)])
    x, y, z = gaze.EYEBALL_OFFSET
    irises = []
    for corners, mirror in zip(landmarks.EYE_CORNERS, (1, -1), strict=True):
        ball = fit.matrix() @ np.array([mirror * x, y, z])
        middle = turned[list(corners), :2].mean(axis=0)
        irises.append(middle + 50 * (ball[:2] + gaze.IRIS_RADIUS * direction))
    found = gaze.estimate_gaze(np.stack(irises), turned, fit)
    np.testing.assert_allclose(found, (yaw, pitch), atol=1e-6)


def test_faces_found_in_a_turned_picture_are_carried_back():
    image = np.zeros((30, 50, 3), np.uint8)
    image[12, 37] = 255
    for turns in (1, 2, 3):
        row, column = np.argwhere(np.rot90(image, turns)[..., 0])[0]
        x, y = column + 0.5, row + 0.5
        face = detection.Face(
            center_x=x,
            center_y=y,
            size=4.0,
            score=1.0,
            keypoints=np.tile(np.float32([x, y]), (6, 1)),
        )
        back = detection.unturned(face, turns, height=30, width=50)
        assert (back.center_x, back.center_y) == (37.5, 12.5)
        np.testing.assert_array_equal(back.keypoints[0], (37.5, 12.5))


def test_building_a_network_holds_back_one_notice_and_nothing_else(capfd):
    with pytest.raises(ValueError, match="cannot be built"):
        with networks._without_notice():
            print("ERROR: told by Python", file=sys.stderr)
            os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n")
            os.write(2, b"ERROR: told by C++\n")
            raise ValueError("it cannot be built")
    print("told later", file=sys.stderr)
    told = ["ERROR: told by Python", "ERROR: told by C++", "told later"]
    assert capfd.readouterr().err.splitlines() == told


def test_without_the_portrait_extra_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    with pytest.raises(errors.UserError, match=r"pip install vasa-jax\[portrait\]"):
        networks.Network(networks.ASSETS / "face_landmark.tflite")
