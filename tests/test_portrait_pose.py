"""The head fit recovers known poses of the canonical face."""

import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax import geometry
from vasa_jax.portrait import crop, landmarks, pose

POSES_DEGREES = [(0, 0, 0), (40, 10, 5), (-60, -20, 20), (15, 30, -100), (5, -10, 178)]


def _projected(rotation, centre, unit, distance=pose.CAMERA_DISTANCE):
    """Photograph the canonical face: `[468, 3]` in image pixels."""
    points, _ = pose.canonical_face()
    turned = points @ np.asarray(geometry.rotation_matrix(jnp.asarray(rotation))).T
    nearness = 1 + turned[:, 2:] / distance
    flat = np.asarray(centre) + unit * turned[:, :2] / nearness
    return np.concatenate([flat, unit * turned[:, 2:]], axis=1)


@pytest.mark.parametrize("degrees", POSES_DEGREES)
def test_the_fit_recovers_the_pose_of_a_photographed_canonical_face(degrees):
    rotation = np.deg2rad(degrees)
    fit = pose.fit_head(_projected(rotation, (321.5, 123.25), 87.0))
    np.testing.assert_allclose(np.rad2deg(fit.rotation), degrees, atol=0.02)
    np.testing.assert_allclose(fit.centre, (321.5, 123.25), atol=0.05)
    np.testing.assert_allclose(fit.unit, 87.0, rtol=1e-3)


def test_fitting_many_faces_at_once_equals_fitting_each():
    generator = np.random.default_rng(0)
    faces = np.stack(
        [
            _projected(np.deg2rad(degrees), (50, 60), 30)
            + generator.normal(0, 0.5, (468, 3))
            for degrees in POSES_DEGREES
        ]
    )
    together = pose.fit_head(faces)
    for i, face in enumerate(faces):
        alone = pose.fit_head(face)
        np.testing.assert_allclose(together.rotation[i], alone.rotation, atol=1e-9)
        np.testing.assert_allclose(together.centre[i], alone.centre, atol=1e-6)


def test_an_unknown_origin_of_depth_does_not_matter():
    face = _projected(np.deg2rad((20, -10, 5)), (50, 60), 30)
    moved = face + np.array([0, 0, 1000.0])
    np.testing.assert_allclose(
        pose.fit_head(moved).rotation, pose.fit_head(face).rotation, atol=1e-9
    )


def test_a_few_wrong_landmarks_hardly_turn_the_head():
    _, weights = pose.canonical_face()
    face = _projected(np.deg2rad((20, -10, 5)), (50, 60), 30)
    used = np.flatnonzero(weights)
    face[used[:3], :2] += 60
    error = np.rad2deg(pose.fit_head(face).rotation) - (20, -10, 5)
    assert np.abs(error).max() < 3


def test_the_crop_of_a_fit_holds_the_head_at_the_middle_at_scale_one():
    fit = pose.fit_head(_projected(np.deg2rad((10, 5, 0)), (200, 150), 40.0))
    box = pose.crop_of_fit(fit)
    found = pose.head_pose_in_crop(fit, box)
    np.testing.assert_allclose(found.translation, 0, atol=1e-6)
    np.testing.assert_allclose(found.scale, 1, atol=1e-6)
    assert found.rotation.dtype == np.float32
    assert abs(box.half_size - crop.HALF_IMAGE_HEAD_UNITS * 40) < 0.1


def test_a_head_pose_speaks_in_the_image_units_of_its_crop():
    points = _projected(np.zeros(3), (60, 90), 20.0).astype(np.float32)
    found = landmarks.Landmarks(points=points, presence=1.0)
    box = crop.CropBox(center_x=50, center_y=100, half_size=40)
    head_pose = pose.fit_head_pose(found, box)
    np.testing.assert_allclose(head_pose.translation, (0.25, -0.25), atol=2e-3)
    np.testing.assert_allclose(head_pose.scale, (0.75,), atol=2e-3)


def test_matrices_and_angles_agree_with_geometry():
    rotation = np.random.default_rng(1).uniform(-1.2, 1.2, (20, 3))
    fit = pose.HeadFit(rotation=rotation, centre=None, unit=None)
    expected = geometry.rotation_matrix(jnp.asarray(rotation, jnp.float32))
    np.testing.assert_allclose(fit.matrix(), expected, atol=1e-6)


def test_the_canonical_face_looks_at_the_viewer_from_around_the_origin():
    points, weights = pose.canonical_face()
    nose, chin, forehead = points[4], points[152], points[10]
    assert nose[2] < -0.9 and abs(nose[0]) < 0.01
    assert chin[1] > 0.8 and forehead[1] < -0.6
    assert points[33, 0] < 0 < points[263, 0]
    assert (weights > 0).sum() == 33 and abs(weights.sum() - 1) < 1e-12
