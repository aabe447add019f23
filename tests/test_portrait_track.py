"""Of several faces the one in a window is found and followed."""

import pathlib

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")

from vasa_jax import media
from vasa_jax.portrait import locate, resample, track

ROOT = pathlib.Path(__file__).parent.parent
LARGE, SMALL = 240, 120


@pytest.fixture(scope="module")
def two_faces():
    """A large face on the left and, lower, a small one on the right."""
    portrait = media.read_image(ROOT / "examples" / "portrait.png")
    side = min(portrait.shape[:2])
    picture = np.full((LARGE, 2 * LARGE, 3), 128, np.uint8)
    for size, top, left in ((LARGE, 0, 0), (SMALL, 100, 300)):
        window = resample.sample_window(portrait, 0, 0, side, side, size, size)
        picture[top : top + size, left : left + size] = np.clip(window, 0, 255)
    return picture


def test_the_face_in_the_window_is_found_beside_a_larger_one(two_faces):
    right = (290.0, 90.0, 430.0, 230.0)
    found = track.follow(two_faces, None, right)
    assert found.is_within(right)
    alone = two_faces[100 : 100 + SMALL, 300 : 300 + SMALL]
    same = locate.locate_face(alone).landmarks.points[:, :2] + [300, 100]
    assert np.abs(found.points[:, :2] - same).mean() < 2
    assert not track.follow(two_faces, None).is_within(right)


def test_a_face_that_leaves_the_window_is_not_followed(two_faces):
    left, right = (0.0, 0.0, 240.0, 240.0), (290.0, 90.0, 430.0, 230.0)
    large = track.follow(two_faces, None, left)
    assert track.follow(two_faces, large, left).is_within(left)
    assert track.follow(two_faces, large, right).is_within(right)


def test_a_window_without_a_face_shows_none(two_faces):
    for window in ((250.0, 0.0, 290.0, 60.0), (470.0, 230.0, 474.0, 234.0)):
        assert track.follow(two_faces, None, window) is None
