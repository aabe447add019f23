"""The driver's face is found where it first shows, and cut by one crop."""

import numpy as np
import pytest

from vasa_jax import types
from vasa_jax.animate import driving_video
from vasa_jax.errors import UserError
from vasa_jax.portrait import crop, locate

SIZE = 64


def test_a_face_that_comes_late_is_found_and_shown_from_the_beginning(rendered_photo):
    blank = np.full_like(rendered_photo, 90)
    other = rendered_photo[:, ::-1]
    frames = [blank] * 7 + [rendered_photo] * 6 + [other]
    cut = list(driving_video.cut_faces(frames, SIZE))
    assert len(cut) == len(frames)
    box = locate.locate_face(rendered_photo).box
    expected = crop.extract(rendered_photo, box, SIZE)
    for frame in cut[:13]:
        np.testing.assert_array_equal(frame, expected)
    np.testing.assert_array_equal(cut[13], crop.extract(other, box, SIZE))


def test_a_driver_without_a_face_is_named_the_driving_video(monkeypatch):
    blank = np.full((48, 48, 3), 90, np.uint8)
    monkeypatch.setattr(driving_video, "LOOK_FOR_SECONDS", 1)
    monkeypatch.setattr(driving_video, "LOOK_EVERY_FRAMES", 25)
    given = iter([blank] * 100)
    with pytest.raises(UserError, match=r"in the first 1\.0 s of the driving video"):
        driving_video.cut_faces(given, SIZE)
    assert len(list(given)) == 100 - types.FRAME_RATE_HZ
    with pytest.raises(UserError, match="driving video has no frame"):
        driving_video.cut_faces([], SIZE)


def test_a_driver_whose_size_changes_is_refused_there(rendered_photo):
    cut = driving_video.cut_faces([rendered_photo] * 50 + [rendered_photo[:-16]], SIZE)
    for _ in range(50):
        next(cut)
    with pytest.raises(UserError, match=r"size changes in the driving video after 2"):
        next(cut)
