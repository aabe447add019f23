"""Faces and lips are cut out as SyncNet was taught on them."""

import numpy as np
import pytest

from vasa_jax.portrait import face_cuts


def _ramp(height, width):
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows, columns, rows + columns], axis=-1).astype(np.uint8)


def _published(image, boxes):
    """Cut by the published rule, written with scipy and a picture that has a margin."""
    signal = pytest.importorskip("scipy.signal")
    cv2 = pytest.importorskip("cv2")
    x, y, s = (signal.medfilt(column, kernel_size=13) for column in boxes.T)
    cut = []
    for t in range(len(boxes)):
        margin = int(s[t] * 1.8)
        around = ((margin, margin), (margin, margin), (0, 0))
        padded = np.pad(image, around, constant_values=110)
        middle_y, middle_x = y[t] + margin, x[t] + margin
        rows = slice(int(middle_y - s[t]), int(middle_y + s[t] * 1.8))
        columns = slice(int(middle_x - s[t] * 1.4), int(middle_x + s[t] * 1.4))
        cut.append(cv2.resize(padded[rows, columns], (224, 224)))
    return np.stack(cut)


def _boxes(num_frames):
    generator = np.random.default_rng(0)
    about = np.array([70.0, 60.0, 40.0])
    return about + generator.normal(0, 3, (num_frames, 3))


def test_crops_equal_those_of_the_published_pipeline():
    image = np.random.default_rng(1).integers(0, 256, (120, 130, 3), np.uint8)
    expected = _published(image, _boxes(20)).astype(int)
    found = face_cuts.cut_faces([image] * 20, _boxes(20))
    assert found.shape == (20, 224, 224, 3)
    assert np.abs(found - expected).max() <= 1


def test_the_crop_reaches_from_the_box_to_beneath_the_chin():
    boxes = np.repeat([[64.0, 50.0, 40.0]], 30, axis=0)
    face = face_cuts.cut_faces([_ramp(128, 128)] * 30, boxes)[15]
    # 112 pixels a side, from row 10 and column 8 on: two pixels for each.
    np.testing.assert_allclose(face[1::2, 0, 0], 10 + np.arange(112), atol=1)
    np.testing.assert_allclose(face[0, 1::2, 1], 8 + np.arange(112), atol=1)


def test_grey_stands_beyond_the_picture():
    boxes = np.repeat([[10.0, 120.0, 30.0]], 13, axis=0)
    face = face_cuts.cut_faces([_ramp(128, 128)] * 13, boxes)[6]
    assert (face[:, :70] == face_cuts.OUTSIDE).all()
    assert (face[-100:] == face_cuts.OUTSIDE).all()
    assert (face[:80, 100:] != face_cuts.OUTSIDE).any()


def test_a_box_follows_the_head_and_grows_with_it():
    pose = np.zeros((2, 6))
    pose[:, 5] = 0.5, 1.0
    pose[1, 3:5] = 0.2, -0.1
    small, large = face_cuts.face_boxes(pose, 100, 200)
    np.testing.assert_allclose(small, [100, 50 + 5, 30.5])
    np.testing.assert_allclose(large, [120, 50 - 10 + 10, 61])


def test_lips_are_the_middle_of_the_face_in_means_of_two_by_two():
    generator = np.random.default_rng(0)
    frame = generator.integers(0, 256, (128, 128, 3), np.uint8)
    pose = np.tile([0, 0, 0, 0.0, 0.1, 0.9], (16, 1))
    lips = face_cuts.cut_lips([frame] * 16, pose)
    assert lips.shape == (16, 56, 56) and lips.dtype == np.uint8
    boxes = face_cuts.face_boxes(pose, 128, 128)
    face = face_cuts.cut_faces([frame] * 16, boxes)[8].astype(float)
    top, left = face_cuts.LIPS_TOP, face_cuts.LIPS_LEFT
    cell = face[top + 10 : top + 12, left + 20 : left + 22].mean((0, 1))
    expected = cell @ [0.299, 0.587, 0.114]
    assert lips[8, 5, 10] == pytest.approx(expected, abs=0.51)
