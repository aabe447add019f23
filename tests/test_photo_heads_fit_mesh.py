"""Photographed heads: the face's mesh, and how it closes."""

import numpy as np
import pytest

from datasets.photo_heads.fit import closing, contours, face_mesh, landmark_units
from datasets.synthetic_heads.performance import visemes
from vasa_jax import arkit
from vasa_jax.portrait import pose, sampling


def canonical():
    return pose.canonical_face()[0]


def area(triangles, places):
    a, b, c = (places[triangles[:, k]] for k in range(3))
    (ux, uy), (vx, vy) = (b - a).T[:2], (c - a).T[:2]
    return ux * vy - vx * uy


def test_a_face_moved_as_a_whole_moves_every_dense_point_alike():
    dense = face_mesh.face_mesh()
    shift = np.array([0.3, -0.2, 0.1])
    moved = dense.from_landmarks @ (canonical() + shift)
    still = dense.from_landmarks @ canonical()
    np.testing.assert_allclose(moved, still + shift, atol=1e-6)


def test_all_triangles_of_an_open_face_are_wound_alike():
    dense = face_mesh.face_mesh()
    jaw = arkit.index("jawOpen")
    places = dense.from_landmarks @ canonical() + 0.5 * dense.unit_moves[jaw]
    inner = np.abs(places[dense.triangles, 0]).max(axis=1) < 0.5
    assert (area(dense.triangles[inner], places) > 0).all()


def test_the_mirror_image_of_a_symmetric_face_is_itself():
    dense = face_mesh.face_mesh()
    places = dense.from_landmarks @ canonical()
    mirrored = np.einsum(
        "nkc,nk->nc", places[dense.mirror_points], dense.mirror_weights
    )
    np.testing.assert_allclose(mirrored, places * [-1, 1, 1], atol=0.03)


def test_shut_eyes_bring_the_upper_rim_to_the_lower_one_and_leave_the_mouth():
    dense, face = face_mesh.face_mesh(), canonical()
    places = dense.from_landmarks @ face
    for close, loop in zip(dense.close_eyes, dense.eye_loops, strict=True):
        shut = places + close.moves(face)
        half = len(loop) // 2
        upper, lower = loop[1:half], loop[:half:-1]
        before = (places[lower] - places[upper])[:, 1]
        after = (shut[lower] - shut[upper])[:, 1]
        # Lids overlap by 6 % of the eye's height.
        np.testing.assert_allclose(after, -0.06 * before, atol=0.006)
        assert not close.moves(face)[dense.mouth_loop].any()


@pytest.mark.parametrize("name", ["aa", "E", "CH", "RR", "oh", "ou"])
def test_open_mouths_are_near_to_ellipses(name):
    dense = face_mesh.face_mesh()
    weights = visemes.VISEME_WEIGHTS[visemes.VISEMES.index(name)]
    places = dense.from_landmarks @ canonical()
    places += np.tensordot(weights, dense.unit_moves, 1)
    x, y = places[dense.mouth_loop, :2].T
    covered = abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2
    ellipse = np.pi / 4 * np.ptp(x) * np.ptp(y)
    # A diamond covers 0.64 of it.
    assert covered > 0.8 * ellipse


def test_closed_lips_meet():
    face = canonical()
    jaw = landmark_units.landmark_units()[arkit.index("jawOpen")]
    opened = face + 0.4 * jaw
    close = face_mesh.face_mesh().close_lips_of_landmarks
    top, bottom = contours.LIP_TOP, contours.LIP_BOTTOM
    gap = (opened[bottom] - opened[top])[1]
    shut = opened + close.moves(opened)
    assert gap > 0.1
    assert abs((shut[bottom] - shut[top])[1]) < 0.01 * gap


def test_units_that_have_a_field_of_their_own_move_nothing():
    moves = landmark_units.landmark_units()
    for name in ("eyeBlinkLeft", "mouthClose", "tongueOut", "eyeLookUpRight"):
        assert not moves[arkit.index(name)].any()
    assert np.abs(moves[arkit.index("jawOpen")]).max() > 0.2


def test_a_left_unit_moves_the_persons_left_which_is_the_images_right():
    moves = landmark_units.landmark_units()[arkit.index("mouthSmileLeft")]
    length = np.linalg.norm(moves, axis=1)
    assert canonical()[np.argmax(length), 0] > 0.1


def test_ease_is_flat_at_its_ends_and_half_in_the_middle():
    values = closing.ease(np.array([-1.0, 0.0, 0.5, 1.0, 2.0]))
    np.testing.assert_allclose(values, [0, 0, 0.5, 1, 1])


def test_points_inside_of_a_polygon_are_told_from_those_outside():
    square = np.array([[0, 0], [2, 0], [2, 2], [0, 2]], float)
    points = np.array([[1, 1], [3, 1], [1, -1], [0.1, 1.9]])
    assert contours.inside(square, points).tolist() == [True, False, False, True]


def test_sampling_at_pixel_centres_returns_the_pixels():
    values = np.random.default_rng(0).normal(size=(4, 5, 3))
    y, x = np.mgrid[0:4, 0:5]
    np.testing.assert_allclose(
        sampling.bilinear(values, np.stack([x, y], axis=-1)), values
    )
